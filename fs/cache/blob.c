#include "fs/cache/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static void answer(struct blob_read **list, struct blob_read *read)
{
	while (*list)
		list = &(*list)->next;
	read->next = NULL;
	*list = read;
}

/* Where a read ends, within the blob. */
static uint64_t read_end(uint64_t size, const struct blob_read *read)
{
	if (read->offset >= size)
		return size;
	return read->len < size - read->offset ? read->offset + read->len : size;
}

void answers_tell(struct answers *answers)
{
	struct blob_read *read, *next;

	/* A read may be gone as soon as it has been told. */
	for (read = answers->good; read; read = next) {
		uint64_t end = read_end(answers->size, read);
		size_t len = read->offset < end ? (size_t)(end - read->offset) : 0;

		next = read->next;
		read->done(read, answers->file->fd, len, NULL);
	}
	for (read = answers->bad; read; read = next) {
		next = read->next;
		read->done(read, -1, 0, &answers->err);
	}
	answers->good = answers->bad = NULL;
	blob_file_put(&answers->file);
	error_clear(&answers->err);
}

bool blob_is_whole(const struct blob *blob)
{
	if (blob->source == BLOB_PARTIAL)
		return blob->map.missing == 0;
	return blob->source != BLOB_NOWHERE;
}

bool blob_is_gated(const struct blob *blob)
{
	return blob->cache->verify == CACHE_VERIFY_STRICT || blob->size <= CACHE_WHOLE_MAX;
}

static bool read_is_ready(const struct blob *blob, const struct blob_read *read)
{
	if (blob->verified)
		return true;
	if (read->whole || blob_is_gated(blob) || blob->source == BLOB_NOWHERE)
		return false;
	if (blob->source != BLOB_PARTIAL)
		return true;
	uint64_t end = read_end(blob->size, read);
	return block_map_skip(&blob->map, read->offset, true) >= end;
}

/* Why no read can be answered any more, if so. */
static int blob_refuses(const struct blob *blob, struct error *err)
{
	if (blob->poisoned)
		return error_set(err, ERROR_CORRUPT, "the blob %s doesn't match its digest",
			blob->digest.text);
	if (blob->cache->verify == CACHE_VERIFY_STRICT && !digest_verifiable(&blob->digest))
		return error_set(err, ERROR_CORRUPT,
			"the blob %s can't be verified: its algorithm is unknown",
			blob->digest.text);
	return 0;
}

static bool read_wants(
	const struct blob *blob, const struct blob_read *read, uint64_t start, uint64_t end)
{
	return read->whole || blob_is_gated(blob) ||
	       (read->offset < end && read_end(blob->size, read) > start);
}

void blob_settle(struct blob *blob, struct answers *answers, uint64_t start, uint64_t end,
	const struct error *err)
{
	struct blob_read **link = &blob->waiting, *read;

	while ((read = *link)) {
		bool ready = !blob->poisoned && read_is_ready(blob, read);
		bool failed =
			!ready && err && error_is_set(err) && read_wants(blob, read, start, end);

		if (!ready && !failed) {
			link = &read->next;
			continue;
		}
		*link = read->next;
		answer(ready ? &answers->good : &answers->bad, read);
		if (failed)
			error_copy(&answers->err, err);
		else if (!answers->file)
			answers->file = blob_file_hold(blob->file);
	}
	blob->waiting_end = link;
	answers->size = blob->size;
}

static int blob_take(struct blob *blob, enum blob_source source, int fd, struct error *err)
{
	blob->file = blob_file_new(fd);
	if (!blob->file)
		return error_set_memory(err);
	blob->source = source;
	return 0;
}

/* The blob as a file of the store, -1 where it has none. */
static int store_file(struct blob *blob, struct error *err)
{
	struct store *store = blob->cache->store;
	int fd;

	if (!store->ops->blob_open)
		return -1;
	fd = store->ops->blob_open(store, &blob->digest, (int64_t)blob->size, err);
	if (fd < 0 || disk_identify(&blob->identity, fd, blob->size))
		return fd;
	close(fd);
	return error_set(err, ERROR_CORRUPT, "the blob %s has a wrong size", blob->digest.text);
}

