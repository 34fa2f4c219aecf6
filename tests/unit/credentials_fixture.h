/*
 * credentials_fixture.h - a home of its own for each test, with the files that have credentials.
 */
#ifndef INDEXFS_TEST_CREDENTIALS_FIXTURE_H
#define INDEXFS_TEST_CREDENTIALS_FIXTURE_H

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "registry/http/credentials.h"
#include "registry_process.h"

#define HOST "r.example"
#define PATH_SIZE 256

/* base64 of USER:PASSWORD, whose user is named by where the entry stands */
static const struct {
	const char *file, *user, *auth;
} sources[] = {
	{"run/containers/auth.json", "run", "cnVuOnAx"},
	{"config/containers/auth.json", "config", "Y29uZmlnOnAy"},
	{"docker/config.json", "docker", "ZG9ja2VyOnAz"},
	{"home/.dockercfg", "cfg", "Y2ZnOnA0"},
};

#define ENTRY(auth) "{\"auths\":{\"" HOST "\":{\"auth\":\"" auth "\"}}}"
#define OPTION_ENTRY ENTRY("b3B0aW9uOnA1") /* option:p5 */
#define VARIABLE_ENTRY ENTRY("dmFyaWFibGU6cDY=") /* variable:p6 */

static char folder[40];

static inline void path_in(char out[static PATH_SIZE], const char *name)
{
	ck_assert_int_lt(snprintf(out, PATH_SIZE, "%s/%s", folder, name), PATH_SIZE);
}

static inline void write_file(const char *name, mode_t mode, const char *text)
{
	char path[PATH_SIZE];
	int fd;

	path_in(path, name);
	for (char *slash = strchr(path + strlen(folder) + 1, '/'); slash;
		slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
}

static inline char *read_file(const char *name)
{
	char path[PATH_SIZE], *text = calloc(1, 1 << 16);
	int fd;

	path_in(path, name);
	fd = open(path, O_RDONLY);
	if (fd < 0) {
		free(text);
		return NULL;
	}
	ck_assert_int_ge(read(fd, text, (1 << 16) - 1), 0);
	close(fd);
	return text;
}

static inline void remove_file(const char *name)
{
	char path[PATH_SIZE];

	path_in(path, name);
	ck_assert_int_eq(unlink(path), 0);
}

static inline void set_variable(const char *name, const char *file)
{
	char path[PATH_SIZE];

	path_in(path, file);
	setenv(name, path, 1);
}

/* Each test has a home of its own, and programs of its own before the machine's. */
static inline void set_up(void)
{
	char path[PATH_SIZE * 2];

	strcpy(folder, "/tmp/indexfs-credentials-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	set_variable("HOME", "home");
	set_variable("XDG_RUNTIME_DIR", "run");
	set_variable("XDG_CONFIG_HOME", "config");
	set_variable("DOCKER_CONFIG", "docker");
	unsetenv("REGISTRY_AUTH_FILE");
	write_file("home/made", 0600, "");
	write_file("bin/made", 0600, "");
	snprintf(path, sizeof(path), "%s/bin:%s", folder, getenv("PATH"));
	setenv("PATH", path, 1);
	setenv("TEST_FOLDER", folder, 1);
}

static inline void tear_down(void)
{
	const char *rest = strchr(getenv("PATH"), ':') + 1;

	setenv("PATH", rest, 1);
	ck_assert(shell_run("rm -rf \"$1\"", folder));
}

static inline void write_sources(void)
{
	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
		char text[128];
		bool flat = strstr(sources[i].file, ".dockercfg") != NULL;

		snprintf(text, sizeof(text), "%s\"" HOST "\":{\"auth\":\"%s\"}%s",
			flat ? "{" : "{\"auths\":{", sources[i].auth, flat ? "}" : "}}");
		write_file(sources[i].file, 0600, text);
	}
}

/* Finds with a log, whose text is *told where that isn't NULL. */
static inline int find_told(struct credential *out, const struct credential_options *options,
	const char *host, const char *repository, char **told, struct error *err)
{
	struct log *log = log_new(LOG_LEVEL_DEBUG);
	struct buf text = BUF_INIT(1 << 20);
	struct credentials *credentials;
	int result = credentials_open(&credentials, options, log, err);

	*out = (struct credential)CREDENTIAL_INIT;
	if (!result)
		result = credentials_find(credentials, out, host, repository, NULL, err);
	credentials_free(credentials);
	ck_assert_int_eq(log_read(log, &text), 0);
	log_free(log);
	if (told)
		*told = text.data ? text.data : strdup("");
	else
		buf_free(&text);
	return result;
}

static inline void expect_user_with(const struct credential_options *options, const char *username)
{
	struct credential credential;
	struct error err = ERROR_INIT;

	ck_assert_msg(find_told(&credential, options, HOST, "me/app", NULL, &err) == 0, "%s",
		err.message);
	ck_assert_pstr_eq(credential.username, username);
	credential_clear(&credential);
}

static inline void expect_user(const char *username)
{
	const struct credential_options options = {.authfile = NULL};

	expect_user_with(&options, username);
}

static inline void expect_error(enum error_kind kind, const char *message)
{
	const struct credential_options options = {.authfile = NULL};
	struct credential credential;
	struct error err = ERROR_INIT;

	ck_assert_int_eq(find_told(&credential, &options, HOST, "me/app", NULL, &err), -1);
	ck_assert_msg(err.kind == kind, "%s: %s", error_kind_name(err.kind), err.message);
	ck_assert_msg(strstr(err.message, message) != NULL, "%s", err.message);
	ck_assert_ptr_null(credential.username);
	ck_assert_ptr_null(credential.password);
	ck_assert_ptr_null(credential.identity_token);
}

#define SCRIPT "#!/bin/sh\n"

static inline void use_helper(const char *script)
{
	write_file("bin/docker-credential-test", 0700, script);
	write_file(sources[0].file, 0600, "{\"credHelpers\":{\"" HOST "\":\"test\"}}");
}

static inline TCase *add_case(Suite *suite, const char *name)
{
	TCase *tests = tcase_create(name);

	tcase_set_timeout(tests, 30);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	suite_add_tcase(suite, tests);
	return tests;
}

/* What main() returns. */
static inline int run_suite(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
