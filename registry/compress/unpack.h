/*
 * unpack.h - hashes what a stream holds that is fed piece by piece, within limits.
 */
#ifndef INDEXFS_REGISTRY_COMPRESS_UNPACK_H
#define INDEXFS_REGISTRY_COMPRESS_UNPACK_H

#include <stddef.h>
#include <stdint.h>

#include "digest.h"
#include "error.h"

enum compression { COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_ZSTD };

/* What a media type says, by its ending. */
enum compression compression_of_type(const char *media_type);
/* What the first bytes of a file say. */
enum compression compression_of_bytes(const void *bytes, size_t len);

struct unpack_limits {
	uint64_t total; /* so many bytes may come out */
	uint64_t free; /* so many whatever went in */
	uint64_t ratio; /* beyond that, so many for each byte that went in */
};

#define UNPACK_LIMITS                                                                              \
	{                                                                                          \
		.total = (uint64_t)1 << 40, .free = (uint64_t)1 << 30, .ratio = 2000               \
	}

struct unpack;

/* NULL when out of memory. */
struct unpack *unpack_new(enum compression compression, const struct unpack_limits *limits);
void unpack_free(struct unpack *unpack);

/* ERROR_INVALID, ERROR_TOO_LARGE; nothing can be fed after an error. */
int unpack_feed(struct unpack *unpack, const void *bytes, size_t len, struct error *err);

/* That was all: the digest of what came out. ERROR_INVALID where it ended too early. */
int unpack_finish(struct unpack *unpack, struct digest *out, struct error *err);

#endif
