#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cancel.h"
#include "error.h"
#include "parallel.h"
#include "patience.h"
#include "pool.h"

static void sleep_ms(long ms)
{
	struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&time, NULL);
}

static void count(void *context)
{
	atomic_fetch_add((atomic_int *)context, 1);
}

START_TEST(cancel_tells_watches_once)
{
	struct cancel cancel;
	atomic_int told[3] = {0, 0, 0};
	struct cancel_watch watches[3];

	cancel_init(&cancel);
	ck_assert(!cancel_fired(&cancel));
	for (int i = 0; i < 3; i++) {
		watches[i] = (struct cancel_watch){.fired = count, .context = &told[i]};
		ck_assert(!cancel_watch(&cancel, &watches[i]));
	}
	cancel_unwatch(&cancel, &watches[1]);
	cancel_fire(&cancel);
	cancel_fire(&cancel);
	ck_assert(cancel_fired(&cancel));
	ck_assert_int_eq(told[0], 1);
	ck_assert_int_eq(told[1], 0);
	ck_assert_int_eq(told[2], 1);
	cancel_unwatch(&cancel, &watches[0]);
	ck_assert(cancel_watch(&cancel, &watches[1]));
	cancel_unwatch(&cancel, &watches[1]);
	ck_assert_int_eq(told[1], 0);
	cancel_destroy(&cancel);
}
END_TEST

START_TEST(cancel_may_be_null)
{
	atomic_int told = 0;
	struct cancel_watch watch = {.fired = count, .context = &told};

	ck_assert(!cancel_fired(NULL));
	ck_assert(!cancel_watch(NULL, &watch));
	cancel_unwatch(NULL, &watch);
	ck_assert_int_eq(told, 0);
}
END_TEST

struct slow_watch {
	atomic_bool begun, ended;
};

static void fired_slowly(void *context)
{
	struct slow_watch *slow = context;

	slow->begun = true;
	sleep_ms(50);
	slow->ended = true;
}

static void *fire(void *context)
{
	cancel_fire(context);
	return NULL;
}

START_TEST(cancel_unwatch_waits)
{
	struct cancel cancel;
	struct slow_watch slow = {false, false};
	struct cancel_watch watch = {.fired = fired_slowly, .context = &slow};
	pthread_t thread;

	cancel_init(&cancel);
	ck_assert(!cancel_watch(&cancel, &watch));
	ck_assert_int_eq(pthread_create(&thread, NULL, fire, &cancel), 0);
	await(slow.begun);
	cancel_unwatch(&cancel, &watch);
	ck_assert(slow.ended);
	pthread_join(thread, NULL);
	cancel_destroy(&cancel);
}
END_TEST

#define ITEMS 100

struct parallel_state {
	atomic_int done[ITEMS];
	atomic_int running, most;
	int together; /* nobody goes on before so many have run at once */
	atomic_bool signals_open; /* another thread would take signals */
	pthread_t caller;
	size_t fail_at;
	atomic_bool fails;
};

static void see_running(atomic_int *running, atomic_int *most)
{
	int now = atomic_fetch_add(running, 1) + 1;
	int seen = *most;

	while (now > seen && !atomic_compare_exchange_weak(most, &seen, now))
		;
}

static bool takes_signals(void)
{
	sigset_t mask;

	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	return !sigismember(&mask, SIGTERM) || !sigismember(&mask, SIGINT);
}

static int parallel_work(void *context, size_t i, struct error *err)
{
	struct parallel_state *state = context;

	see_running(&state->running, &state->most);
	for (int tries = 0; state->most < state->together && tries < AMPLE_TIMEOUT * 1000; tries++)
		sleep_ms(1);
	if (!pthread_equal(pthread_self(), state->caller) && takes_signals())
		state->signals_open = true;
	atomic_fetch_add(&state->done[i], 1);
	/* Time to be stopped, where an error does that. */
	sleep_ms(state->fails ? 200 : 1);
	atomic_fetch_sub(&state->running, 1);
	if (i == state->fail_at) {
		state->fails = true;
		return error_set(err, ERROR_QUOTA, "item %zu", i);
	}
	return 0;
}

