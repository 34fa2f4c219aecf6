#include "timer.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "registry/base/thread.h"

struct timer {
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t wake; /* the first task is another now, or the timer ends */
	pthread_cond_t done; /* a task has returned */
	struct timer_task *first; /* by time */
	struct timer_task *running;
	pthread_t thread;
	bool has_thread, closing;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void remove_task(struct timer *timer, struct timer_task *task)
{
	struct timer_task **link = &timer->first;

	if (!task->armed)
		return;
	while (*link != task)
		link = &(*link)->next;
	*link = task->next;
	task->armed = false;
}

static void insert_task(struct timer *timer, struct timer_task *task)
{
	struct timer_task **link = &timer->first;

	while (*link && (*link)->due_ms <= task->due_ms)
		link = &(*link)->next;
	task->next = *link;
	*link = task;
	task->armed = true;
}

/* Waits for the time of the first task, or for a change. */
static void wait_for_first(struct timer *timer)
{
	int64_t due = timer->first->due_ms;
	struct timespec until = {.tv_sec = due / 1000, .tv_nsec = due % 1000 * 1000000};

	pthread_cond_timedwait(&timer->wake, &timer->lock, &until);
}

static void run_first(struct timer *timer)
{
	struct timer_task *task = timer->first;
	void (*run)(void *context) = task->run;
	void *context = task->context;

	remove_task(timer, task);
	timer->running = task;
	pthread_mutex_unlock(&timer->lock);
	run(context); /* the task may be gone afterwards */
	pthread_mutex_lock(&timer->lock);
	timer->running = NULL;
	pthread_cond_broadcast(&timer->done);
}

static void *timer_thread(void *context)
{
	struct timer *timer = context;

	pthread_mutex_lock(&timer->lock);
	while (!timer->closing) {
		if (!timer->first)
			pthread_cond_wait(&timer->wake, &timer->lock);
		else if (timer->first->due_ms > now_ms())
			wait_for_first(timer);
		else
			run_first(timer);
	}
	pthread_mutex_unlock(&timer->lock);
	return NULL;
}

int timer_new(struct timer **out, struct error *err)
{
	struct timer *timer = calloc(1, sizeof *timer);
	pthread_condattr_t monotonic;

	*out = NULL;
	if (!timer)
		return error_set_memory(err);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&timer->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_cond_init(&timer->done, NULL);
	pthread_mutex_init(&timer->lock, NULL);
	*out = timer;
	return 0;
}

void timer_stop(struct timer *timer)
{
	struct timer_task *task;
	bool has_thread;

	pthread_mutex_lock(&timer->lock);
	timer->closing = true;
	has_thread = timer->has_thread;
	timer->has_thread = false;
	for (task = timer->first; task; task = task->next)
		task->armed = false;
	timer->first = NULL;
	pthread_cond_signal(&timer->wake);
	pthread_mutex_unlock(&timer->lock);
	if (has_thread)
		pthread_join(timer->thread, NULL);
}

void timer_free(struct timer *timer)
{
	if (!timer)
		return;
	timer_stop(timer);
	pthread_cond_destroy(&timer->wake);
	pthread_cond_destroy(&timer->done);
	pthread_mutex_destroy(&timer->lock);
	free(timer);
}

/* The thread is made for the first task; the lock is held. */
static int start_thread(struct timer *timer, struct error *err)
{
	int errnum = timer->has_thread ? 0 : thread_start(&timer->thread, timer_thread, timer);

	if (errnum)
		return error_set_errno(err, errnum, "can't start a thread");
	timer->has_thread = true;
	return 0;
}

int timer_arm(struct timer *timer, struct timer_task *task, int64_t delay_ms, struct error *err)
{
	int result = 0;

	pthread_mutex_lock(&timer->lock);
	if (!timer->closing)
		result = start_thread(timer, err);
	if (!timer->closing && !result) {
		remove_task(timer, task);
		task->due_ms = now_ms() + delay_ms;
		insert_task(timer, task);
		pthread_cond_signal(&timer->wake);
	}
	pthread_mutex_unlock(&timer->lock);
	return result;
}

void timer_disarm(struct timer *timer, struct timer_task *task)
{
	pthread_mutex_lock(&timer->lock);
	/* it may arm itself again while it runs */
	while (task->armed || timer->running == task) {
		remove_task(timer, task);
		if (timer->running == task)
			pthread_cond_wait(&timer->done, &timer->lock);
	}
	pthread_mutex_unlock(&timer->lock);
}
