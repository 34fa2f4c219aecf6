#include "registry/http/wait.h"

#include <errno.h>
#include <time.h>

void waiter_init(struct waiter *waiter)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_mutex_init(&waiter->lock, NULL);
	pthread_cond_init(&waiter->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	waiter->woken = false;
}

void waiter_destroy(struct waiter *waiter)
{
	pthread_cond_destroy(&waiter->changed);
	pthread_mutex_destroy(&waiter->lock);
}

/* Signals with the lock held: the waiter may be gone as soon as it is released. */
void waiter_wake(struct waiter *waiter)
{
	pthread_mutex_lock(&waiter->lock);
	waiter->woken = true;
	pthread_cond_signal(&waiter->changed);
	pthread_mutex_unlock(&waiter->lock);
}

void waiter_wait(struct waiter *waiter)
{
	pthread_mutex_lock(&waiter->lock);
	while (!waiter->woken)
		pthread_cond_wait(&waiter->changed, &waiter->lock);
	pthread_mutex_unlock(&waiter->lock);
}

/* Whether it was woken before so many milliseconds have passed. */
static bool waiter_wait_for(struct waiter *waiter, int64_t milliseconds)
{
	struct timespec until;
	bool woken;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += milliseconds % 1000 * 1000000;
	until.tv_sec += milliseconds / 1000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&waiter->lock);
	while (!waiter->woken) {
		if (pthread_cond_timedwait(&waiter->changed, &waiter->lock, &until) == ETIMEDOUT)
			break;
	}
	woken = waiter->woken;
	pthread_mutex_unlock(&waiter->lock);
	return woken;
}

static void sleep_ended(void *context)
{
	waiter_wake(context);
}

int cancel_sleep(struct cancel *cancel, int64_t milliseconds, struct error *err)
{
	struct waiter waiter;
	struct cancel_watch watch = {.fired = sleep_ended, .context = &waiter};
	bool fired;

	waiter_init(&waiter);
	fired = cancel_watch(cancel, &watch);
	if (!fired) {
		fired = waiter_wait_for(&waiter, milliseconds);
		cancel_unwatch(cancel, &watch);
	}
	waiter_destroy(&waiter);
	return fired ? error_set(err, ERROR_INTERRUPTED, "interrupted") : 0;
}
