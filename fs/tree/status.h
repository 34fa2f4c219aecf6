/*
 * status.h - what isn't committed, and what went wrong, as JSON.
 */
#ifndef INDEXFS_FS_TREE_STATUS_H
#define INDEXFS_FS_TREE_STATUS_H

#include "buf.h"
#include "fs/tree/tree.h"

/* The text of .oci/status for what lies below owner. 0 or -1 as buf_append(). */
int status_make(struct tree *tree, const struct node *owner, struct buf *out);

/* How many files and folders below it aren't committed. */
size_t status_changes(const struct tree *tree, const struct node *owner);

/* Whether it is an ordinary file or directory at the top of a tag, in no platform. */
bool node_is_stray(const struct tree *tree, const struct node *node);

/* Whether the tag can't be committed before the user has mended something, and what. */
bool status_blocked(const struct tree *tree, const struct node *tag, struct error *why);

#endif
