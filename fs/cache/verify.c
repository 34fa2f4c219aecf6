#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "fs/cache/blob.h"

#define VERIFY_CHUNK ((size_t)256 << 10)
#define VERIFY_START ((uint64_t)4 << 20) /* not worth a task below it */

/* How far the blob is here without a gap. */
static uint64_t blob_run(const struct blob *blob)
{
	return blob_is_whole(blob) ? blob->size : block_map_skip(&blob->map, 0, true);
}

void hash_forget(struct blob *blob)
{
	if (blob->hasher)
		hasher_free(blob->hasher);
	blob->hasher = NULL;
	blob->hashed = 0;
}

/* Hashes what is here, up to the first gap; with the lock, which is given up meanwhile. */
static int hash_run(struct blob *blob, struct error *err)
{
	cleanup_free char *bytes = malloc(VERIFY_CHUNK);
	uint64_t end;

	if (!blob->hasher)
		blob->hasher = hasher_new(&blob->digest);
	if (!bytes || !blob->hasher)
		return error_set_memory(err);
	while (blob->hashed < (end = blob_run(blob))) {
		uint64_t left = end - blob->hashed;
		size_t len = left < VERIFY_CHUNK ? (size_t)left : VERIFY_CHUNK;
		ssize_t n = 0;

		pthread_mutex_unlock(&blob->lock);
		bool closing = cancel_fired(&blob->cache->cancel);
		if (!closing)
			n = pread(blob->file->fd, bytes, len, (off_t)blob->hashed);
		int why = n < 0 ? errno : EIO;
		if (n > 0)
			hasher_update(blob->hasher, bytes, (size_t)n);
		pthread_mutex_lock(&blob->lock);
		if (closing)
			return error_set(err, ERROR_INTERRUPTED, "the mount is being ended");
		if (n <= 0 && why != EINTR)
			return error_set_errno(
				err, why, "can't read the blob %s", blob->digest.text);
		blob->hashed += n > 0 ? (uint64_t)n : 0;
	}
	return 0;
}

/* Gives a blob that is here and good its name on disk; with the lock, which is given up. */
static void blob_keep(struct blob *blob)
{
	struct cache *cache = blob->cache;
	struct disk_identity identity;
	int fd = blob->file->fd;

	pthread_mutex_unlock(&blob->lock);
	fchmod(fd, 0400);
	bool linked = disk_blob_link(&cache->disk, &blob->digest, blob->size, fd);
	bool kept = linked || disk_blob_copy(&cache->disk, &blob->digest, blob->size, fd);
	bool same = linked && disk_identify(&identity, fd, blob->size);
	if (kept)
		cache_grew(cache, blob->size);
	pthread_mutex_lock(&blob->lock);
	if (same)
		blob->known = identity;
}

static void blob_good(struct blob *blob)
{
	blob->verified = true;
	if (blob->source == BLOB_PARTIAL)
		blob_keep(blob);
	else
		blob->known = blob->identity;
}

/* A bad file of the cache is removed and the blob fetched anew; what the store gave is final, the
 * second time for a blob that is given out whole. Who has been told of the bad file still has it.
 */
static void blob_bad(struct blob *blob, const char *why)
{
	struct cache *cache = blob->cache;

	if (blob->source == BLOB_CACHED) {
		log_write(cache->log, LOG_LEVEL_WARNING,
			"%s: removed from the cache and fetched again: %s", blob->digest.text, why);
		disk_blob_remove(&cache->disk, &blob->digest, &blob->identity);
		blob_file_put(&blob->file);
		blob->source = BLOB_NOWHERE;
		return;
	}
	/* damaged on its way, maybe: nobody has a byte of it yet */
	if (blob->source == BLOB_PARTIAL && blob_is_gated(blob) && !blob->fetches &&
		!blob->repeated) {
		log_write(cache->log, LOG_LEVEL_WARNING, "%s: fetched once more: %s",
			blob->digest.text, why);
		blob->repeated = true;
		blob_file_put(&blob->file);
		block_map_clear(&blob->map);
		blob->source = BLOB_NOWHERE;
		return;
	}
	log_write(cache->log, LOG_LEVEL_ERROR, "%s: what the store gave is bad: %s",
		blob->digest.text, why);
	blob->poisoned = true;
}

/* With the lock, which is given up while a good blob is given its name. */
static void blob_conclude(struct blob *blob, struct error *err)
{
	struct digest found;
	char why[DIGEST_TEXT_SIZE + 32];

	hasher_digest(blob->hasher, &found);
	if (digest_equal(&found, &blob->digest)) {
		blob_good(blob);
		return;
	}
	snprintf(why, sizeof(why), "its digest is %s", found.text);
	blob_bad(blob, why);
	if (blob->poisoned)
		error_set(err, ERROR_CORRUPT, "the blob %s doesn't match its digest: %s",
			blob->digest.text, why);
}

/* Nothing can be said about content under an unknown algorithm. */
static void blob_trust(struct blob *blob)
{
	log_write(blob->cache->log, LOG_LEVEL_WARNING,
		"%s: can't be verified, its algorithm is unknown", blob->digest.text);
	blob->verified = true;
}

void verify_run(struct blob *blob, struct answers *answers)
{
	struct error err = ERROR_INIT;

	blob->verifying = true;
	if (!digest_verifiable(&blob->digest)) {
		blob_trust(blob);
	} else if (hash_run(blob, &err) < 0) {
		hash_forget(blob);
		if (blob->source == BLOB_CACHED && err.kind == ERROR_SYSTEM) {
			blob_bad(blob, err.message);
			error_clear(&err);
		}
	} else if (blob_is_whole(blob) && !(blob_is_gated(blob) && blob->fetches)) {
		/* a bad blob may be fetched anew: the end of the fetch comes first, and then here
		 */
		blob_conclude(blob, &err);
		hash_forget(blob);
	}
	blob->verifying = false;
	/* Only what waits for the hash fails with it. */
	blob_settle(blob, answers, blob->size, blob->size, &err);
	if (blob->source == BLOB_NOWHERE)
		blob_pursue(blob, answers);
}

static void verify_task(void *context)
{
	struct blob *blob = context;
	struct cache *cache = blob->cache;
	struct answers answers = ANSWERS_INIT;

	pthread_mutex_lock(&blob->lock);
	verify_run(blob, &answers);
	if (blob->unfit)
		blob_drop(blob);
	pthread_mutex_unlock(&blob->lock);
	answers_tell(&answers);
	blob_task_end(blob);
	cache_task_end(cache);
}

int verify_follow(struct blob *blob)
{
	if (blob->verifying || blob->verified || blob->poisoned)
		return 0;
	if (!blob_is_whole(blob) &&
		(!digest_verifiable(&blob->digest) || blob_run(blob) < blob->hashed + VERIFY_START))
		return 0;
	if (!cache_task_begin(blob->cache))
		return -1;
	blob_task_begin(blob);
	/* Set here, so that it's begun once. */
	blob->verifying = true;
	if (pool_submit(blob->cache->pool, verify_task, blob, NULL) == 0)
		return 0;
	blob->verifying = false;
	cache_task_end(blob->cache);
	pthread_mutex_lock(&blob->cache->lock);
	blob->tasks--;
	pthread_mutex_unlock(&blob->cache->lock);
	return -1;
}
