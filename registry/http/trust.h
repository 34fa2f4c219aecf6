/*
 * trust.h - authorities that are trusted beside the system's.
 */
#ifndef INDEXFS_HTTP_TRUST_H
#define INDEXFS_HTTP_TRUST_H

#include "buf.h"
#include "error.h"

#define TRUST_SIZE_MAX ((size_t)16 << 20)

/* Appends to *out what a PEM text holds, and what the system trusts: of the file or (NULL) where
 * libcurl would look. Memory takes the place of a file for libcurl, so the file's must be in it.
 * A folder that libcurl knows is asked all the same, and isn't read here. */
int trust_join(struct buf *out, const char *pem, const char *file, struct error *err);

#endif