START_TEST(parallel_does_each_once)
{
	static const int jobs[] = {-1, 1, 2, 4, 1000};
	struct parallel_state state = {
		.caller = pthread_self(), .fail_at = ITEMS, .together = jobs[_i] > 1 ? 2 : 1};
	struct error err = ERROR_INIT;

	ck_assert_int_eq(parallel_for(ITEMS, jobs[_i], parallel_work, &state, &err), 0);
	ck_assert(!error_is_set(&err));
	for (int i = 0; i < ITEMS; i++)
		ck_assert_int_eq(state.done[i], 1);
	ck_assert_int_le(state.most, jobs[_i] > 1 ? jobs[_i] : 1);
	if (jobs[_i] > 1)
		ck_assert_int_ge(state.most, 2);
	ck_assert(!state.signals_open);
	ck_assert(takes_signals());
}
END_TEST

START_TEST(parallel_stops_at_an_error)
{
	struct parallel_state state = {.caller = pthread_self(), .fail_at = 10};
	struct error err = ERROR_INIT;

	ck_assert_int_eq(parallel_for(ITEMS, 3, parallel_work, &state, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_QUOTA);
	ck_assert_str_eq(err.message, "item 10");
	int done = 0;
	for (int i = 0; i < ITEMS; i++)
		done += state.done[i];
	ck_assert_int_ge(done, 11);
	ck_assert_int_le(done, 30);
	ck_assert_int_eq(parallel_for(0, 3, parallel_work, &state, NULL), 0);
}
END_TEST

struct pool_state {
	atomic_int done, running, most;
	atomic_bool signals_open;
	pthread_mutex_t gate;
};

static void pool_work(void *context)
{
	struct pool_state *state = context;

	see_running(&state->running, &state->most);
	if (takes_signals())
		state->signals_open = true;
	pthread_mutex_lock(&state->gate);
	pthread_mutex_unlock(&state->gate);
	atomic_fetch_sub(&state->running, 1);
	atomic_fetch_add(&state->done, 1);
}

START_TEST(pool_runs_all_with_few_threads)
{
	struct pool_state state = {.gate = PTHREAD_MUTEX_INITIALIZER};
	struct error err = ERROR_INIT;
	struct pool *pool;

	ck_assert_int_eq(pool_new(&pool, 3, &err), 0);
	pthread_mutex_lock(&state.gate);
	for (int i = 0; i < 200; i++)
		ck_assert_int_eq(pool_submit(pool, pool_work, &state, &err), 0);
	await(state.running == 3);
	pthread_mutex_unlock(&state.gate);
	pool_free(pool);
	ck_assert_int_eq(state.done, 200);
	ck_assert_int_eq(state.most, 3);
	ck_assert(!state.signals_open);
}
END_TEST

static size_t thread_count(void)
{
	char line[128];
	size_t threads = 0;
	FILE *status = fopen("/proc/self/status", "r");

	ck_assert_ptr_nonnull(status);
	while (fgets(line, sizeof(line), status))
		if (strncmp(line, "Threads:", strlen("Threads:")) == 0)
			threads = strtoul(line + strlen("Threads:"), NULL, 10);
	fclose(status);
	return threads;
}

START_TEST(pool_holds_no_idle_threads)
{
	struct pool_state state = {.gate = PTHREAD_MUTEX_INITIALIZER};
	struct pool *pool;
	struct error err = ERROR_INIT;
	struct parallel_state first = {.caller = pthread_self(), .fail_at = ITEMS};

	/* A sanitizer makes a thread of its own beside the first one. */
	ck_assert_int_eq(parallel_for(2, 2, parallel_work, &first, &err), 0);
	size_t before = thread_count();
	ck_assert_int_eq(pool_new(&pool, 4, NULL), 0);
	ck_assert_uint_eq(thread_count(), before);
	for (int done = 4; done <= 8; done += 4) {
		for (int i = 0; i < 4; i++)
			ck_assert_int_eq(pool_submit(pool, pool_work, &state, NULL), 0);
		await(state.done == done);
		ck_assert_uint_gt(thread_count(), before);
		await(thread_count() == before);
	}
	pool_free(pool);
	pool_free(NULL);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("threads");
	TCase *threads = tcase_create("all");

	tcase_set_timeout(threads, 60);
	tcase_add_test(threads, cancel_tells_watches_once);
	tcase_add_test(threads, cancel_may_be_null);
	tcase_add_test(threads, cancel_unwatch_waits);
	tcase_add_loop_test(threads, parallel_does_each_once, 0, 5);
	tcase_add_test(threads, parallel_stops_at_an_error);
	tcase_add_test(threads, pool_runs_all_with_few_threads);
	tcase_add_test(threads, pool_holds_no_idle_threads);
	suite_add_tcase(suite, threads);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(make_suite());

	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