/* Finds the file where the blob is on local disk. */
static int blob_locate(struct blob *blob, struct error *err)
{
	enum blob_source source = BLOB_LOCAL;
	struct error found = ERROR_INIT;

	if (blob->source != BLOB_NOWHERE)
		return 0;
	int fd = store_file(blob, &found);
	if (error_is_set(&found))
		return error_copy(err, &found);
	if (fd < 0) {
		fd = disk_blob_open(&blob->cache->disk, &blob->identity, &blob->digest, blob->size);
		source = BLOB_CACHED;
	}
	if (fd < 0)
		return 0;
	if (blob_take(blob, source, fd, err) < 0)
		return -1;
	blob->verified = disk_identity_equal(&blob->known, &blob->identity);
	return 0;
}

static int blob_begin(struct blob *blob, struct error *err)
{
	if (blob->source != BLOB_NOWHERE)
		return 0;
	if (block_map_init(&blob->map, blob->size) < 0)
		return error_set_memory(err);
	int fd = disk_file_new(&blob->cache->disk, err);
	if (fd < 0 || blob_take(blob, BLOB_PARTIAL, fd, err) < 0) {
		block_map_clear(&blob->map);
		return -1;
	}
	blob->known = (struct disk_identity){.inode = 0};
	return 0;
}

bool blob_drop(struct blob *blob)
{
	if (blob->source != BLOB_PARTIAL || (blob->map.missing == 0 && !blob->poisoned) ||
		blob->waiting || blob->fetches || blob->verifying)
		return false;
	blob_file_put(&blob->file);
	block_map_clear(&blob->map);
	hash_forget(blob);
	blob->unfit = false;
	blob->source = BLOB_NOWHERE;
	return true;
}

static int blob_plan(struct blob *blob, struct error *err)
{
	if (blob_begin(blob, err) < 0)
		return -1;
	for (const struct blob_read *read = blob->waiting; read; read = read->next) {
		if (!blob_is_whole(blob) && plan_read(blob, read, err) < 0)
			return -1;
	}
	return 0;
}

/* A small blob is hashed at once on this thread: it must not wait for a thread behind transfers
 * that hang. */
static void blob_verify(struct blob *blob, struct answers *answers)
{
	if (!blob_is_whole(blob) || blob->verified || blob->verifying || blob->poisoned)
		return;
	if (blob->size <= CACHE_WHOLE_MAX || verify_follow(blob) < 0)
		verify_run(blob, answers);
}

void blob_pursue(struct blob *blob, struct answers *answers)
{
	struct error err = ERROR_INIT;

	if (blob->waiting && blob_plan(blob, &err) < 0)
		blob_settle(blob, answers, 0, blob->size, &err);
	blob_verify(blob, answers);
}

/* Answers the read or lets it wait; with the blob's lock. */
static void blob_accept(struct blob *blob, struct blob_cursor *cursor, struct blob_read *read,
	struct answers *answers)
{
	struct error err = ERROR_INIT;

	read->next = NULL;
	*blob->waiting_end = read;
	blob->waiting_end = &read->next;
	if (blob_refuses(blob, &err) < 0 || blob_locate(blob, &err) < 0) {
		blob_settle(blob, answers, 0, blob->size, &err);
		return;
	}
	if (cursor && !blob_is_gated(blob) && !blob_is_whole(blob) && blob_begin(blob, NULL) == 0)
		plan_ahead(blob, cursor, read->offset, read_end(blob->size, read));
	blob_settle(blob, answers, 0, 0, NULL);
	blob_pursue(blob, answers);
}

static void blob_submit(struct blob *blob, struct blob_cursor *cursor, struct blob_read *read)
{
	struct answers answers = ANSWERS_INIT;

	pthread_mutex_lock(&blob->lock);
	blob_accept(blob, cursor, read, &answers);
	pthread_mutex_unlock(&blob->lock);
	answers_tell(&answers);
}

