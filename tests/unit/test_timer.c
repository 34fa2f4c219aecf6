#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "timer.h"

static struct timer *timer;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static char called[16];
static int calls;

static void note(char name)
{
	pthread_mutex_lock(&lock);
	called[calls++ % sizeof called] = name;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static void note_it(void *context)
{
	note(*(const char *)context);
}

static void wait_for_calls(int count)
{
	pthread_mutex_lock(&lock);
	while (calls < count)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

static void setup(void)
{
	calls = 0;
	ck_assert_int_eq(timer_new(&timer, NULL), 0);
}

static struct timer_task task_of(const char *name)
{
	return (struct timer_task){.run = note_it, .context = (void *)name};
}

static bool held;

static void hold(void *context)
{
	(void)context;
	pthread_mutex_lock(&lock);
	held = true;
	pthread_cond_broadcast(&changed);
	while (held)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

/* The timer calls nothing until it is let go: it is within a task. */
static void hold_timer(struct timer_task *task)
{
	*task = (struct timer_task){.run = hold};
	ck_assert_int_eq(timer_arm(timer, task, 0, NULL), 0);
	pthread_mutex_lock(&lock);
	while (!held)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

static void let_timer_go(void)
{
	pthread_mutex_lock(&lock);
	held = false;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

START_TEST(tasks_are_called_in_the_order_of_their_times)
{
	struct timer_task a = task_of("a"), b = task_of("b"), c = task_of("c"), holder;

	hold_timer(&holder);
	ck_assert_int_eq(timer_arm(timer, &c, 30, NULL), 0);
	ck_assert_int_eq(timer_arm(timer, &a, -7200000, NULL), 0);
	ck_assert_int_eq(timer_arm(timer, &b, -3600000, NULL), 0);
	let_timer_go();
	wait_for_calls(3);
	timer_free(timer);
	ck_assert_int_eq(calls, 3);
	ck_assert_int_eq(memcmp(called, "abc", 3), 0);
}
END_TEST

START_TEST(a_task_is_called_in_its_time)
{
	struct timer_task a = task_of("a");
	struct timespec start, end;

	clock_gettime(CLOCK_MONOTONIC, &start);
	ck_assert_int_eq(timer_arm(timer, &a, 50, NULL), 0);
	wait_for_calls(1);
	clock_gettime(CLOCK_MONOTONIC, &end);
	timer_free(timer);
	ck_assert_int_ge(
		(end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000, 49);
}
END_TEST

START_TEST(arming_again_moves_a_task)
{
	struct timer_task a = task_of("a"), b = task_of("b"), holder;

	hold_timer(&holder);
	ck_assert_int_eq(timer_arm(timer, &a, 3600000, NULL), 0);
	ck_assert_int_eq(timer_arm(timer, &b, -3600000, NULL), 0);
	ck_assert_int_eq(timer_arm(timer, &a, -7200000, NULL), 0);
	let_timer_go();
	wait_for_calls(2);
	timer_free(timer);
	ck_assert_int_eq(calls, 2);
	ck_assert_int_eq(memcmp(called, "ab", 2), 0);
}
END_TEST

START_TEST(what_is_disarmed_is_not_called)
{
	struct timer_task a = task_of("a"), b = task_of("b"), holder;

	hold_timer(&holder);
	ck_assert_int_eq(timer_arm(timer, &a, 0, NULL), 0);
	ck_assert_int_eq(timer_arm(timer, &b, 30, NULL), 0);
	timer_disarm(timer, &a);
	timer_disarm(timer, &a);
	let_timer_go();
	wait_for_calls(1);
	timer_free(timer);
	ck_assert_int_eq(calls, 1);
	ck_assert_int_eq(called[0], 'b');
}
END_TEST

static struct timer_task again;

static void note_and_arm(void *context)
{
	(void)context;
	note('r');
	timer_arm(timer, &again, 1, NULL);
}

START_TEST(a_task_that_arms_itself_can_be_disarmed)
{
	int before;

	again = (struct timer_task){.run = note_and_arm};
	ck_assert_int_eq(timer_arm(timer, &again, 0, NULL), 0);
	wait_for_calls(3);
	timer_disarm(timer, &again);
	before = calls;
	ck_assert(!again.armed);
	usleep(20000);
	ck_assert_int_eq(calls, before);
	timer_free(timer);
}
END_TEST

START_TEST(the_end_calls_nothing_more)
{
	struct timer_task a = task_of("a");

	ck_assert_int_eq(timer_arm(timer, &a, 3600000, NULL), 0);
	timer_stop(timer);
	ck_assert(!a.armed);
	ck_assert_int_eq(timer_arm(timer, &a, 0, NULL), 0);
	ck_assert(!a.armed);
	timer_disarm(timer, &a);
	timer_free(timer);
	ck_assert_int_eq(calls, 0);
}
END_TEST

START_TEST(it_may_never_be_used)
{
	timer_free(timer);
	timer_free(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("timer");
	TCase *tcase = tcase_create("timer");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, tasks_are_called_in_the_order_of_their_times);
	tcase_add_test(tcase, a_task_is_called_in_its_time);
	tcase_add_test(tcase, arming_again_moves_a_task);
	tcase_add_test(tcase, what_is_disarmed_is_not_called);
	tcase_add_test(tcase, a_task_that_arms_itself_can_be_disarmed);
	tcase_add_test(tcase, the_end_calls_nothing_more);
	tcase_add_test(tcase, it_may_never_be_used);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
