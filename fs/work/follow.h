/*
 * follow.h - the hash that follows the writer of a staged file; private to fs/work/.
 *
 * Bytes that have been written without a gap from the start are read again, while they are still in
 * the page cache, and hashed on a thread of the pool. A write to what has been hashed, or is being
 * read for it, makes the hash worthless; the next sequential run from the start begins another.
 * That only the mark of what has been claimed decides: how far the writing has come is a hint.
 */
#ifndef INDEXFS_FS_WORK_FOLLOW_H
#define INDEXFS_FS_WORK_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "cancel.h"
#include "digest.h"
#include "error.h"

struct staged;

enum follow_state { FOLLOW_IDLE, FOLLOW_QUEUED, FOLLOW_RUNNING };

#define FOLLOW_SPANS 8

struct follow {
	enum follow_state state;
	struct hasher *hasher; /* NULL before the first byte */
	bool stale; /* the hasher must forget what it has */
	uint64_t claimed; /* hashed, or being read to be hashed, up to here */
	uint64_t contiguous; /* written without a gap up to here */
	struct follow_span {
		uint64_t start, end;
	} ahead[FOLLOW_SPANS]; /* written beyond a gap: writes may end out of order */
	unsigned ahead_count;
};

/* With the staged file's lock held, after a write and after a truncation. */
void follow_wrote(struct staged *staged, uint64_t offset, uint64_t len);
void follow_cut(struct staged *staged, uint64_t size);

/* Hashes what is left up to size on the calling thread. The file must be kept from changing, and
 * the follower from running (staged->sealing). Can be called again after a failure. */
int follow_finish(struct staged *staged, uint64_t size, struct digest *out, struct cancel *cancel,
	struct error *err);

#endif
