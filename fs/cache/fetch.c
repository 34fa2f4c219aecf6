#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs/cache/blob.h"

#define FETCHERS_MAX 16
#define ROOMS_MAX 64 /* times that room is made for one piece: somebody else may take it */

struct fetch *fetch_at(const struct blob *blob, uint64_t offset)
{
	for (struct fetch *fetch = blob->fetches; fetch; fetch = fetch->next) {
		if (!fetch->superseded && offset >= fetch->start && offset < fetch->end)
			return fetch;
	}
	return NULL;
}

/* The store has no ranges: one fetch brings everything, the others end. */
static void fetch_make_main(struct fetch *fetch)
{
	struct blob *blob = fetch->blob;

	blob->rangeless = true;
	fetch->main = true;
	fetch->start = 0;
	fetch->end = blob->size;
	for (struct fetch *other = blob->fetches; other; other = other->next)
		other->superseded = other != fetch;
}

/* The bytes begin at 0 instead of where they should. A fetch from 0 that is under way will bring
 * them all; else this one does. */
static int fetch_from_start(struct fetch *fetch, struct error *err)
{
	for (struct fetch *other = fetch->blob->fetches; other; other = other->next) {
		if (other != fetch && other->start == 0 && !other->superseded) {
			fetch_make_main(other);
			return error_set(err, ERROR_INTERRUPTED, "another transfer brings it");
		}
	}
	fetch_make_main(fetch);
	fetch->mark = fetch->run = 0;
	return 0;
}

/* Whether the store may bring len bytes at offset now. */
static int fetch_accept(struct fetch *fetch, uint64_t offset, size_t len, struct error *err)
{
	struct blob *blob = fetch->blob;

	if (fetch->superseded)
		return error_set(err, ERROR_INTERRUPTED, "another transfer brings it");
	if (offset > blob->size || len > blob->size - offset)
		return error_set(err, ERROR_CORRUPT, "%s: more bytes came than its size says",
			blob->digest.text);
	if (offset == 0 && fetch->start > 0 && fetch->mark == fetch->start && len > 0 &&
		fetch_from_start(fetch, err) < 0)
		return -1;
	if (offset != fetch->mark)
		return error_set(
			err, ERROR_PROTOCOL, "%s: bytes came in a wrong order", blob->digest.text);
	if (offset + len > fetch->end && fetch->start == 0)
		fetch_make_main(fetch);
	if (offset + len > fetch->end)
		return error_set(err, ERROR_PROTOCOL, "%s: more bytes came than were asked for",
			blob->digest.text);
	return 0;
}

/* Nobody reads the blob any more, and what somebody has asked for is here. */
static bool fetch_is_unwanted(const struct fetch *fetch)
{
	struct cache *cache = fetch->blob->cache;

	if (fetch->mark < fetch->asked)
		return false;
	pthread_mutex_lock(&cache->lock);
	bool unwanted = fetch->blob->users == 0;
	pthread_mutex_unlock(&cache->lock);
	return unwanted;
}

/* How much of a piece is to be kept or left out alike. A block that is here never changes, so a
 * main leaves it out, as one that the fetch before it is still writing to. */
static size_t fetch_piece(const struct fetch *fetch, size_t len, bool *keep)
{
	const struct block_map *map = &fetch->blob->map;
	uint64_t offset = fetch->mark;

	*keep = true;
	if (!fetch->main)
		return len;
	uint64_t end = block_map_ceiling(map, offset + 1);
	if (len > end - offset)
		len = (size_t)(end - offset);
	*keep = !block_map_here(map, offset);
	for (const struct fetch *other = fetch->blob->fetches; other; other = other->next) {
		if (other != fetch && other->writing && offset >= other->start &&
			offset < other->end)
			*keep = false;
	}
	return len;
}

static bool is_full(int errnum)
{
	return errnum == ENOSPC || errnum == EDQUOT;
}

static int file_write(
	struct blob *blob, uint64_t offset, const char *bytes, size_t len, struct error *err)
{
	unsigned rooms = 0;

