#include "fs/cache/cache.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/cache/blob.h"

#define IDLE_MAX 1024
#define IDLE_PARTIALS_MAX 32 /* each has a file open */

int cache_open(struct cache **out, const char *dir, int64_t size_limit, enum cache_verify verify,
	struct store *store, struct pool *pool, struct log *log, struct error *err)
{
	struct cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return error_set_memory(err);
	if (disk_open(&cache->disk, dir, err) < 0) {
		free(cache);
		return -1;
	}
	cache->limit = size_limit > 0 ? (uint64_t)size_limit : 0;
	cache->verify = verify;
	cache->store = store;
	cache->pool = pool;
	cache->log = log;
	cache->queue_last = &cache->queue_first;
	cancel_init(&cache->cancel);
	pthread_mutex_init(&cache->evicting, NULL);
	pthread_mutex_init(&cache->lock, NULL);
	pthread_cond_init(&cache->changed, NULL);
	*out = cache;
	return 0;
}

static void blob_free(struct blob *blob)
{
	blob_file_put(&blob->file);
	block_map_clear(&blob->map);
	if (blob->hasher)
		hasher_free(blob->hasher);
	pthread_mutex_destroy(&blob->lock);
	free(blob);
}

void cache_close(struct cache *cache)
{
	pthread_mutex_lock(&cache->lock);
	cache->closing = true;
	pthread_mutex_unlock(&cache->lock);
	cancel_fire(&cache->cancel);
	pthread_mutex_lock(&cache->lock);
	while (cache->tasks > 0)
		pthread_cond_wait(&cache->changed, &cache->lock);
	pthread_mutex_unlock(&cache->lock);
	for (size_t i = 0; i < CACHE_BUCKETS; i++) {
		struct blob *blob;

		while ((blob = cache->buckets[i])) {
			cache->buckets[i] = blob->bucket_next;
			blob_free(blob);
		}
	}
	pthread_cond_destroy(&cache->changed);
	pthread_mutex_destroy(&cache->lock);
	pthread_mutex_destroy(&cache->evicting);
	cancel_destroy(&cache->cancel);
	disk_close(&cache->disk);
	free(cache);
}

bool cache_task_begin(struct cache *cache)
{
	pthread_mutex_lock(&cache->lock);
	bool may = !cache->closing;
	if (may)
		cache->tasks++;
	pthread_mutex_unlock(&cache->lock);
	return may;
}

void cache_task_end(struct cache *cache)
{
	pthread_mutex_lock(&cache->lock);
	if (--cache->tasks == 0)
		pthread_cond_broadcast(&cache->changed);
	pthread_mutex_unlock(&cache->lock);
}

static struct blob **bucket_of(struct cache *cache, const struct digest *digest)
{
	uint32_t hash = 2166136261U;

	for (const char *c = digest->text; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619U;
	return &cache->buckets[hash % CACHE_BUCKETS];
}

bool cache_in_use(struct cache *cache, const struct digest *digest)
{
	for (struct blob *blob = *bucket_of(cache, digest); blob; blob = blob->bucket_next) {
		if (!blob->idle && digest_equal(&blob->digest, digest))
			return true;
	}
	return false;
}

unsigned cache_hold(struct cache *cache, size_t bucket, struct blob **out, unsigned max)
{
	unsigned count = 0;

	pthread_mutex_lock(&cache->lock);
	for (struct blob *blob = cache->buckets[bucket]; blob && count < max;
		blob = blob->bucket_next) {
		if (blob->idle)
			continue;
		blob->users++;
		out[count++] = blob;
	}
	pthread_mutex_unlock(&cache->lock);
	return count;
}

static void idle_remove(struct blob *blob)
{
	struct cache *cache = blob->cache;

	*(blob->idle_prev ? &blob->idle_prev->idle_next : &cache->idle_first) = blob->idle_next;
	*(blob->idle_next ? &blob->idle_next->idle_prev : &cache->idle_last) = blob->idle_prev;
	blob->idle = false;
	cache->idle_count--;
	cache->idle_bytes -= blob->idle_bytes;
	if (blob->source == BLOB_PARTIAL)
		cache->idle_partials--;
}

static void idle_append(struct blob *blob)
{
	struct cache *cache = blob->cache;

	blob->idle_next = NULL;
	blob->idle_prev = cache->idle_last;
	*(cache->idle_last ? &cache->idle_last->idle_next : &cache->idle_first) = blob;
	cache->idle_last = blob;
	blob->idle = true;
	blob->idle_bytes = 0;
	cache->idle_count++;
	if (blob->source == BLOB_PARTIAL) {
		blob->idle_bytes = (blob->map.count - blob->map.missing) << blob->map.shift;
		cache->idle_partials++;
	}
	cache->idle_bytes += blob->idle_bytes;
}

static void bucket_remove(struct blob *blob)
{
	struct blob **link = bucket_of(blob->cache, &blob->digest);

	while (*link != blob)
		link = &(*link)->bucket_next;
	*link = blob->bucket_next;
}

/* Closes the file of a blob that nobody holds where it can be opened again, by its name or at the
 * store. True where something is left that is worth remembering: what has been fetched, that it was
 * verified, or that it's poisoned. */
static bool blob_rest(struct blob *blob)
{
	bool reopens = blob->poisoned || blob->source == BLOB_LOCAL ||
		       blob->source == BLOB_CACHED || blob->known.inode;

	if (reopens && blob->file) {
		blob_file_put(&blob->file);
		blob->source = BLOB_NOWHERE;
		blob->verified = false;
		block_map_clear(&blob->map);
	}
	if (reopens)
		hash_forget(blob);
	return blob->poisoned || blob->known.inode ||
	       (blob->source == BLOB_PARTIAL && blob->map.missing < blob->map.count);
}

/* The idle blob to forget next, out of the lists; NULL where nothing must go. A poisoned one is
 * remembered: it says no for as long as the mount lives. */
static struct blob *idle_surplus(struct cache *cache)
{
	bool partials = cache->idle_partials > IDLE_PARTIALS_MAX;

