/*
 * timer.h - a thread that calls functions when their time has come.
 *
 * One thread for all that happens later: what it calls must not block (it hands work to a pool).
 * The thread is made when something is armed first. Thread-safe.
 */
#ifndef INDEXFS_TIMER_H
#define INDEXFS_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

struct timer;

/* Something to be called later. The memory is the caller's, zeroed before its first use, and stays
 * until it is disarmed or was called. */
struct timer_task {
	void (*run)(void *context);
	void *context;
	/* the timer's */
	int64_t due_ms;
	bool armed;
	struct timer_task *next;
};

int timer_new(struct timer **out, struct error *err);

/* What is armed isn't called any more, nothing is under way afterwards, and arming does nothing. */
void timer_stop(struct timer *timer);
void timer_free(struct timer *timer);

/* Calls task->run in delay_ms milliseconds, once (at once where they are negative: what is longest
 * due first); a task that is armed already is put off, or brought forward, to then. May be called
 * from a task. ERROR_SYSTEM where no thread can be had: then it isn't armed. */
int timer_arm(struct timer *timer, struct timer_task *task, int64_t delay_ms, struct error *err);

/* The task isn't called any more, and isn't being called, when this returns. Not from a task, and
 * with no lock held that the task takes. */
void timer_disarm(struct timer *timer, struct timer_task *task);

#endif
