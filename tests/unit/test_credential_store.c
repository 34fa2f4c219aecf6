#include "credentials_fixture.h"

#include "fake_server.h"
#include "login.h"
#include "patience.h"
#include "registry/http/credential_store.h"

static void store(const char *username, const char *password, const char *where)
{
	cleanup_free char *got = NULL;
	struct error err = ERROR_INIT;

	ck_assert_msg(credential_store(&got, NULL, HOST, username, password, NULL, &err) == 0, "%s",
		err.message);
	ck_assert_ptr_nonnull(strstr(got, where));
}

static void erase(const char *where)
{
	cleanup_free char *got = NULL;
	struct error err = ERROR_INIT;

	ck_assert_msg(credential_erase(&got, NULL, HOST, NULL, &err) == 0, "%s", err.message);
	if (where)
		ck_assert_ptr_nonnull(strstr(got, where));
	else
		ck_assert_ptr_null(got);
}

static mode_t mode_of(const char *name)
{
	char path[PATH_SIZE];
	struct stat st;

	path_in(path, name);
	ck_assert_int_eq(lstat(path, &st), 0);
	return st.st_mode;
}

START_TEST(stores_in_a_new_file)
{
	mode_t mask = umask(0);

	store("ann", "se:same", "run/containers/auth.json");
	ck_assert_uint_eq(mode_of("run/containers/auth.json") & 0777, 0600);
	ck_assert_uint_eq(mode_of("run/containers") & 0777, 0700);
	expect_user("ann");
	erase("run/containers/auth.json");
	expect_user(NULL);
	erase(NULL);
	unsetenv("XDG_RUNTIME_DIR");
	unsetenv("XDG_CONFIG_HOME");
	store("ann", "se:same", "home/.config/containers/auth.json");
	ck_assert_uint_eq(mode_of("home/.config/containers/auth.json") & 0777, 0600);
	expect_user("ann");
	umask(mask);
}
END_TEST

START_TEST(stores_in_the_first_file_that_is_there)
{
	cleanup_free char *text = NULL;

	write_file("docker/config.json", 0644,
		"{ \"auths\": {\"q\":{}}, \"HttpHeaders\":{\"a\" :1} }");
	write_file("home/.dockercfg", 0600, "{}");
	store("ann", "s", "docker/config.json");
	text = read_file("docker/config.json");
	ck_assert_str_eq(text, "{ \"auths\": {\"q\":{}, \"" HOST "\":{\"auth\": \"YW5uOnM=\"}}, "
			       "\"HttpHeaders\":{\"a\" :1} }");
	ck_assert_uint_eq(mode_of("docker/config.json") & 0777, 0600);
	ck_assert_ptr_null(read_file("run/containers/auth.json"));
	erase("docker/config.json");
	free(text);
	text = read_file("docker/config.json");
	ck_assert_str_eq(text, "{ \"auths\": {\"q\":{}}, \"HttpHeaders\":{\"a\" :1} }");
	/* nothing is left over beside it */
	ck_assert(shell_run("test \"$(ls -A \"$1/docker\")\" = config.json", folder));
}
END_TEST

START_TEST(a_named_file_is_where_to_store)
{
	write_sources();
	set_variable("REGISTRY_AUTH_FILE", "named/auth.json");
	store("ann", "s", "named/auth.json");
	expect_user("ann");
	erase("named/auth.json");
	expect_user(NULL);
	unsetenv("REGISTRY_AUTH_FILE");
	expect_user("run");
}
END_TEST

START_TEST(a_link_stays_a_link)
{
	cleanup_free char *text = NULL;

	write_file("real/auth.json", 0600, "{}");
	write_file("run/containers/made", 0600, "");
	ck_assert(shell_run("ln -s ../../real/auth.json \"$1/run/containers/auth.json\"", folder));
	store("ann", "s", "run/containers/auth.json");
	ck_assert(S_ISLNK(mode_of("run/containers/auth.json")));
	text = read_file("real/auth.json");
	ck_assert_ptr_nonnull(strstr(text, "YW5uOnM="));
}
END_TEST

START_TEST(a_broken_file_is_left_alone)
{
	cleanup_free char *text = NULL, *where = NULL;
	struct error err = ERROR_INIT;

	write_file(sources[0].file, 0600, "{\"auths\":");
	ck_assert_int_eq(credential_store(&where, NULL, HOST, "ann", "s", NULL, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.message, "run/containers/auth.json: line 1"));
	text = read_file(sources[0].file);
	ck_assert_str_eq(text, "{\"auths\":");
}
END_TEST

static const char keeper[] =
	SCRIPT "cd $TEST_FOLDER\n"
	       "case $1 in\n"
	       "store) cat >kept ;;\n"
	       "get) cat >/dev/null; cat kept 2>/dev/null || {\n"
	       "    echo credentials not found in native keychain; exit 1; } ;;\n"
	       "erase) cat >erased; rm kept ;;\n"
	       "esac\n";

START_TEST(stores_with_the_helper_that_is_named)
{
	cleanup_free char *kept = NULL, *erased = NULL, *text = NULL;

	use_helper(keeper);
	store("ann", "open\"sesame", "docker-credential-test");
	kept = read_file("kept");
	ck_assert_str_eq(kept,
		"{\"ServerURL\":\"" HOST "\",\"Username\":\"ann\",\"Secret\":\"open\\\"sesame\"}");
	text = read_file(sources[0].file);
	ck_assert_str_eq(text, "{\"credHelpers\":{\"" HOST "\":\"test\"}}");
	expect_user("ann");
	erase("docker-credential-test");
	erased = read_file("erased");
	ck_assert_str_eq(erased, HOST);
	expect_user(NULL);
	erase(NULL);
}
END_TEST

