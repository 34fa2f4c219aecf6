/*
 * seen.h - what a store has last seen its tags at, with the ETags that came with it: what
 * conditional requests are made of (RFC 9110, "Conditional Requests"). Thread-safe.
 */
#ifndef INDEXFS_REMOTE_SEEN_H
#define INDEXFS_REMOTE_SEEN_H

#include <pthread.h>

#include "descriptor.h"
#include "error.h"
#include "registry/http/headers.h"

struct seen_tag;

struct seen {
	pthread_mutex_t lock;
	struct seen_tag *first; /* the newest */
};

void seen_init(struct seen *seen);
void seen_clear(struct seen *seen);

/* An answer has told what the tag names. One without an ETag forgets the one before it. */
void seen_note(struct seen *seen, const char *tag, const struct descriptor *what,
	const struct http_headers *headers);

/* The ETag, the caller's to free, by which a change may be bound to the tag's being at that digest;
 * NULL where there is none. */
char *seen_etag(struct seen *seen, const char *tag, const struct digest *digest);

/* The ETag by which to ask whether the tag has moved from *out, which is a copy then; NULL where
 * there is none that can only be of that digest: what else an ETag says is the host's secret. */
char *seen_last(struct seen *seen, const char *tag, struct descriptor *out);

#endif
