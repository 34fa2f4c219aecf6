#include "credentials_fixture.h"

#include <pthread.h>
#include <signal.h>

#include "patience.h"
#include "registry/http/program.h"

START_TEST(a_helper_is_asked)
{
	const struct credential_options options = {.authfile = NULL};
	struct credential credential;
	cleanup_free char *asked = NULL, *told = NULL;
	struct error err = ERROR_INIT;

	use_helper(SCRIPT
		"echo \"$1 $(cat)\" >$TEST_FOLDER/asked\n"
		"echo 'the word is open-sesame!' >&2\n"
		"echo '{\"ServerURL\":\"x\",\"Username\":\"ann\",\"Secret\":\"open-sesame\"}'\n");
	ck_assert_msg(
		find_told(&credential, &options, HOST, "me", &told, &err) == 0, "%s", err.message);
	ck_assert_str_eq(credential.username, "ann");
	ck_assert_str_eq(credential.password, "open-sesame");
	ck_assert_ptr_null(credential.identity_token);
	credential_clear(&credential);
	asked = read_file("asked");
	ck_assert_str_eq(asked, "get " HOST "\n");
	ck_assert_ptr_nonnull(strstr(told, "docker-credential-test: the word is ***!"));
	ck_assert_ptr_null(strstr(told, "open-sesame"));
}
END_TEST

START_TEST(a_helper_may_have_a_token)
{
	const struct credential_options options = {.authfile = NULL};
	struct credential credential;

	use_helper(SCRIPT "echo '{\"Username\":\"<token>\",\"Secret\":\"open-sesame\"}'\n");
	ck_assert_int_eq(find_told(&credential, &options, HOST, "me", NULL, NULL), 0);
	ck_assert_ptr_null(credential.username);
	ck_assert_ptr_null(credential.password);
	ck_assert_str_eq(credential.identity_token, "open-sesame");
	credential_clear(&credential);
}
END_TEST

START_TEST(a_helper_may_know_nothing)
{
	write_sources();
	use_helper(SCRIPT "echo 'credentials not found in native keychain'\nexit 1\n");
	expect_user("config");
	use_helper(SCRIPT "echo 'credentials not found in native keychain' >&2\nexit 1\n");
	expect_user("config");
	use_helper(SCRIPT "echo '{}'\n");
	expect_user("config");
}
END_TEST

START_TEST(a_helper_that_fails_is_told)
{
	use_helper(SCRIPT "echo 'the keychain is locked'\nexit 3\n");
	expect_error(
		ERROR_DENIED, "docker-credential-test: it failed (exit status 3): the keychain");
	use_helper(SCRIPT "echo 'no bus' >&2\nexit 1\n");
	expect_error(ERROR_DENIED, "(exit status 1): no bus");
	use_helper(SCRIPT "kill -SEGV $$\n");
	expect_error(ERROR_DENIED, "(exit status 139)");
	use_helper(SCRIPT "echo sesame\n");
	expect_error(ERROR_DENIED, "docker-credential-test: its answer: line 1, column 1: ");
	use_helper("not a program");
	expect_error(ERROR_DENIED, "docker-credential-test: ");
	/* what could be a secret isn't quoted */
	use_helper(SCRIPT "echo '{\"Secret\":\"sesame\"'\nexit 1\n");
	expect_error(ERROR_DENIED, "(exit status 1)");
}
END_TEST

START_TEST(names_lead_nowhere_else)
{
	write_file("bin/docker-credential-test", 0700, SCRIPT "touch $TEST_FOLDER/ran\n");
	write_file(sources[0].file, 0600, "{\"credHelpers\":{\"" HOST "\":\"x/../test\"}}");
	expect_error(ERROR_DENIED, "can't be a credential helper's name");
	write_file(sources[0].file, 0600, "{\"credHelpers\":{\"" HOST "\":\"test; touch x\"}}");
	expect_error(ERROR_DENIED, "can't be a credential helper's name");
	ck_assert_ptr_null(read_file("ran"));
}
END_TEST

START_TEST(a_missing_helper_matters_where_it_was_named)
{
	const struct credential_options options = {.authfile = NULL};
	struct credential credential;
	cleanup_free char *told = NULL;

	write_file(sources[0].file, 0600, "{\"credHelpers\":{\"" HOST "\":\"nowhere\"}}");
	expect_error(ERROR_DENIED, "docker-credential-nowhere: no such program on PATH");
	write_file(sources[0].file, 0600, "{\"credsStore\":\"nowhere\"}");
	ck_assert_int_eq(find_told(&credential, &options, HOST, "me", &told, NULL), 0);
	ck_assert_ptr_null(credential.username);
	ck_assert_ptr_nonnull(strstr(told, "docker-credential-nowhere: no such program on PATH"));
}
END_TEST

START_TEST(a_helper_that_hangs_is_killed)
{
	use_helper(SCRIPT
		"sleep 300 &\necho $! >$TEST_FOLDER/child\necho $$ >$TEST_FOLDER/me\nwait\n");
	expect_error(ERROR_TIMEOUT, "docker-credential-test: it doesn't end");
	ck_assert(shell_run("cd \"$1\"; ! kill -0 $(cat me) 2>/dev/null", folder));
	/* the child is somebody else's to wait for now: it may still be a zombie */
	ck_assert(shell_run(
		"cd \"$1\"; s=$(sed -n 's/^State:.\\(.\\).*/\\1/p' /proc/$(cat child)/status "
		"2>/dev/null); [ -z \"$s\" ] || [ \"$s\" = Z ]",
		folder));
}
END_TEST

