#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "fs/cmd/cmd.h"
#include "fs/cmd/daemon.h"
#include "fs/cmd/mounts.h"
#include "fs/cmd/password.h"
#include "fs/cmd/unmount.h"
#include "fs/mount/session.h"
#include "secret.h"

struct arguments {
	const char *source, *mountpoint;
	bool foreground, debug;
	char *password;
	struct mount_options options;
};

static int parse(struct arguments *arguments, int argc, char **argv)
{
	struct error err = ERROR_INIT;
	int option;

	optind = 1;
	while ((option = getopt(argc, argv, "fdo:")) != -1) {
		switch (option) {
		case 'f':
			arguments->foreground = true;
			break;
		case 'd':
			arguments->foreground = arguments->debug = true;
			break;
		case 'o':
			if (mount_options_parse(&arguments->options, optarg, &err))
				return cmd_usage("%s", err.message);
			break;
		default:
			return CMD_USAGE;
		}
	}
	if (argc - optind != 2)
		return cmd_usage("mount takes a SOURCE and a MOUNTPOINT");
	arguments->source = argv[optind];
	arguments->mountpoint = argv[optind + 1];
	return 0;
}

/* The password of username=, before this program leaves the terminal. */
static int ask_password(struct arguments *arguments, struct error *err)
{
	struct store_options *store = &arguments->options.store;

	if (!store->username)
		return 0;
	if (!arguments->password && isatty(STDIN_FILENO) &&
		password_ask(&arguments->password, "Password", PASSWORD_HIDDEN, err))
		return -1;
	if (!arguments->password && password_read(&arguments->password, err))
		return -1;
	store->password = arguments->password;
	return 0;
}

/* What the ready callback needs. */
struct background {
	int ready_fd; /* -1 in the foreground */
	struct log *log;
};

static void ready(void *context)
{
	struct background *background = context;

	if (background->ready_fd < 0)
		return;
	log_use_syslog(background->log);
	daemon_ready(background->ready_fd);
}

/* What this program has mounted there before: it goes where the program has ended (kill -9, a
 * crash), and is in the way else. */
static int clear_mountpoint(const char *path, struct error *err)
{
	cleanup_with(mounts_clear) struct mounts mounts;
	const struct mounted *there;

	if (mounts_read(&mounts, err))
		return -1;
	there = mounts_at(&mounts, path);
	if (!there)
		return 0;
	if (!mounted_is_dead(path))
		return error_set(err, ERROR_INVALID,
			"%s is mounted at %s already; indexfs umount %s ends that", there->source,
			path, path);
	if (unmount(path, UNMOUNT_DETACH, err))
		return error_prefix(err, "a mount whose program has ended is still at %s", path);
	fprintf(stderr, "indexfs: %s: took away what a killed mount had left: ", path);
	cmd_put(stderr, there->source);
	fputc('\n', stderr);
	return clear_mountpoint(path, err);
}

/* A mount point that is no folder gives a reason here, not in libfuse's words. */
static char *resolve_mountpoint(const char *path, struct error *err)
{
	cleanup_free char *real = path_resolve(path, err);
	struct stat st;

	if (!real || clear_mountpoint(real, err))
		return NULL;
	if (stat(real, &st)) {
		error_set_errno(err, errno, "can't mount at %s", path);
		return NULL;
	}
	if (!S_ISDIR(st.st_mode)) {
		error_set(err, ERROR_INVALID, "can't mount at %s: it is no folder", path);
		return NULL;
	}
	return steal_ptr(real);
}

/* Each staged file and each blob that is read keeps a descriptor. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int run(struct arguments *arguments, const char *mountpoint, int ready_fd)
{
	struct background background = {.ready_fd = ready_fd};
	struct session_config config = {
		.source = arguments->source,
		.mountpoint = mountpoint,
		.options = arguments->options,
		.debug = arguments->debug,
		.ready = ready,
		.ready_context = &background,
	};
	struct error err = ERROR_INIT;
	int result;

	raise_file_limit();
	background.log = log_new(arguments->debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	config.log = background.log;
	result = session_run(&config, &err);
	log_free(background.log);
	return result ? cmd_fail(arguments->source, &err) : 0;
}

static int mount_and_serve(struct arguments *arguments)
{
	struct error err = ERROR_INIT;
	cleanup_free char *mountpoint = resolve_mountpoint(arguments->mountpoint, &err);
	int ready_fd = -1, status = 0;

	if (!mountpoint || ask_password(arguments, &err))
		return cmd_fail(arguments->source, &err);
	if (!arguments->foreground) {
		int forked = daemon_start(&ready_fd, &status);

		if (forked < 0) {
			error_set_errno(&err, errno, "can't go to the background");
			return cmd_fail(arguments->source, &err);
		}
		if (forked)
			return status;
	}
	return run(arguments, mountpoint, ready_fd);
}

int cmd_mount(int argc, char **argv)
{
	struct arguments arguments = {0};
	struct error err = ERROR_INIT;
	int status;

	if (password_take(&arguments.password, &err) ||
		mount_options_init(&arguments.options, &err)) {
		status = cmd_fail("mount", &err);
	} else {
		status = parse(&arguments, argc, argv);
		if (!status)
			status = mount_and_serve(&arguments);
	}
	secret_free(arguments.password);
	mount_options_clear(&arguments.options);
	return status;
}
