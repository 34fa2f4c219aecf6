/*
 * tag_list.h - a page of a repository's tags (distribution-spec 1.1, "Listing Tags").
 *
 *     { "name": "app", "tags": ["v1", "v2"] }
 */
#ifndef INDEXFS_MODEL_TAG_LIST_H
#define INDEXFS_MODEL_TAG_LIST_H

#include <stddef.h>

#include "error.h"

/* What a registry without pages may send at once: more than 100,000 tags of full length. */
#define TAG_LIST_SIZE_MAX ((size_t)16 << 20)

/* Gives take each tag, in the order of the text; -1 from it, with *err set, ends the reading. What
 * can't be a tag is left out, and tags that are null are none, as Go writes them. Uses no memory
 * that grows with the list. json[len] must be a NUL. ERROR_CORRUPT. */
int tag_list_read(const char *json, size_t len,
	int (*take)(void *context, const char *tag, struct error *err), void *context,
	struct error *err);

#endif