void blob_read(struct blob *blob, struct blob_cursor *cursor, struct blob_read *read)
{
	read->whole = false;
	if (read->offset >= blob->size || read->len == 0) {
		read->done(read, -1, 0, NULL);
		return;
	}
	blob_submit(blob, cursor, read);
}

void blob_read_cancel(struct blob *blob, struct blob_read *read)
{
	struct error err = ERROR_INIT;
	struct blob_read **link = &blob->waiting;

	pthread_mutex_lock(&blob->lock);
	while (*link && *link != read)
		link = &(*link)->next;
	bool waits = *link;
	if (waits) {
		*link = read->next;
		if (!*link)
			blob->waiting_end = link;
	}
	pthread_mutex_unlock(&blob->lock);
	if (!waits)
		return;
	error_set(&err, ERROR_INTERRUPTED, "reading was interrupted");
	read->done(read, -1, 0, &err);
}

bool blob_is_local(struct blob *blob)
{
	struct store *store = blob->cache->store;

	pthread_mutex_lock(&blob->lock);
	bool local = blob_is_whole(blob);
	bool unknown = blob->source == BLOB_NOWHERE;
	pthread_mutex_unlock(&blob->lock);
	if (!unknown)
		return local;
	if (store->ops->blob_open) {
		int fd = store->ops->blob_open(store, &blob->digest, (int64_t)blob->size, NULL);

		if (fd >= 0) {
			close(fd);
			return true;
		}
	}
	return disk_blob_exists(&blob->cache->disk, &blob->digest, blob->size);
}

struct whole_wait {
	struct blob_read read;
	struct cancel_watch watch;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool done, cancelled;
	int fd;
	struct error *err;
};

static void whole_done(struct blob_read *read, int fd, size_t len, const struct error *err)
{
	struct whole_wait *wait = (struct whole_wait *)read;

	(void)len;
	pthread_mutex_lock(&wait->lock);
	wait->fd = err ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (err)
		error_copy(wait->err, err);
	else if (wait->fd < 0)
		error_set_errno(wait->err, errno, "can't open a blob");
	wait->done = true;
	pthread_cond_signal(&wait->changed);
	pthread_mutex_unlock(&wait->lock);
}

static void whole_cancelled(void *context)
{
	struct whole_wait *wait = context;

	pthread_mutex_lock(&wait->lock);
	wait->cancelled = true;
	pthread_cond_signal(&wait->changed);
	pthread_mutex_unlock(&wait->lock);
}

static void whole_await(struct blob *blob, struct whole_wait *wait)
{
	pthread_mutex_lock(&wait->lock);
	while (!wait->done && !wait->cancelled)
		pthread_cond_wait(&wait->changed, &wait->lock);
	pthread_mutex_unlock(&wait->lock);
	if (wait->cancelled)
		blob_read_cancel(blob, &wait->read);
	/* Where the cancel came too late, the answer is on its way. */
	pthread_mutex_lock(&wait->lock);
	while (!wait->done)
		pthread_cond_wait(&wait->changed, &wait->lock);
	pthread_mutex_unlock(&wait->lock);
}

int blob_fetch(struct blob *blob, struct cancel *cancel, struct error *err)
{
	struct whole_wait wait = {.read = {.done = whole_done, .whole = true},
		.watch = {.fired = whole_cancelled, .context = &wait},
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
		.err = err};
	bool watched = cancel && !cancel_watch(cancel, &wait.watch);

	if (cancel && !watched) {
		error_set(err, ERROR_INTERRUPTED, "fetching was interrupted");
		return -1;
	}
	blob_submit(blob, NULL, &wait.read);
	whole_await(blob, &wait);
	if (watched)
		cancel_unwatch(cancel, &wait.watch);
	pthread_cond_destroy(&wait.changed);
	pthread_mutex_destroy(&wait.lock);
	return wait.fd;
}
