#include "cancel.h"

#include <stddef.h>

void cancel_init(struct cancel *cancel)
{
	pthread_mutex_init(&cancel->lock, NULL);
	cancel->fired = false;
	cancel->watches = NULL;
}

void cancel_destroy(struct cancel *cancel)
{
	pthread_mutex_destroy(&cancel->lock);
}

void cancel_fire(struct cancel *cancel)
{
	pthread_mutex_lock(&cancel->lock);
	cancel->fired = true;
	while (cancel->watches) {
		struct cancel_watch *watch = cancel->watches;

		/* Still locked, so that cancel_unwatch() waits for fired() to return. */
		cancel->watches = watch->next;
		watch->link = NULL;
		watch->fired(watch->context);
	}
	pthread_mutex_unlock(&cancel->lock);
}

bool cancel_fired(struct cancel *cancel)
{
	if (!cancel)
		return false;
	pthread_mutex_lock(&cancel->lock);
	bool fired = cancel->fired;
	pthread_mutex_unlock(&cancel->lock);
	return fired;
}

bool cancel_watch(struct cancel *cancel, struct cancel_watch *watch)
{
	watch->link = NULL;
	if (!cancel)
		return false;
	pthread_mutex_lock(&cancel->lock);
	bool fired = cancel->fired;
	if (!fired) {
		watch->next = cancel->watches;
		watch->link = &cancel->watches;
		if (watch->next)
			watch->next->link = &watch->next;
		cancel->watches = watch;
	}
	pthread_mutex_unlock(&cancel->lock);
	return fired;
}

void cancel_unwatch(struct cancel *cancel, struct cancel_watch *watch)
{
	if (!cancel)
		return;
	pthread_mutex_lock(&cancel->lock);
	if (watch->link) {
		*watch->link = watch->next;
		if (watch->next)
			watch->next->link = watch->link;
		watch->link = NULL;
	}
	pthread_mutex_unlock(&cancel->lock);
}
