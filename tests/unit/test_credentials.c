#include "credentials_fixture.h"

#define TOO_LARGE (((size_t)4 << 20) + 1)

START_TEST(the_first_source_wins)
{
	char option[PATH_SIZE];
	struct credential_options options = {.username = "me", .password = "sesame"};

	write_sources();
	write_file("option.json", 0600, OPTION_ENTRY);
	write_file("variable.json", 0600, VARIABLE_ENTRY);
	path_in(option, "option.json");
	set_variable("REGISTRY_AUTH_FILE", "variable.json");
	options.authfile = option;
	expect_user_with(&options, "me");
	options.username = NULL;
	expect_user_with(&options, "option");
	options.authfile = NULL;
	expect_user_with(&options, "variable");
	unsetenv("REGISTRY_AUTH_FILE");
	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
		expect_user(sources[i].user);
		remove_file(sources[i].file);
	}
	expect_user(NULL);
}
END_TEST

START_TEST(homes_have_defaults)
{
	write_file("home/.docker/config.json", 0600, ENTRY("ZG9ja2VyOnAz"));
	unsetenv("DOCKER_CONFIG");
	expect_user("docker");
	write_file("home/.config/containers/auth.json", 0600, ENTRY("Y29uZmlnOnAy"));
	expect_user("docker");
	setenv("XDG_CONFIG_HOME", "", 1);
	expect_user("config");
	setenv("XDG_CONFIG_HOME", "not/absolute", 1);
	expect_user("config");
	unsetenv("HOME");
	unsetenv("XDG_RUNTIME_DIR");
	unsetenv("XDG_CONFIG_HOME");
	expect_user(NULL);
}
END_TEST

START_TEST(a_named_file_ends_the_search)
{
	char path[PATH_SIZE];
	struct credential_options options = {.authfile = path};
	struct credential credential;
	struct error err = ERROR_INIT;

	write_sources();
	write_file("empty.json", 0600, "{}");
	path_in(path, "empty.json");
	expect_user_with(&options, NULL);
	options.authfile = "/dev/null";
	expect_user_with(&options, NULL);
	set_variable("REGISTRY_AUTH_FILE", "empty.json");
	expect_user(NULL);
	/* one that login has yet to make */
	set_variable("REGISTRY_AUTH_FILE", "missing.json");
	expect_user(NULL);
	setenv("REGISTRY_AUTH_FILE", "", 1);
	expect_user("run");
	/* a mistyped option is told at once */
	path_in(path, "missing.json");
	options.authfile = path;
	ck_assert_int_eq(find_told(&credential, &options, HOST, NULL, NULL, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.message, "missing.json"));
}
END_TEST

START_TEST(files_are_asked_one_after_the_other)
{
	write_sources();
	write_file(
		sources[0].file, 0600, "{\"auths\":{\"other.example\":{\"auth\":\"cnVuOnAx\"}}}");
	expect_user("config");
	write_file(sources[0].file, 0600, "");
	expect_user("config");
	write_file(sources[1].file, 0600, "{\"auths\":{\"" HOST "\":{}}}");
	expect_user("docker");
	/* the better match of a later file doesn't count */
	write_file(sources[0].file, 0600, ENTRY("cnVuOnAx"));
	write_file(sources[1].file, 0600,
		"{\"auths\":{\"" HOST "/me/app\":{\"auth\":\"Y29uZmlnOnAy\"}}}");
	expect_user("run");
}
END_TEST

START_TEST(a_file_is_read_anew)
{
	const struct credential_options options = {.authfile = NULL};
	struct credential credential = CREDENTIAL_INIT;
	struct credentials *credentials;

	ck_assert_int_eq(credentials_open(&credentials, &options, NULL, NULL), 0);
	ck_assert_int_eq(credentials_find(credentials, &credential, HOST, NULL, NULL, NULL), 0);
	ck_assert_ptr_null(credential.username);
	write_sources();
	ck_assert_int_eq(credentials_find(credentials, &credential, HOST, NULL, NULL, NULL), 0);
	ck_assert_str_eq(credential.username, "run");
	ck_assert_str_eq(credential.password, "p1");
	credential_clear(&credential);
	credentials_free(credentials);
}
END_TEST

START_TEST(bad_files_are_named)
{
	char *big = malloc(TOO_LARGE + 1);

	write_file(sources[0].file, 0600, "{\"auths\":sesame}");
	expect_error(ERROR_DENIED, "run/containers/auth.json: line 1, column 10: ");
	write_file(sources[0].file, 0600, "{\"auths\":{\"" HOST "\":{\"auth\":\"sesame!\"}}}");
	expect_error(ERROR_DENIED, "run/containers/auth.json: r.example: auth: it isn't base64");
	memset(big, ' ', TOO_LARGE);
	big[TOO_LARGE] = '\0';
	write_file(sources[0].file, 0600, big);
	expect_error(ERROR_DENIED, "over 4 MiB");
	remove_file(sources[0].file);
	write_file("run/containers/auth.json/file", 0600, "");
	expect_error(ERROR_DENIED, "it is no file");
	free(big);
}
END_TEST

START_TEST(a_pipe_is_not_waited_for)
{
	char path[PATH_SIZE];

	write_sources();
	remove_file(sources[0].file);
	path_in(path, sources[0].file);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	expect_error(ERROR_DENIED, "it is no file");
}
END_TEST

START_TEST(others_eyes_are_told_of_once)
{
	const struct credential_options options = {.authfile = NULL};
	struct log *log = log_new(LOG_LEVEL_WARNING);
	struct buf text = BUF_INIT(1 << 20);
	struct credentials *credentials;

	write_file(sources[0].file, 0644, ENTRY("cnVuOnAx"));
	ck_assert_int_eq(credentials_open(&credentials, &options, log, NULL), 0);
	for (int i = 0; i < 3; i++) {
		struct credential credential = CREDENTIAL_INIT;

		ck_assert_int_eq(
			credentials_find(credentials, &credential, HOST, NULL, NULL, NULL), 0);
		ck_assert_str_eq(credential.username, "run");
		credential_clear(&credential);
	}
	ck_assert_int_eq(log_read(log, &text), 0);
	char *first = strstr(text.data, "(mode 644)");
	ck_assert_ptr_nonnull(first);
	ck_assert_ptr_null(strstr(first + 1, "(mode 644)"));
	buf_free(&text);
	credentials_free(credentials);
	log_free(log);
}
END_TEST

START_TEST(usernames_have_no_colon)
{
	static const char *const names[] = {"", "a:b"};

	for (size_t i = 0; i < 2; i++) {
		const struct credential_options options = {
			.username = names[i], .password = "sesame"};
		struct credentials *credentials;
		struct error err = ERROR_INIT;

		ck_assert_int_eq(credentials_open(&credentials, &options, NULL, &err), -1);
		ck_assert_int_eq(err.kind, ERROR_INVALID);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("credentials");
	TCase *tests = add_case(suite, "credentials");

	tcase_add_test(tests, the_first_source_wins);
	tcase_add_test(tests, homes_have_defaults);
	tcase_add_test(tests, a_named_file_ends_the_search);
	tcase_add_test(tests, files_are_asked_one_after_the_other);
	tcase_add_test(tests, a_file_is_read_anew);
	tcase_add_test(tests, bad_files_are_named);
	tcase_add_test(tests, a_pipe_is_not_waited_for);
	tcase_add_test(tests, others_eyes_are_told_of_once);
	tcase_add_test(tests, usernames_have_no_colon);
	return run_suite(suite);
}
