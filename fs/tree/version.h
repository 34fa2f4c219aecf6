/*
 * version.h - what a tag names at one moment: nothing, an index, or a single manifest.
 */
#ifndef INDEXFS_FS_TREE_VERSION_H
#define INDEXFS_FS_TREE_VERSION_H

#include <stdbool.h>
#include <stddef.h>

#include "cancel.h"
#include "descriptor.h"
#include "document.h"
#include "error.h"
#include "reference.h"
#include "store.h"

struct version {
	struct document root; /* no json: the tag isn't there */
	struct descriptor
		entry; /* of a single manifest: the entry that an index would have of it */
};

#define VERSION_INIT                                                                               \
	{                                                                                          \
		.root = DOCUMENT_INIT, .entry = DESCRIPTOR_INIT                                    \
	}

static inline bool version_exists(const struct version *version)
{
	return version->root.json != NULL;
}

static inline bool version_is_single(const struct version *version)
{
	return version_exists(version) && version->root.kind == DOCUMENT_MANIFEST;
}

/* Unset where the tag isn't there. */
static inline struct digest version_digest(const struct version *version)
{
	return version_exists(version) ? version->root.digest : (struct digest)DIGEST_NONE;
}

/* The platform of a single manifest; NULL where none is known. */
static inline const struct platform *version_platform(const struct version *version)
{
	return version->entry.has_platform ? &version->entry.platform : NULL;
}

/* What the reference names now; a tag that isn't there is no error. Into an empty version. */
int version_fetch(struct version *out, struct store *store, const struct reference *reference,
	struct cancel *cancel, struct error *err);

int version_copy(struct version *out, const struct version *from, struct error *err);
void version_clear(struct version *version);

/* Puts another in its place, which is empty then. */
void version_take(struct version *version, struct version *from);

/* What a version shows at the top of its tag: the entries, borrowed from it, and the name of the
 * folder of each. */
struct entry_list {
	const struct descriptor *items;
	char **names;
	size_t count;
};

int version_entries(struct entry_list *out, const struct version *version, struct error *err);
void entry_list_clear(struct entry_list *list);

#endif
