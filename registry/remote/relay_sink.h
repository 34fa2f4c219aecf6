/*
 * relay_sink.h - a blob that comes from one place, and after a break from another.
 */
#ifndef INDEXFS_REMOTE_RELAY_SINK_H
#define INDEXFS_REMOTE_RELAY_SINK_H

#include "store.h"

struct relay_sink {
	const struct store_sink *to;
	uint64_t next, end; /* what is missing still */
	uint64_t size; /* of all of the blob */
	bool begun;
	bool failed; /* who takes the bytes has */
};

/* Gives on what is missing. Where the first place gives all of the blob, that is what is missing.
 */
struct store_sink relay_sink(struct relay_sink *relay);

#endif
