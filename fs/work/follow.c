#include "fs/work/follow.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cleanup.h"
#include "fs/work/staged.h"

#define FOLLOW_START ((uint64_t)1 << 20) /* not worth a task below it */
#define FOLLOW_CHUNK ((size_t)256 << 10)

static void follow_forget(struct follow *follow)
{
	follow->stale = true;
	follow->claimed = 0;
	follow->contiguous = 0;
	follow->ahead_count = 0;
}

/* Begins again where the hash is worthless or hasn't begun. */
static int hasher_ready(struct follow *follow)
{
	if (!follow->hasher) {
		follow->hasher = hasher_new(NULL);
		if (!follow->hasher)
			return -1;
	} else if (follow->stale) {
		hasher_reset(follow->hasher);
	}
	follow->stale = false;
	return 0;
}

static ssize_t pread_all(int fd, char *bytes, size_t len, uint64_t offset)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = pread(fd, bytes + got, len - got, (off_t)(offset + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

/* Claims the next piece of what has been written; 0 where there is none, or where the hash is
 * wanted by somebody else. */
static size_t follow_claim(struct staged *staged)
{
	struct follow *follow = &staged->follow;
	uint64_t left = follow->contiguous - follow->claimed;

	if (left < FOLLOW_CHUNK || staged->sealing || staged->refs == 0)
		return 0;
	if (hasher_ready(follow) < 0)
		return 0;
	follow->claimed += FOLLOW_CHUNK;
	return FOLLOW_CHUNK;
}

/* The task, which holds the staged file. */
static void follow_task(void *context)
{
	struct staged *staged = context;
	struct follow *follow = &staged->follow;
	cleanup_free char *bytes = malloc(FOLLOW_CHUNK);

	pthread_mutex_lock(&staged->lock);
	/* A seal may have taken the work over, and another task may serve already. */
	bool mine = follow->state == FOLLOW_QUEUED;
	if (mine)
		follow->state = FOLLOW_RUNNING;
	size_t len;
	while (mine && bytes && (len = follow_claim(staged)) > 0) {
		uint64_t offset = follow->claimed - len;

		pthread_mutex_unlock(&staged->lock);
		ssize_t got = pread_all(staged->fd, bytes, len, offset);
		if (got == (ssize_t)len)
			hasher_update(follow->hasher, bytes, len);
		pthread_mutex_lock(&staged->lock);
		if (got != (ssize_t)len) {
			follow_forget(follow);
			break;
		}
	}
	if (mine) {
		follow->state = FOLLOW_IDLE;
		pthread_cond_broadcast(&staged->changed);
	}
	pthread_mutex_unlock(&staged->lock);
	staged_release(staged);
}

static void follow_start(struct staged *staged)
{
	staged->follow.state = FOLLOW_QUEUED;
	staged->holds++;
	if (pool_submit(staged->staging->pool, follow_task, staged, NULL) < 0) {
		staged->follow.state = FOLLOW_IDLE;
		staged->holds--;
	}
}

/* Adds what was written beyond a gap, joined to a span that it touches. Where there is no room it
 * is left out: the seal will read it. */
static void span_add(struct follow *follow, uint64_t start, uint64_t end)
{
	for (unsigned i = 0; i < follow->ahead_count; i++) {
		struct follow_span *span = &follow->ahead[i];

		if (start <= span->end && end >= span->start) {
			span->start = start < span->start ? start : span->start;
			span->end = end > span->end ? end : span->end;
			return;
		}
	}
	if (follow->ahead_count < FOLLOW_SPANS)
		follow->ahead[follow->ahead_count++] = (struct follow_span){start, end};
}

/* Moves the contiguous mark over the spans that it has reached. */
static void spans_join(struct follow *follow)
{
	for (unsigned i = 0; i < follow->ahead_count;) {
		struct follow_span *span = &follow->ahead[i];

		if (span->start > follow->contiguous) {
			i++;
			continue;
		}
		if (span->end > follow->contiguous)
			follow->contiguous = span->end;
		*span = follow->ahead[--follow->ahead_count];
		i = 0;
	}
}

void follow_wrote(struct staged *staged, uint64_t offset, uint64_t len)
{
	struct follow *follow = &staged->follow;

	if (len == 0)
		return;
	if (offset < follow->claimed)
		follow_forget(follow);
	if (offset > follow->contiguous) {
		span_add(follow, offset, offset + len);
		return;
	}
	if (offset + len <= follow->contiguous)
		return;
	follow->contiguous = offset + len;
	spans_join(follow);
	if (follow->state == FOLLOW_IDLE && !staged->sealing &&
		follow->contiguous - follow->claimed >= FOLLOW_START)
		follow_start(staged);
}

void follow_cut(struct staged *staged, uint64_t size)
{
	struct follow *follow = &staged->follow;

	if (size < follow->claimed)
		follow_forget(follow);
	if (size < follow->contiguous)
		follow->contiguous = size;
	for (unsigned i = 0; i < follow->ahead_count;) {
		struct follow_span *span = &follow->ahead[i];

		if (span->end > size)
			span->end = size;
		if (span->start >= span->end)
			*span = follow->ahead[--follow->ahead_count];
		else
			i++;
	}
}

static int follow_rest(
	struct staged *staged, uint64_t size, struct cancel *cancel, struct error *err)
{
	struct follow *follow = &staged->follow;
	cleanup_free char *bytes = malloc(FOLLOW_CHUNK);

	if (!bytes)
		return error_set_memory(err);
	while (follow->claimed < size) {
		uint64_t left = size - follow->claimed;
		size_t len = left < FOLLOW_CHUNK ? (size_t)left : FOLLOW_CHUNK;

		if (cancel_fired(cancel))
			return error_set(err, ERROR_INTERRUPTED, "hashing was interrupted");
		ssize_t got = pread_all(staged->fd, bytes, len, follow->claimed);
		if (got != (ssize_t)len)
			return error_set_errno(
				err, got < 0 ? errno : EIO, "can't read a staged file");
		hasher_update(follow->hasher, bytes, len);
		follow->claimed += len;
	}
	return 0;
}

int follow_finish(struct staged *staged, uint64_t size, struct digest *out, struct cancel *cancel,
	struct error *err)
{
	struct follow *follow = &staged->follow;

	if (follow->claimed > size)
		follow_forget(follow);
	if (hasher_ready(follow) < 0)
		return error_set_memory(err);
	if (follow->claimed < size && follow_rest(staged, size, cancel, err) < 0)
		return -1;
	hasher_digest(follow->hasher, out);
	/* A writer that appends after this is followed from here. */
	follow->contiguous = size;
	follow->ahead_count = 0;
	return 0;
}
