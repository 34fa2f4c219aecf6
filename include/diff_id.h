/*
 * diff_id.h - the digest of what a layer is once it's uncompressed (image-spec 1.1, config.md,
 * "Layer DiffID").
 *
 * The media type says how a layer is compressed: it ends with gzip or zstd, else the layer is taken
 * as it stands. Several gzip members or zstd frames one after another are one stream, as every
 * container runtime reads them; anything else after the end is refused, as they do.
 *
 * Memory is bounded whatever the file says: a zstd window of more than 128 MiB is refused. So is
 * what would keep the machine busy for nothing: more than 1 TiB, or, beyond the first GiB, more
 * than 2000 times the compressed size (gzip can't reach that; zstd does for nothing but zeros).
 */
#ifndef INDEXFS_DIFF_ID_H
#define INDEXFS_DIFF_ID_H

#include <stdbool.h>

#include "cancel.h"
#include "digest.h"
#include "error.h"

/* Whether a layer of this type is taken as it stands: its diff_id is its own digest. */
bool diff_id_is_own(const char *media_type);

/* sha256 of the uncompressed bytes of the file, read from its start by pread(); its position stays.
 * media_type NULL: the first bytes of the file say how it's compressed. name is for messages.
 * ERROR_INVALID where it's damaged, cut short, or not what media_type says; ERROR_TOO_LARGE for the
 * bounds above; ERROR_SYSTEM where it can't be read; ERROR_INTERRUPTED. */
int diff_id_of_fd(struct digest *out, int fd, const char *name, const char *media_type,
	struct cancel *cancel, struct error *err);

#endif
