/*
 * wait.h - one thread waits, another wakes it.
 */
#ifndef INDEXFS_HTTP_WAIT_H
#define INDEXFS_HTTP_WAIT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "cancel.h"
#include "error.h"

struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool woken;
};

void waiter_init(struct waiter *waiter);
void waiter_destroy(struct waiter *waiter);
void waiter_wake(struct waiter *waiter);
void waiter_wait(struct waiter *waiter);

/* Sleeps, or fails with ERROR_INTERRUPTED as soon as the token fires. */
int cancel_sleep(struct cancel *cancel, int64_t milliseconds, struct error *err);

#endif
