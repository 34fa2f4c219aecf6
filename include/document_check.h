/*
 * document_check.h - whether a document that somebody has written may be published.
 *
 * document_parse() takes what others have published, and overlooks what does no harm. This is the
 * strict side, for what is written by hand: each MUST of image-spec 1.1 (image-index.md,
 * manifest.md, descriptor.md, annotations.md) that a document can keep or break by itself. Whatever
 * passes, document_parse() takes as well.
 */
#ifndef INDEXFS_DOCUMENT_CHECK_H
#define INDEXFS_DOCUMENT_CHECK_H

#include <stddef.h>

#include "error.h"

enum document_expected { DOCUMENT_EITHER, DOCUMENT_ONLY_INDEX, DOCUMENT_ONLY_MANIFEST };

/* ERROR_INVALID tells the place in the document, as a path and as line and column, and what is
 * wrong there: "manifests[3].digest: line 9, column 17: "md5" is not a digest". ERROR_TOO_LARGE. */
int document_check(
	const char *json, size_t len, enum document_expected expected, struct error *err);

/* The same for a descriptor alone, an entry of an index. */
int descriptor_check(const char *json, size_t len, struct error *err);

#endif
