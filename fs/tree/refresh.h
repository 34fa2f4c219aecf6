/*
 * refresh.h - reading follows the tag: it is asked again from time to time, when somebody looks.
 */
#ifndef INDEXFS_FS_TREE_REFRESH_H
#define INDEXFS_FS_TREE_REFRESH_H

#include "fs/tree/tree.h"

/* Somebody looks at the node: where its tag was last asked longer ago than the options say, it is
 * asked on the pool, and what others have made of it is shown once it's here. Never blocks for
 * that. Takes the lock. */
void refresh_touch(struct tree *tree, struct node *node);

/* The mount ends: what is under way ends soon, and nothing more is asked. Takes the lock. */
void refresh_stop(struct tree *tree);

#endif
