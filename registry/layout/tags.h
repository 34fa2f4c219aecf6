/*
 * tags.h - the index.json of a layout (image-layout.md, "index.json File"): what its tags name.
 *
 * A tag is an entry whose annotation org.opencontainers.image.ref.name is exactly the tag. dir is
 * the layout's folder, open.
 */
#ifndef INDEXFS_REGISTRY_LAYOUT_TAGS_H
#define INDEXFS_REGISTRY_LAYOUT_TAGS_H

#include "cancel.h"
#include "document.h"
#include "error.h"

/* The whole index.json. */
int layout_index_read(int dir, struct document *out, struct error *err);

/* Gives take each tag once, in the order of their bytes. Names that can't be tags are left out. */
int layout_tags_list(int dir, int (*take)(void *context, const char *tag, struct error *err),
	void *context, struct error *err);

/* The entry of the tag. ERROR_NOT_FOUND. */
int layout_tag_find(int dir, struct descriptor *out, const char *tag, struct error *err);

/* Makes the tag name the document, which must be among the blobs; at once for every reader, and
 * durably. Waits up to timeout seconds for others who do the same; what they wrote is kept.
 * expected is as of store_ops.document_put. */
int layout_tag_point(int dir, const char *tag, const struct document *document,
	const struct digest *expected, int timeout, struct cancel *cancel, struct error *err);

/* Sees to it that index.json names the document, under whatever tag or none: nothing else leads to
 * a referrer. Waits as above. */
int layout_entry_keep(int dir, const struct document *document, int timeout, struct cancel *cancel,
	struct error *err);

#endif
