/*
 * cache.h - blobs on local disk by digest, fetched by range when they are read.
 *
 * DIR/blobs/sha256/HEX holds whole, verified blobs, shared by every mount of the user: made by
 * linking a finished nameless file (O_TMPFILE, linkat), never written afterwards. What has been
 * fetched of a blob that isn't whole yet is in such a nameless file, with a map of its blocks; it
 * goes with the mount. Paths are made from validated digests alone. DIR is 0700 and the user's own.
 *
 * A blob of up to CACHE_WHOLE_MAX bytes is fetched whole and verified before its first byte is
 * given out (verify=full); with verify=strict so is every blob. A larger one is given out as it
 * arrives and verified as soon as all of it is here; a mismatch poisons it: ERROR_CORRUPT from
 * then on, for this mount, and a line in the log.
 *
 * A store that keeps local files (store_ops.blob_open) is read in place: no copy is made; blobs are
 * verified the same way, once per mount.
 *
 * Thread-safe.
 */
#ifndef INDEXFS_FS_CACHE_CACHE_H
#define INDEXFS_FS_CACHE_CACHE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cancel.h"
#include "error.h"
#include "log.h"
#include "pool.h"
#include "store.h"

#define CACHE_WHOLE_MAX ((int64_t)8 << 20)

enum cache_verify { CACHE_VERIFY_FULL, CACHE_VERIFY_STRICT };

struct cache;
struct blob;

/* Makes the folders that are missing. size_limit in bytes: whole blobs beyond it are evicted,
 * least recently used first, never while open in this process (an open file of another process
 * keeps its bytes by its descriptor). Where the disk is full they go too, and with them what has
 * been fetched of blobs that nobody is reading; what doesn't help fails with ENOSPC. store, pool
 * and log are borrowed. */
int cache_open(struct cache **out, const char *dir, int64_t size_limit, enum cache_verify verify,
	struct store *store, struct pool *pool, struct log *log, struct error *err);

/* Ends transfers under way (their readers get ERROR_INTERRUPTED) and waits for them. Every blob
 * must have been put back. */
void cache_close(struct cache *cache);

/* The blob with this digest and size; one object per digest while anyone holds it. Asks nothing
 * of the store. NULL with *err when out of memory. */
struct blob *cache_blob(
	struct cache *cache, const struct digest *digest, int64_t size, struct error *err);
struct blob *blob_ref(struct blob *blob);
void blob_put_back(struct blob *blob);

/* Whether all of it is on local disk: for user.oci.state. */
bool blob_is_local(struct blob *blob);

/* One reader's place in a blob, for read-ahead: zeroed by the caller, one per open file. Ahead of
 * a reader that goes on where it stopped the window grows; a reader that jumps gets little more
 * than it asked for. */
struct blob_cursor {
	uint64_t next; /* where a sequential reader would go on */
	uint64_t window; /* bytes ahead of it */
};

/* An answer to blob_read(). The request belongs to the caller, who keeps it until done() is
 * called: exactly once, on the calling thread within blob_read() if the bytes are here, else
 * later on another thread. len is what is there up to the blob's end, 0 at or after it. On success
 * the bytes are at offset of fd, which stays open and unchanged until done() returns (-1 where len
 * is 0), and err is NULL. */
struct blob_read {
	uint64_t offset;
	size_t len;
	void (*done)(struct blob_read *read, int fd, size_t len, const struct error *err);
	/* private to the cache */
	struct blob_read *next;
	bool whole; /* waits for all of the blob, verified */
};
void blob_read(struct blob *blob, struct blob_cursor *cursor, struct blob_read *read);

/* Answers a waiting read with ERROR_INTERRUPTED at once. Nothing happens where it has been
 * answered, or is being answered, already; the caller must keep the memory valid for the call. */
void blob_read_cancel(struct blob *blob, struct blob_read *read);

/* Blocks until all of the blob is here and verified. A descriptor of it to read by offset, which
 * the caller closes; -1 with *err. */
int blob_fetch(struct blob *blob, struct cancel *cancel, struct error *err);

/* Keeps a copy-free link of a finished file as the blob of its digest, so that what was just
 * published needn't be fetched. fd must be a sealed file with exactly that content, on any disk;
 * where it can't be linked (another file system) nothing happens. Never an error. */
void cache_adopt(struct cache *cache, const struct digest *digest, int64_t size, int fd);

#endif