START_TEST(an_old_secret_doesnt_hide_the_helpers)
{
	cleanup_free char *text = NULL;

	use_helper(keeper);
	write_file(sources[0].file, 0600,
		"{\"auths\":{\"" HOST "\":{\"auth\":\"cnVuOnAx\"}},\"credsStore\":\"test\"}");
	expect_user("run");
	store("ann", "s", "docker-credential-test");
	text = read_file(sources[0].file);
	ck_assert_str_eq(text, "{\"auths\":{\"" HOST "\":{}},\"credsStore\":\"test\"}");
	expect_user("ann");
	erase("docker-credential-test");
	free(text);
	text = read_file(sources[0].file);
	ck_assert_str_eq(text, "{\"auths\":{},\"credsStore\":\"test\"}");
}
END_TEST

/* A registry that takes ann:s by Basic. */
static const char *answer(void *context, const char *head, int index)
{
	(void)context;
	(void)index;
	if (strstr(head, "Authorization: Basic YW5uOnM="))
		return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
	return "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"r\"\r\n"
	       "Content-Length: 62\r\n\r\n"
	       "{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"who is that, then?\"}]}";
}

struct login_result {
	int failed;
	struct error err;
	char *host, *where;
};

static struct login_result login(const char *registry, const char *password)
{
	struct store_options options = STORE_OPTIONS_DEFAULT;
	struct login_result result = {.failed = 0};

	options.username = "ann";
	options.password = password;
	options.timeout = AMPLE_TIMEOUT;
	result.failed =
		registry_login(&result.host, &result.where, &options, registry, NULL, &result.err);
	return result;
}

static void login_clear(struct login_result *result)
{
	free(result->host);
	free(result->where);
}

START_TEST(a_login_is_checked_first)
{
	struct fake_server *server = fake_server_start(answer, NULL);
	char registry[64];

	snprintf(registry, sizeof(registry), "http://127.0.0.1:%d/v2/", fake_server_port(server));
	struct login_result wrong = login(registry, "open-sesame");
	ck_assert_int_eq(wrong.failed, -1);
	ck_assert_int_eq(wrong.err.kind, ERROR_DENIED);
	ck_assert_int_eq(wrong.err.status, 401);
	ck_assert_ptr_nonnull(strstr(wrong.err.message, "who is that"));
	ck_assert_ptr_null(strstr(wrong.err.message, "sesame"));
	ck_assert_ptr_null(wrong.where);
	ck_assert_ptr_null(read_file(sources[0].file));
	login_clear(&wrong);
	fake_server_stop(server);
}
END_TEST

START_TEST(a_login_is_kept_until_the_logout)
{
	struct fake_server *server = fake_server_start(answer, NULL);
	struct store_options options = STORE_OPTIONS_DEFAULT;
	char *host, *where;
	char registry[64];
	bool more;

	snprintf(registry, sizeof(registry), "http://127.0.0.1:%d/v2/", fake_server_port(server));
	struct login_result right = login(registry, "s");
	ck_assert_msg(right.failed == 0, "%s", right.err.message);
	ck_assert_int_eq(strncmp(right.host, "127.0.0.1:", 10), 0);
	ck_assert_ptr_nonnull(strstr(right.where, sources[0].file));
	ck_assert_ptr_nonnull(strstr(fake_server_head(server, 0), "GET /v2/ "));
	ck_assert_int_eq(registry_logout(&host, &where, &more, &options, registry, NULL, NULL), 0);
	ck_assert_ptr_nonnull(where);
	ck_assert(!more);
	free(host);
	free(where);
	ck_assert_int_eq(registry_logout(&host, &where, &more, &options, registry, NULL, NULL), 0);
	ck_assert_ptr_null(where);
	free(host);
	login_clear(&right);
	fake_server_stop(server);
}
END_TEST

START_TEST(logout_tells_what_is_left)
{
	struct store_options options = STORE_OPTIONS_DEFAULT;

	write_sources();
	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
		char *host, *where;
		bool more;
		bool flat = i == 3;

		ck_assert_int_eq(
			registry_logout(&host, &where, &more, &options, HOST, NULL, NULL), 0);
		ck_assert_int_eq(where == NULL, flat);
		ck_assert(more);
		free(host);
		free(where);
	}
}
END_TEST

START_TEST(a_registry_that_isnt_there_stores_nothing)
{
	cleanup_with(login_clear) struct login_result result = login("127.0.0.1:1", "s");
	cleanup_with(login_clear) struct login_result bad = login("a/b/c", "s");

	ck_assert_int_eq(result.failed, -1);
	ck_assert_int_eq(result.err.kind, ERROR_REFUSED);
	ck_assert_int_eq(bad.failed, -1);
	ck_assert_int_eq(bad.err.kind, ERROR_INVALID);
	ck_assert_ptr_null(read_file(sources[0].file));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("credential_store");
	TCase *tests = add_case(suite, "credential_store");

	tcase_add_test(tests, stores_in_a_new_file);
	tcase_add_test(tests, stores_in_the_first_file_that_is_there);
	tcase_add_test(tests, a_named_file_is_where_to_store);
	tcase_add_test(tests, a_link_stays_a_link);
	tcase_add_test(tests, a_broken_file_is_left_alone);
	tcase_add_test(tests, stores_with_the_helper_that_is_named);
	tcase_add_test(tests, an_old_secret_doesnt_hide_the_helpers);
	tcase_add_test(tests, a_login_is_checked_first);
	tcase_add_test(tests, a_login_is_kept_until_the_logout);
	tcase_add_test(tests, logout_tells_what_is_left);
	tcase_add_test(tests, a_registry_that_isnt_there_stores_nothing);
	return run_suite(suite);
}
