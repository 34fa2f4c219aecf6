/*
 * edit.h - what changes the shape of the tree: create, mkdir, unlink, rmdir, rename, chmod.
 *
 * Each returns 0 or a positive errno, takes the lock, and reports what deserves an explanation.
 */
#ifndef INDEXFS_FS_TREE_EDIT_H
#define INDEXFS_FS_TREE_EDIT_H

#include <sys/types.h>

#include "fs/tree/tree.h"

/* The child that a name opens: its own, or the platform folder of which it is another spelling.
 * The lock is held. */
struct node *edit_lookup(struct tree *tree, struct node *parent, const char *name);

/* A new empty file, open for writing through no handle yet, with one pin in *out. */
int edit_create(
	struct tree *tree, struct node *parent, const char *name, mode_t mode, struct node **out);

/* A directory: at the top of a tag a platform folder. One pin in *out. */
int edit_mkdir(struct tree *tree, struct node *parent, const char *name, struct node **out);

int edit_unlink(struct tree *tree, struct node *parent, const char *name);
int edit_rmdir(struct tree *tree, struct node *parent, const char *name);

/* flags as renameat2(2): RENAME_NOREPLACE or none. EXDEV where a program has to copy. */
int edit_rename(struct tree *tree, struct node *parent, const char *name, struct node *new_parent,
	const char *new_name, unsigned flags);

/* Of the mode, the execute bits count. */
int edit_chmod(struct tree *tree, struct node *node, mode_t mode);

#endif
