/*
 * blob.h - what a cache and a blob are inside; private to fs/cache/.
 *
 *     blob.c    answers reads                fetch.c   brings ranges from the store
 *     plan.c    says which ranges to bring   verify.c  hashes what is here, in order
 *     cache.c   one object per blob          evict.c   keeps the folder within its limit
 *     file.c    open files, shared
 *
 * Locks: a blob's own, then the cache's. Neither is held during I/O (but for opening and unlinking
 * local files), during a call of the store, or while a reader is told its answer.
 */
#ifndef INDEXFS_FS_CACHE_BLOB_H
#define INDEXFS_FS_CACHE_BLOB_H

#include <pthread.h>
#include <stdatomic.h>

#include "fs/cache/block_map.h"
#include "fs/cache/cache.h"
#include "fs/cache/disk.h"

#define CACHE_BUCKETS 2048
#define CACHE_WINDOW_MAX ((uint64_t)32 << 20) /* the longest range that is asked for at once */

struct cache {
	struct disk disk;
	uint64_t limit;
	enum cache_verify verify;
	struct store *store;
	struct pool *pool;
	struct log *log;
	struct cancel cancel; /* fires when the cache is closed */
	pthread_mutex_t evicting;

	pthread_mutex_t lock;
	pthread_cond_t changed; /* a task has ended */
	bool closing;
	unsigned tasks; /* on the pool */
	struct blob *buckets[CACHE_BUCKETS];
	/* Blobs that nobody holds and of which something is worth keeping, oldest first. */
	struct blob *idle_first, *idle_last;
	unsigned idle_count, idle_partials;
	uint64_t idle_bytes; /* in nameless files */
	struct fetch *queue_first, **queue_last;
	unsigned fetchers; /* tasks that take from the queue */
	bool total_known;
	uint64_t total; /* bytes of whole blobs in the folder */
};

enum blob_source {
	BLOB_NOWHERE, /* no file yet */
	BLOB_PARTIAL, /* a nameless file; map says what is here */
	BLOB_CACHED, /* a file of the cache's folder */
	BLOB_LOCAL, /* a file of the store */
};

/* An open file, as long as the blob has it or an answer names it. */
struct blob_file {
	int fd;
	atomic_uint holders;
};

struct blob {
	struct cache *cache;
	struct digest digest;
	uint64_t size;

	/* with the cache's lock */
	struct blob *bucket_next, *idle_next, *idle_prev;
	bool idle;
	uint64_t idle_bytes;
	unsigned users, tasks;

	pthread_mutex_t lock;
	enum blob_source source;
	struct blob_file *file; /* NULL where the source is BLOB_NOWHERE */
	struct block_map map;
	bool unfit; /* the disk was full: what is here goes when nobody needs it */
	bool unfit_told; /* in the log */
	bool rangeless; /* the store gives all of it, whatever is asked */
	struct fetch
		*fetches; /* under way or queued; their ranges don't overlap, but for a main's */
	struct blob_read *waiting, **waiting_end;

	struct hasher *hasher;
	uint64_t hashed;
	bool verifying; /* some thread has the hasher */
	bool verified;
	bool poisoned;
	bool repeated; /* it was bad once, before anybody had a byte of it */
	struct disk_identity identity; /* of the open file, unless it's partial */
	struct disk_identity known; /* of the file that was verified in this mount */
};

/* One call of blob_get(). */
struct fetch {
	struct blob *blob;
	struct fetch *next, *queue_next;
	uint64_t start, end; /* what it will bring; start is at a block */
	uint64_t asked; /* where the range ends that somebody wanted */
	uint64_t due; /* where the range ends that the store was asked for */
	uint64_t mark; /* what it has brought ends here */
	uint64_t run; /* what it has brought and kept without a break begins here */
	bool writing; /* a piece is on its way to the file */
	bool main; /* brings everything, from 0: the store has no ranges */
	bool superseded; /* must end, for a main brings its range */
};

/* Reads that have been answered under a lock, to be told without it. */
struct answers {
	struct blob_read *good, *bad;
	struct blob_file *file; /* that the good ones are in */
	uint64_t size;
	struct error err; /* for the bad ones */
};

#define ANSWERS_INIT                                                                               \
	{                                                                                          \
		.good = NULL, .bad = NULL, .file = NULL, .size = 0, .err = ERROR_INIT              \
	}

/* cache.c. A task counts from begin to end; the memory of the blob may go with its end. */
void blob_task_begin(struct blob *blob);
void blob_task_end(struct blob *blob);
/* False where the cache is closing. */
bool cache_task_begin(struct cache *cache);
void cache_task_end(struct cache *cache);
/* Drops what has been fetched of the partial blob that was left first; false where there is none.
 */
bool cache_drop_idle(struct cache *cache);
/* Whether somebody has this blob; with the cache's lock. */
bool cache_in_use(struct cache *cache, const struct digest *digest);
/* Holds blobs of a bucket that somebody has; each is for blob_put_back(). How many. */
unsigned cache_hold(struct cache *cache, size_t bucket, struct blob **out, unsigned max);

/* file.c. Takes fd, in any case. NULL when out of memory. */
struct blob_file *blob_file_new(int fd);
struct blob_file *blob_file_hold(struct blob_file *file);
/* Makes *file NULL, which it may be. */
void blob_file_put(struct blob_file **file);

/* blob.c; with the blob's lock but for answers_tell(). */
void answers_tell(struct answers *answers);
bool blob_is_whole(const struct blob *blob);
/* Whether it must be verified before a byte is given out. */
bool blob_is_gated(const struct blob *blob);
/* Answers every waiting read that can be; with err set, also those that want something between
 * start and end, or the whole blob, with it. */
void blob_settle(struct blob *blob, struct answers *answers, uint64_t start, uint64_t end,
	const struct error *err);
/* Sees to it that whatever waits is being fetched or verified, else answers it with the reason. */
void blob_pursue(struct blob *blob, struct answers *answers);
/* Gives back the space of a blob that isn't whole, or is bad, unless it's being read. Whether it
 * had a file. */
bool blob_drop(struct blob *blob);

/* plan.c; with the blob's lock. */
int plan_read(struct blob *blob, const struct blob_read *read, struct error *err);
void plan_ahead(struct blob *blob, struct blob_cursor *cursor, uint64_t offset, uint64_t end);

/* fetch.c; with the blob's lock. */
int fetch_start(struct blob *blob, uint64_t start, uint64_t end, struct error *err);
struct fetch *fetch_at(const struct blob *blob, uint64_t offset);

/* verify.c; with the blob's lock, which verify_run() gives up while it works. */
void verify_run(struct blob *blob, struct answers *answers);
/* Goes on in the background where there is enough to do; -1 where no thread can be had. */
int verify_follow(struct blob *blob);
void hash_forget(struct blob *blob);

/* evict.c; without locks. */
void cache_grew(struct cache *cache, uint64_t bytes);
/* On a full disk. Whether anything went. */
bool cache_make_room(struct cache *cache, uint64_t bytes);

#endif
