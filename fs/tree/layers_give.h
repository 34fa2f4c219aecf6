/*
 * layers_give.h - a manifest that was given through .oci, as the files of its platform folder.
 *
 * What it names is shown at once. What isn't committed is never lost by it: a file that was written
 * here has to be one of its layers, of the same path and content.
 */
#ifndef INDEXFS_FS_TREE_LAYERS_GIVE_H
#define INDEXFS_FS_TREE_LAYERS_GIVE_H

#include "digest.h"
#include "document.h"
#include "error.h"
#include "fs/tree/tree.h"

/* The files of a folder that aren't committed, sealed, with their digests. */
struct seals {
	struct seal {
		struct staged *staged; /* a reference */
		struct digest digest;
		int64_t size;
	} * items;
	size_t count;
};

/* Blocks while it hashes. Takes the lock. */
int seals_make(struct seals *out, struct tree *tree, struct node *folder, struct error *err);
void seals_clear(struct seals *seals);

/* ERROR_INVALID where something that isn't committed would be lost, or is in the way. The lock is
 * held in both. */
int layers_check(struct tree *tree, struct node *folder, const struct document *manifest,
	const struct seals *seals, struct error *err);

/* Shows the manifest, which is taken over. ERROR_MEMORY. */
int layers_give(
	struct tree *tree, struct node *folder, struct document *manifest, struct error *err);

#endif
