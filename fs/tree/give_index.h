/*
 * give_index.h - an index that was given through .oci, as the folders of its tag.
 */
#ifndef INDEXFS_FS_TREE_GIVE_INDEX_H
#define INDEXFS_FS_TREE_GIVE_INDEX_H

#include "document.h"
#include "error.h"
#include "fs/tree/tree.h"

/* Manifests that folders which are shown shall show then. */
struct manifests {
	struct document *items;
	size_t count;
};

/* Fetches them. ERROR_INVALID where the repository lacks one, with its path in the index; the
 * errors of the store. Takes the lock. */
int manifests_fetch(struct manifests *out, struct tree *tree, struct node *tag,
	const struct document *index, struct error *err);
void manifests_clear(struct manifests *manifests);

/* The index, which is copied, is what the tag stands on, and its folders are what it says.
 * ERROR_INVALID where something that isn't committed would be lost by that: nothing is changed
 * then. The lock is held. */
int index_give(struct tree *tree, struct node *tag, const struct document *index,
	const struct manifests *manifests, struct error *err);

/* ERROR_INVALID where a commit would make another index than the one that is given: a folder, but
 * for the one that is excepted (NULL: none), is new, renamed or changed. The lock is held. */
int index_check_changes(const struct node *tag, const struct node *except, struct error *err);

/* Whether it could be given, with nothing being changed. */
int index_check(struct tree *tree, struct node *tag, const struct document *index,
	const struct manifests *manifests, struct error *err);

#endif
