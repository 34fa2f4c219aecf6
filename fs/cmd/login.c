#include "login.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "fs/cmd/cmd.h"
#include "fs/cmd/password.h"
#include "fs/mount/options.h"
#include "secret.h"

struct login {
	const char *registry, *username;
	bool password_stdin;
	char *asked_username, *password;
	struct mount_options options;
};

static const struct option long_options[] = {
	{"username", required_argument, NULL, 'u'},
	{"password-stdin", no_argument, NULL, 's'},
	{"password", no_argument, NULL, 'p'},
	{NULL, 0, NULL, 0},
};

static int take(struct login *login, int option)
{
	struct error err = ERROR_INIT;

	switch (option) {
	case 'u':
		login->username = optarg;
		return 0;
	case 's':
		login->password_stdin = true;
		return 0;
	case 'o':
		return mount_options_parse(&login->options, optarg, &err)
			       ? cmd_usage("%s", err.message)
			       : 0;
	case 'p':
		return cmd_usage(
			"everybody on this machine can see a password among a program's "
			"arguments: give it with --password-stdin, in INDEXFS_PASSWORD, or "
			"when asked");
	default:
		return CMD_USAGE;
	}
}

static int parse(struct login *login, int argc, char **argv)
{
	int option, status;

	optind = 1;
	while ((option = getopt_long(argc, argv, "u:po:", long_options, NULL)) != -1) {
		status = take(login, option);
		if (status)
			return status;
	}
	if (argc - optind != 1)
		return cmd_usage("login takes a REGISTRY");
	login->registry = argv[optind];
	if (!login->username)
		login->username = login->options.store.username;
	return 0;
}

/* What wasn't said is asked for where somebody can answer. */
static int complete(struct login *login, struct error *err)
{
	bool asks = isatty(STDIN_FILENO);

	if (!login->username) {
		if (!asks || login->password_stdin)
			return error_set(err, ERROR_INVALID, "a username is needed: -u USER");
		if (password_ask(&login->asked_username, "Username", PASSWORD_SHOWN, err))
			return -1;
		login->username = login->asked_username;
	}
	if (login->password_stdin) {
		secret_free(login->password);
		return password_read(&login->password, err);
	}
	if (login->password)
		return 0;
	if (asks)
		return password_ask(&login->password, "Password", PASSWORD_HIDDEN, err);
	return error_set(err, ERROR_INVALID,
		"a password is needed: --password-stdin, INDEXFS_PASSWORD, or a terminal");
}

static int run(struct login *login)
{
	cleanup_free char *host = NULL, *where = NULL;
	struct error err = ERROR_INIT;
	struct log *log;
	int failed;

	if (complete(login, &err))
		return cmd_fail("login", &err);
	login->options.store.username = login->username;
	login->options.store.password = login->password;
	log = log_new(LOG_LEVEL_WARNING);
	failed = registry_login(&host, &where, &login->options.store, login->registry, log, &err);
	log_free(log);
	if (failed)
		return cmd_fail("login", &err);
	printf("Logged in to %s (%s)\n", host, where);
	return 0;
}

int cmd_login(int argc, char **argv)
{
	struct login login = {0};
	struct error err = ERROR_INIT;
	int status;

	if (password_take(&login.password, &err) || mount_options_init(&login.options, &err)) {
		status = cmd_fail("login", &err);
	} else {
		status = parse(&login, argc, argv);
		if (!status)
			status = run(&login);
	}
	free(login.asked_username);
	secret_free(login.password);
	mount_options_clear(&login.options);
	return status;
}
