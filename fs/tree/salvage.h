/*
 * salvage.h - what a replay of the history could not restore: it's told of, and is no removal.
 */
#ifndef INDEXFS_FS_TREE_SALVAGE_H
#define INDEXFS_FS_TREE_SALVAGE_H

#include "fs/tree/tree.h"

/* After a replay. A file whose new content is missing is what the base has at its path, or goes.
 * Where records are missing (tree->incomplete), nobody can tell what was removed: what the base has
 * and the tree doesn't is there again. In both cases what a commit was about to publish isn't taken
 * for ours any more: what is missing here would pass for removed. The lock is held. */
void salvage(struct tree *tree);

#endif
