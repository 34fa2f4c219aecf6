#include "registry/sender.h"

#include <stdlib.h>

/* Somebody who wants a blob to be there. */
struct want {
	struct cancel_watch watch;
	struct sender *sender;
	bool fired;
};

enum turn { TURN_MINE, TURN_DONE, TURN_GIVEN_UP };

int sender_new(struct sender **out, struct store *store, struct error *err)
{
	struct sender *sender = calloc(1, sizeof *sender);

	*out = sender;
	if (!sender)
		return error_set_memory(err);
	sender->store = store;
	pthread_mutex_init(&sender->lock, NULL);
	pthread_cond_init(&sender->changed, NULL);
	return 0;
}

void sender_free(struct sender *sender)
{
	if (!sender)
		return;
	pthread_cond_destroy(&sender->changed);
	pthread_mutex_destroy(&sender->lock);
	free(sender);
}

static struct flight *flight_find(const struct sender *sender, const struct digest *digest)
{
	struct flight *flight = sender->flights;

	while (flight && !digest_equal(&flight->digest, digest))
		flight = flight->next;
	return flight;
}

static void flight_release(struct flight *flight)
{
	if (--flight->holders == 0)
		free(flight);
}

static void flight_begin(struct sender *sender, struct flight *flight)
{
	flight->next = sender->flights;
	sender->flights = flight;
	sender->count++;
}

static void flight_end(struct sender *sender, struct flight *flight, bool succeeded)
{
	struct flight **link = &sender->flights;

	pthread_mutex_lock(&sender->lock);
	while (*link != flight)
		link = &(*link)->next;
	*link = flight->next;
	sender->count--;
	flight->ended = true;
	flight->succeeded = succeeded;
	pthread_cond_broadcast(&sender->changed);
	flight_release(flight);
	pthread_mutex_unlock(&sender->lock);
}

/* Waits for another's transfer: whether the blob is there now. */
static bool flight_follow(struct sender *sender, struct flight *flight, const struct want *want)
{
	bool succeeded;

	flight->holders++;
	while (!flight->ended && !want->fired)
		pthread_cond_wait(&sender->changed, &sender->lock);
	succeeded = flight->succeeded;
	flight_release(flight);
	return succeeded;
}

/* Waits, with the lock held, until the blob is there or it's the caller's turn to send it: then
 * that has begun. */
static enum turn turn_take(struct sender *sender, struct flight *mine, const struct want *want)
{
	while (!want->fired) {
		struct flight *flight = flight_find(sender, &mine->digest);

		if (flight && flight_follow(sender, flight, want))
			return TURN_DONE;
		if (flight)
			continue;
		if (sender->count < sender->store->jobs) {
			flight_begin(sender, mine);
			return TURN_MINE;
		}
		pthread_cond_wait(&sender->changed, &sender->lock);
	}
	return TURN_GIVEN_UP;
}

static void want_fired(void *context)
{
	struct want *want = context;

	pthread_mutex_lock(&want->sender->lock);
	want->fired = true;
	pthread_cond_broadcast(&want->sender->changed);
	pthread_mutex_unlock(&want->sender->lock);
}

static enum turn turn_wait(struct sender *sender, struct flight *mine, struct cancel *cancel)
{
	struct want want = {.watch = {.fired = want_fired, .context = &want}, .sender = sender};
	bool fired = cancel_watch(cancel, &want.watch);
	enum turn turn;

	pthread_mutex_lock(&sender->lock);
	want.fired |= fired;
	turn = turn_take(sender, mine, &want);
	pthread_mutex_unlock(&sender->lock);
	cancel_unwatch(cancel, &want.watch);
	return turn;
}

static void flight_progress(void *context, int64_t sent)
{
	struct flight *flight = context;

	atomic_store(&flight->sent, sent);
	if (flight->source->progress)
		flight->source->progress(flight->source->context, sent);
}

static int flight_send(
	struct sender *sender, struct flight *flight, struct cancel *cancel, struct error *err)
{
	struct store_source source = *flight->source;
	int result;

	source.progress = flight_progress;
	source.context = flight;
	result = sender->store->ops->blob_put(sender->store, &flight->digest, &source, cancel, err);
	flight_end(sender, flight, !result);
	return result;
}

int sender_put(struct sender *sender, const struct digest *digest,
	const struct store_source *source, struct cancel *cancel, struct error *err)
{
	struct flight *mine = calloc(1, sizeof *mine);

	if (!mine)
		return error_set_memory(err);
	mine->digest = *digest;
	mine->source = source;
	mine->holders = 1;
	switch (turn_wait(sender, mine, cancel)) {
	case TURN_MINE:
		return flight_send(sender, mine, cancel, err);
	case TURN_DONE:
		free(mine);
		return 0;
	default:
		free(mine);
		return error_set(err, ERROR_INTERRUPTED, "interrupted");
	}
}

bool sender_sending(struct sender *sender, const struct digest *digest, int64_t *sent)
{
	struct flight *flight;

	pthread_mutex_lock(&sender->lock);
	flight = flight_find(sender, digest);
	if (flight)
		*sent = atomic_load(&flight->sent);
	pthread_mutex_unlock(&sender->lock);
	return flight != NULL;
}
