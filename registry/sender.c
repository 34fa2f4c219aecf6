#include "registry/sender.h"

#include <stdlib.h>

/* Somebody who wants a blob to be there. */
struct want {
	struct cancel_watch watch;
	struct sender *sender;
	bool fired;
};

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

static void flight_end(struct sender *sender, struct flight *flight, const struct error *error)
{
	struct flight **link = &sender->flights;

	pthread_mutex_lock(&sender->lock);
	while (*link != flight)
		link = &(*link)->next;
	*link = flight->next;
	sender->count--;
	flight->ended = true;
	flight->error = *error;
	pthread_cond_broadcast(&sender->changed);
	flight_release(flight);
	pthread_mutex_unlock(&sender->lock);
}

/* Waits for another's transfer. True where that is all: the blob is there, or the registry has
 * just not answered for as long as anybody waits. */
static bool flight_follow(
	struct sender *sender, struct flight *flight, const struct want *want, struct error *error)
{
	bool enough;

	flight->holders++;
	while (!flight->ended && !want->fired)
		pthread_cond_wait(&sender->changed, &sender->lock);
	enough = flight->ended &&
		 (!error_is_set(&flight->error) || flight->error.kind == ERROR_TIMEOUT);
	if (enough)
		*error = flight->error;
	flight_release(flight);
	return enough;
}

/* Waits, with the lock held, until it's the caller's turn to send the blob: true, and it has begun;
 * or until nothing is left to be done. */
static bool turn_take(
	struct sender *sender, struct flight *mine, const struct want *want, struct error *error)
{
	while (!want->fired) {
		struct flight *flight = flight_find(sender, &mine->digest);

		if (flight && flight_follow(sender, flight, want, error))
			return false;
		if (flight)
			continue;
		if (sender->count < sender->store->jobs) {
			flight_begin(sender, mine);
			return true;
		}
		pthread_cond_wait(&sender->changed, &sender->lock);
	}
	error_set(error, ERROR_INTERRUPTED, "interrupted");
	return false;
}

static void want_fired(void *context)
{
	struct want *want = context;

	pthread_mutex_lock(&want->sender->lock);
	want->fired = true;
	pthread_cond_broadcast(&want->sender->changed);
	pthread_mutex_unlock(&want->sender->lock);
}

static bool turn_wait(
	struct sender *sender, struct flight *mine, struct cancel *cancel, struct error *error)
{
	struct want want = {.watch = {.fired = want_fired, .context = &want}, .sender = sender};
	bool fired = cancel_watch(cancel, &want.watch);
	bool mine_now;

	pthread_mutex_lock(&sender->lock);
	want.fired |= fired;
	mine_now = turn_take(sender, mine, &want, error);
	pthread_mutex_unlock(&sender->lock);
	cancel_unwatch(cancel, &want.watch);
	return mine_now;
}

static void flight_progress(void *context, int64_t sent)
{
	struct flight *flight = context;

	atomic_store(&flight->sent, sent);
	if (flight->source->progress)
		flight->source->progress(flight->source->context, sent);
}

static void flight_send(
	struct sender *sender, struct flight *flight, struct cancel *cancel, struct error *error)
{
	struct store_source source = *flight->source;

	source.progress = flight_progress;
	source.context = flight;
	sender->store->ops->blob_put(sender->store, &flight->digest, &source, cancel, error);
	flight_end(sender, flight, error);
}

int sender_put(struct sender *sender, const struct digest *digest,
	const struct store_source *source, struct cancel *cancel, struct error *err)
{
	struct flight *mine = calloc(1, sizeof *mine);
	struct error error = ERROR_INIT;

	if (!mine)
		return error_set_memory(err);
	mine->digest = *digest;
	mine->source = source;
	mine->holders = 1;
	if (turn_wait(sender, mine, cancel, &error))
		flight_send(sender, mine, cancel, &error);
	else
		free(mine);
	return error_is_set(&error) ? error_copy(err, &error) : 0;
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