START_TEST(a_helper_that_floods_is_killed)
{
	use_helper(SCRIPT "exec cat /dev/zero\n");
	expect_error(ERROR_DENIED, "docker-credential-test: it says more than 64 KiB");
	use_helper(SCRIPT "exec cat /dev/zero >&2\n");
	expect_error(ERROR_DENIED, "docker-credential-test: it says more than 64 KiB");
}
END_TEST

START_TEST(what_a_helper_leaves_running_isnt_waited_for)
{
	use_helper(SCRIPT "sleep 300 &\necho $! >$TEST_FOLDER/child\n"
			  "echo '{\"Username\":\"ann\",\"Secret\":\"s\"}'\n");
	expect_user("ann");
	ck_assert(shell_run("kill $(cat \"$1/child\")", folder));
}
END_TEST

static void *fire_soon(void *cancel)
{
	usleep(200000);
	cancel_fire(cancel);
	return NULL;
}

START_TEST(waiting_for_a_helper_can_be_cancelled)
{
	const struct credential_options options = {.authfile = NULL};
	struct credential credential = CREDENTIAL_INIT;
	struct credentials *credentials;
	struct cancel cancel;
	struct error err = ERROR_INIT;
	pthread_t thread;

	use_helper(SCRIPT "sleep 300\n");
	cancel_init(&cancel);
	ck_assert_int_eq(credentials_open(&credentials, &options, NULL, NULL), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, fire_soon, &cancel), 0);
	ck_assert_int_eq(credentials_find(credentials, &credential, HOST, NULL, &cancel, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_INTERRUPTED);
	pthread_join(thread, NULL);
	credentials_free(credentials);
	cancel_destroy(&cancel);
}
END_TEST

START_TEST(a_helper_inherits_nothing)
{
	cleanup_free char *seen = NULL;
	int extra = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */
	sigset_t all;

	ck_assert_int_ge(extra, 3);
	setenv("INDEXFS_PASSWORD", "open-sesame", 1);
	setenv("INDEXFS_PASSWORD_2", "kept", 1);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	signal(SIGPIPE, SIG_IGN);
	/* what a shell does itself, it does with the signals that it was given */
	use_helper(SCRIPT "while read -r name value; do case $name in\n"
			  "    SigBlk:|SigIgn:) echo \"$name $value\" ;;\n"
			  "esac; done </proc/$$/status >$TEST_FOLDER/seen\n"
			  "{ env; ls /proc/$$/fd; } >>$TEST_FOLDER/seen\n"
			  "echo '{\"Username\":\"ann\",\"Secret\":\"s\"}'\n");
	expect_user("ann");
	seen = read_file("seen");
	ck_assert_ptr_null(strstr(seen, "open-sesame"));
	ck_assert_ptr_nonnull(strstr(seen, "INDEXFS_PASSWORD_2=kept"));
	ck_assert_ptr_nonnull(strstr(seen, "SigBlk: 0000000000000000"));
	/* without the two that glibc keeps for itself */
	ck_assert_uint_eq(strtoul(strstr(seen, "SigIgn:") + 8, NULL, 16) & 0x7fffffff, 0);
	char name[16];
	snprintf(name, sizeof(name), "\n%d\n", extra);
	ck_assert_msg(strstr(seen, name) == NULL, "%s", seen);
	close(extra);
	pthread_sigmask(SIG_UNBLOCK, &all, NULL);
	signal(SIGPIPE, SIG_DFL);
	unsetenv("INDEXFS_PASSWORD");
	unsetenv("INDEXFS_PASSWORD_2");
}
END_TEST

START_TEST(a_program_gets_all_of_its_input)
{
	const char *const argv[] = {"wc", "-c", NULL};
	struct program_result result = PROGRAM_RESULT_INIT;
	struct buf input = BUF_INIT(1 << 20);

	for (int i = 0; i < 200000; i++)
		ck_assert_int_eq(buf_append(&input, "x", 1), 0);
	ck_assert_int_eq(program_run(&result, argv, &input, AMPLE_TIMEOUT * 1000, NULL, NULL), 0);
	ck_assert_int_eq(result.exit_status, 0);
	ck_assert_int_eq(strtol(result.output, NULL, 10), 200000);
	program_result_clear(&result);
	buf_free(&input);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("credential_helper");
	TCase *tests = add_case(suite, "credential_helper");

	tcase_add_test(tests, a_helper_is_asked);
	tcase_add_test(tests, a_helper_may_have_a_token);
	tcase_add_test(tests, a_helper_may_know_nothing);
	tcase_add_test(tests, a_helper_that_fails_is_told);
	tcase_add_test(tests, names_lead_nowhere_else);
	tcase_add_test(tests, a_missing_helper_matters_where_it_was_named);
	tcase_add_test(tests, a_helper_that_hangs_is_killed);
	tcase_add_test(tests, a_helper_that_floods_is_killed);
	tcase_add_test(tests, what_a_helper_leaves_running_isnt_waited_for);
	tcase_add_test(tests, waiting_for_a_helper_can_be_cancelled);
	tcase_add_test(tests, a_helper_inherits_nothing);
	tcase_add_test(tests, a_program_gets_all_of_its_input);
	return run_suite(suite);
}