	if (!partials && cache->idle_count <= IDLE_MAX)
		return NULL;
	for (struct blob *blob = cache->idle_first; blob; blob = blob->idle_next) {
		if (blob->poisoned || (partials && blob->source != BLOB_PARTIAL))
			continue;
		idle_remove(blob);
		bucket_remove(blob);
		return blob;
	}
	return NULL;
}

/* Ends one hold of a blob. */
static void blob_unhold(struct blob *blob, unsigned *count)
{
	struct cache *cache = blob->cache;
	struct blob *dead = NULL;

	pthread_mutex_lock(&cache->lock);
	(*count)--;
	if (blob->users == 0 && blob->tasks == 0) {
		if (blob_rest(blob)) {
			idle_append(blob);
			dead = idle_surplus(cache);
		} else {
			bucket_remove(blob);
			dead = blob;
		}
	}
	pthread_mutex_unlock(&cache->lock);
	if (dead)
		blob_free(dead);
}

void blob_task_begin(struct blob *blob)
{
	pthread_mutex_lock(&blob->cache->lock);
	blob->tasks++;
	pthread_mutex_unlock(&blob->cache->lock);
}

void blob_task_end(struct blob *blob)
{
	blob_unhold(blob, &blob->tasks);
}

bool cache_drop_idle(struct cache *cache)
{
	struct blob *blob;

	pthread_mutex_lock(&cache->lock);
	for (blob = cache->idle_first; blob; blob = blob->idle_next) {
		if (blob->source == BLOB_PARTIAL)
			break;
	}
	if (blob) {
		idle_remove(blob);
		bucket_remove(blob);
	}
	pthread_mutex_unlock(&cache->lock);
	if (blob)
		blob_free(blob);
	return blob;
}

static struct blob *blob_new(struct cache *cache, const struct digest *digest, uint64_t size)
{
	struct blob *blob = calloc(1, sizeof(*blob));

	if (!blob)
		return NULL;
	blob->cache = cache;
	blob->digest = *digest;
	blob->size = size;
	blob->users = 1;
	blob->waiting_end = &blob->waiting;
	pthread_mutex_init(&blob->lock, NULL);
	return blob;
}

/* Two descriptors may claim different sizes for one digest: each has its own object, and at most
 * one of them comes true. */
struct blob *cache_blob(
	struct cache *cache, const struct digest *digest, int64_t size, struct error *err)
{
	struct blob **bucket = bucket_of(cache, digest), *blob;

	if (size < 0) {
		error_set(err, ERROR_CORRUPT, "%s has a negative size", digest->text);
		return NULL;
	}
	pthread_mutex_lock(&cache->lock);
	for (blob = *bucket; blob; blob = blob->bucket_next) {
		if (digest_equal(&blob->digest, digest) && blob->size == (uint64_t)size)
			break;
	}
	if (blob) {
		if (blob->idle)
			idle_remove(blob);
		blob->users++;
	} else if ((blob = blob_new(cache, digest, (uint64_t)size))) {
		blob->bucket_next = *bucket;
		*bucket = blob;
	} else {
		error_set_memory(err);
	}
	pthread_mutex_unlock(&cache->lock);
	return blob;
}

struct blob *blob_ref(struct blob *blob)
{
	pthread_mutex_lock(&blob->cache->lock);
	blob->users++;
	pthread_mutex_unlock(&blob->cache->lock);
	return blob;
}

void blob_put_back(struct blob *blob)
{
	blob_unhold(blob, &blob->users);
}

void cache_adopt(struct cache *cache, const struct digest *digest, int64_t size, int fd)
{
	struct disk_identity identity;
	struct blob *blob;

	if (size < 0 || !disk_identify(&identity, fd, (uint64_t)size) ||
		!disk_blob_link(&cache->disk, digest, (uint64_t)size, fd))
		return;
	/* It was hashed when it was sealed: no need to do so again when it's read. */
	blob = cache_blob(cache, digest, size, NULL);
	if (blob) {
		pthread_mutex_lock(&blob->lock);
		if (blob->source == BLOB_NOWHERE)
			blob->known = identity;
		pthread_mutex_unlock(&blob->lock);
		blob_put_back(blob);
	}
	cache_grew(cache, (uint64_t)size);
}
