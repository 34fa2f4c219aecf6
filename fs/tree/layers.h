/*
 * layers.h - the layers of a manifest as the files of a platform folder.
 *
 * folder->manifest is what is shown, and folder->paths where.
 */
#ifndef INDEXFS_FS_TREE_LAYERS_H
#define INDEXFS_FS_TREE_LAYERS_H

#include <stdbool.h>

#include "document.h"
#include "error.h"
#include "fs/tree/tree.h"

/* Takes over a manifest for a folder that has none, and makes the files. On failure the folder has
 * to be emptied. */
int layers_show(
	struct tree *tree, struct node *folder, struct document *manifest, struct error *err);

/* Whether a folder in which nothing has changed can show another manifest (NULL: none): nothing
 * that is only here, a scratch file or an empty directory, is in the way of its layers, and nobody
 * is about to write to a layer that would go. */
bool layers_can_change(
	const struct tree *tree, struct node *folder, const struct document *manifest);

/* Shows another manifest, which is taken over, in such a folder: a layer of the same path and
 * digest stays the same file; what is only here stays. What the kernel has to know is noted as
 * stale. On failure the folder shows no layer, and has no manifest. */
int layers_change(
	struct tree *tree, struct node *folder, struct document *manifest, struct error *err);

/* Takes the files of all layers away, and the manifest. */
void layers_hide(struct tree *tree, struct node *folder);

#endif
