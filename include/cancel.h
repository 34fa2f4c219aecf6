/*
 * cancel.h - ends a wait from outside: a FUSE interrupt, a shutdown.
 *
 * One token may be given to any number of blocking calls, on any threads. Firing it makes each of
 * them return ERROR_INTERRUPTED soon. A token is never un-fired. Thread-safe.
 */
#ifndef INDEXFS_CANCEL_H
#define INDEXFS_CANCEL_H

#include <pthread.h>
#include <stdbool.h>

struct cancel_watch {
	/* Called at most once, on the firing thread, with the token locked: it must not block and
	 * must not touch the token. */
	void (*fired)(void *context);
	void *context;
	struct cancel_watch *next, **link;
};

struct cancel {
	pthread_mutex_t lock;
	bool fired;
	struct cancel_watch *watches;
};

void cancel_init(struct cancel *cancel);
void cancel_destroy(struct cancel *cancel);
void cancel_fire(struct cancel *cancel);

/* cancel may be NULL in both: nothing will ever fire. */
bool cancel_fired(struct cancel *cancel);

/* Watches until cancel_unwatch(), which returns only when watch->fired isn't running and won't
 * run again. If the token has fired already, returns true and registers nothing. */
bool cancel_watch(struct cancel *cancel, struct cancel_watch *watch);
void cancel_unwatch(struct cancel *cancel, struct cancel_watch *watch);

#endif
