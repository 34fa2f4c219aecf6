/*
 * codec.h - what uncompresses one format, a piece at a time.
 */
#ifndef INDEXFS_REGISTRY_COMPRESS_CODEC_H
#define INDEXFS_REGISTRY_COMPRESS_CODEC_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

/* One turn: what hasn't been taken yet, and the room for what comes of it. */
struct codec_turn {
	const unsigned char *in;
	size_t in_left;
	unsigned char *out;
	size_t out_left;
};

struct codec {
	/* NULL when out of memory. */
	void *(*open)(void);
	/* Uncompresses until in is used up or out is full, or a member ends; *ended then says that
	 * all could end here. Each call moves on if it has both in and room. ERROR_INVALID. */
	int (*step)(void *state, struct codec_turn *turn, bool *ended, struct error *err);
	void (*close)(void *state);
};

extern const struct codec codec_gzip;
extern const struct codec codec_zstd;

#endif