	while (len > 0) {
		ssize_t n = pwrite(blob->file->fd, bytes, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && is_full(errno)) {
			int why = errno;

			if (rooms++ < ROOMS_MAX && cache_make_room(blob->cache, len))
				continue;
			errno = why;
		}
		if (n < 0)
			return error_set_errno(err, errno, "can't write to the cache");
		bytes += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

/* Takes the bytes at the mark; with the lock, which is given up while writing. How many were taken,
 * or -1. */
static ssize_t fetch_take(struct fetch *fetch, const char *bytes, size_t len, struct error *err)
{
	struct blob *blob = fetch->blob;
	bool keep;

	if (fetch_accept(fetch, fetch->mark, len, err) < 0)
		return -1;
	len = fetch_piece(fetch, len, &keep);
	if (!keep) {
		fetch->mark += len;
		fetch->run = fetch->mark;
		return (ssize_t)len;
	}
	fetch->writing = true;
	pthread_mutex_unlock(&blob->lock);
	int result = file_write(blob, fetch->mark, bytes, len, err);
	pthread_mutex_lock(&blob->lock);
	fetch->writing = false;
	if (result < 0)
		return -1;
	fetch->mark += len;
	return (ssize_t)len;
}

static int fetch_write(
	void *context, uint64_t offset, const void *bytes, size_t len, struct error *err)
{
	struct fetch *fetch = context;
	struct blob *blob = fetch->blob;
	struct answers answers = ANSWERS_INIT;
	const char *next = bytes;

	pthread_mutex_lock(&blob->lock);
	int result = fetch_accept(fetch, offset, len, err);
	while (result == 0 && len > 0) {
		ssize_t n = fetch_take(fetch, next, len, err);

		if (n < 0) {
			result = -1;
			break;
		}
		next += n;
		len -= (size_t)n;
		if (block_map_add(&blob->map, fetch->run, fetch->mark)) {
			blob_settle(blob, &answers, 0, 0, NULL);
			verify_follow(blob);
		}
	}
	if (result == 0 && fetch_is_unwanted(fetch) && fetch->mark < fetch->end)
		result = error_set(err, ERROR_INTERRUPTED, "nobody reads it any more");
	pthread_mutex_unlock(&blob->lock);
	answers_tell(&answers);
	return result;
}

/* Whoever reads on in small steps may get to the end of a blob that never was here as a whole. */
static void fetch_found_no_room(struct blob *blob)
{
	blob->unfit = true;
	if (!blob->unfit_told)
		log_write(blob->cache->log, LOG_LEVEL_WARNING,
			"%s: the cache's disk is full: it isn't kept, nor verified as a whole",
			blob->digest.text);
	blob->unfit_told = true;
}

/* Answers those who waited for the fetch, and begins what is wanted next. */
static void fetch_end(struct fetch *fetch, struct error *err)
{
	struct blob *blob = fetch->blob;
	struct answers answers = ANSWERS_INIT;
	struct fetch **link = &blob->fetches;

	pthread_mutex_lock(&blob->lock);
	while (*link != fetch)
		link = &(*link)->next;
	*link = fetch->next;
	if (fetch->superseded)
		error_clear(err);
	else if (!error_is_set(err) && fetch->mark < fetch->due)
		error_set(err, ERROR_CORRUPT, "%s: fewer bytes came than its size says",
			blob->digest.text);
	blob_settle(blob, &answers, block_map_floor(&blob->map, fetch->mark), fetch->end, err);
	/* Whoever can be answered needn't wait for the hash. */
	pthread_mutex_unlock(&blob->lock);
	answers_tell(&answers);
	pthread_mutex_lock(&blob->lock);
	if (err->kind == ERROR_SYSTEM && is_full(err->status))
		fetch_found_no_room(blob);
	if (blob->unfit)
		blob_drop(blob);
	if (blob_is_whole(blob) && !blob->verified && !blob->verifying && !blob->poisoned)
		verify_run(blob, &answers);
	else
		blob_pursue(blob, &answers);
	pthread_mutex_unlock(&blob->lock);
	answers_tell(&answers);
	free(fetch);
	blob_task_end(blob);
}

static void fetch_run(struct fetch *fetch)
{
	struct blob *blob = fetch->blob;
	struct store *store = blob->cache->store;
	struct cancel *cancel = &blob->cache->cancel;
	struct store_sink sink = {.write = fetch_write, .context = fetch};
	struct error err = ERROR_INIT;

	pthread_mutex_lock(&blob->lock);
	bool superseded = fetch->superseded;
	uint64_t start = fetch->mark, len = fetch->end - fetch->mark;
	fetch->due = fetch->end;
	pthread_mutex_unlock(&blob->lock);
	if (superseded)
		goto end;
	if (cancel_fired(cancel))
		error_set(&err, ERROR_INTERRUPTED, "the mount is being ended");
	else if (store->ops->blob_get(store, &blob->digest, (int64_t)blob->size, start, len, &sink,
			 cancel, &err) < 0 &&
		 !error_is_set(&err))
		error_set(&err, ERROR_PROTOCOL, "the transfer of %s failed", blob->digest.text);
end:
	fetch_end(fetch, &err);
}

static struct fetch *queue_take(struct cache *cache)
{
	pthread_mutex_lock(&cache->lock);
	struct fetch *fetch = cache->queue_first;
	if (fetch) {
		cache->queue_first = fetch->queue_next;
		if (!cache->queue_first)
			cache->queue_last = &cache->queue_first;
	} else {
		cache->fetchers--;
	}
	pthread_mutex_unlock(&cache->lock);
	return fetch;
}

static void fetcher_task(void *context)
{
	struct cache *cache = context;
	struct fetch *fetch;

	while ((fetch = queue_take(cache)))
		fetch_run(fetch);
	cache_task_end(cache);
}

static void queue_remove(struct cache *cache, const struct fetch *fetch)
{
	struct fetch **link = &cache->queue_first;

	while (*link != fetch)
		link = &(*link)->queue_next;
	*link = fetch->queue_next;
	if (!*link)
		cache->queue_last = link;
}

/* Puts the fetch where a fetcher finds it, and begins another fetcher where there may be more. The
 * cache's lock is held, so that no fetcher ends between. */
static int queue_add(struct cache *cache, struct fetch *fetch, struct error *err)
{
	int result = 0;

	pthread_mutex_lock(&cache->lock);
	*cache->queue_last = fetch;
	cache->queue_last = &fetch->queue_next;
	fetch->blob->tasks++;
	if (cache->closing) {
		result = error_set(err, ERROR_INTERRUPTED, "the mount is being ended");
	} else if (cache->fetchers < FETCHERS_MAX) {
		result = pool_submit(cache->pool, fetcher_task, cache, err);
		if (result == 0) {
			cache->fetchers++;
			cache->tasks++;
		} else if (cache->fetchers > 0) {
			error_clear(err);
			result = 0;
		}
	}
	if (result < 0) {
		queue_remove(cache, fetch);
		fetch->blob->tasks--;
	}
	pthread_mutex_unlock(&cache->lock);
	return result;
}

int fetch_start(struct blob *blob, uint64_t start, uint64_t end, struct error *err)
{
	struct fetch *fetch = calloc(1, sizeof(*fetch));

	if (!fetch)
		return error_set_memory(err);
	*fetch = (struct fetch){
		.blob = blob, .start = start, .end = end, .mark = start, .run = start};
	fetch->asked = end - start > CACHE_WINDOW_MAX ? start + CACHE_WINDOW_MAX : end;
	fetch->main = blob->rangeless;
	fetch->next = blob->fetches;
	blob->fetches = fetch;
	if (queue_add(blob->cache, fetch, err) < 0) {
		blob->fetches = fetch->next;
		free(fetch);
		return -1;
	}
	return 0;
}
