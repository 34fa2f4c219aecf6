/* Mounts of one machine take turns. */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "fs/commit/turn.h"

#define PATIENCE_MS 60000

static char folder[32];
static char *path;

static void set_up(void)
{
	strcpy(folder, "/tmp/test_fs_turn.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	path = turn_path(folder, "localhost:5000/team/app:v1", NULL);
}

static void tear_down(void)
{
	char command[64];

	free(path);
	snprintf(command, sizeof command, "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0); /* NOLINT(cert-env33-c) */
}

#define WRITERS 4
#define TIMES 25

static int inside, most;

static void *write_often(void *unused)
{
	(void)unused;
	for (int i = 0; i < TIMES; i++) {
		struct turn turn = {.path = path, .wait_ms = PATIENCE_MS};

		ck_assert_int_eq(turn_begin(&turn, NULL, NULL), 0);
		if (++inside > most)
			most = inside;
		sched_yield();
		inside--;
		turn_end(&turn);
	}
	return NULL;
}

START_TEST(one_after_the_other)
{
	pthread_t threads[WRITERS];

	for (int i = 0; i < WRITERS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, write_often, NULL), 0);
	for (int i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(most, 1);
}
END_TEST

static void *fire(void *cancel)
{
	cancel_fire(cancel);
	return NULL;
}

START_TEST(wait_has_an_end)
{
	struct turn first = {.path = path, .wait_ms = PATIENCE_MS};
	struct turn second = {.path = path, .wait_ms = 20};
	struct error err = ERROR_INIT;
	struct cancel cancel;
	pthread_t thread;

	ck_assert_int_eq(turn_begin(&first, NULL, NULL), 0);
	/* it goes on without */
	ck_assert_int_eq(turn_begin(&second, NULL, NULL), 0);
	turn_end(&second);
	/* and a signal ends it */
	second.wait_ms = PATIENCE_MS;
	cancel_init(&cancel);
	ck_assert_int_eq(pthread_create(&thread, NULL, fire, &cancel), 0);
	ck_assert_int_eq(turn_begin(&second, &cancel, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_INTERRUPTED);
	ck_assert_int_eq(second.fd, -1);
	pthread_join(thread, NULL);
	cancel_destroy(&cancel);
	turn_end(&first);
}
END_TEST

START_TEST(nobody_depends_on_it)
{
	struct turn none = {.path = NULL}, bad = {.path = "/proc/no/such/file", .wait_ms = 20};
	cleanup_free char *elsewhere = turn_path("/proc/no", "x", NULL);

	ck_assert_int_eq(turn_begin(&none, NULL, NULL), 0);
	turn_end(&none);
	ck_assert_int_eq(turn_begin(&bad, NULL, NULL), 0);
	turn_end(&bad);
	ck_assert_ptr_nonnull(elsewhere);
}
END_TEST

START_TEST(names_share_a_few_files)
{
	cleanup_free char *again = turn_path(folder, "localhost:5000/team/app:v1", NULL);
	cleanup_free char *other = turn_path(folder, "localhost:5000/team/app:v2", NULL);

	ck_assert_str_eq(path, again);
	ck_assert_str_ne(path, other);
	ck_assert_uint_eq(strlen(path), strlen(folder) + strlen("/turns/") + 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("turn");
	TCase *tcase = tcase_create("turn");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, one_after_the_other);
	tcase_add_test(tcase, wait_has_an_end);
	tcase_add_test(tcase, nobody_depends_on_it);
	tcase_add_test(tcase, names_share_a_few_files);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
