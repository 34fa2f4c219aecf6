/*
 * blobs.h - blobs/ALGORITHM/ENCODED of a layout (image-layout.md, "Blobs").
 *
 * dir is the layout's folder, open. Paths are made of digests that have been parsed and can be
 * verified, and of nothing else; another digest is ERROR_CORRUPT.
 */
#ifndef INDEXFS_REGISTRY_LAYOUT_BLOBS_H
#define INDEXFS_REGISTRY_LAYOUT_BLOBS_H

#include "store.h"

/* The blob, open for reading. ERROR_NOT_FOUND; ERROR_CORRUPT where it hasn't this size. */
int layout_blob_open(int dir, const struct digest *digest, int64_t size, struct error *err);

/* Whether a file of this size is there. */
int layout_blob_present(
	int dir, bool *out, const struct digest *digest, int64_t size, struct error *err);

/* Gives the sink length bytes from offset on. */
int layout_blob_copy_out(int dir, const struct digest *digest, int64_t size, uint64_t offset,
	uint64_t length, const struct store_sink *sink, struct cancel *cancel, struct error *err);

/* The whole of a small blob, up to out's ceiling, checked against its digest. */
int layout_blob_read(int dir, struct buf *out, const struct digest *digest, struct error *err);

/* Makes the blob exist, durably; the bytes are checked before it has its name. */
int layout_blob_write(int dir, const struct digest *digest, const struct store_source *source,
	struct cancel *cancel, struct error *err);
int layout_blob_write_bytes(
	int dir, const struct digest *digest, const void *bytes, size_t len, struct error *err);

#endif
