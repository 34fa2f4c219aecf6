/*
 * xattr.h - what a document says of a file or folder, as extended attributes.
 *
 * user.oci.digest, .size, .mediatype, .artifacttype, .platform, .state (of a file: remote, cached
 * or staged), and user.oci.annotation.KEY: of the index, the descriptor, the layer.
 */
#ifndef INDEXFS_FS_TREE_XATTR_H
#define INDEXFS_FS_TREE_XATTR_H

#include "buf.h"
#include "fs/tree/tree.h"

#define XATTR_PREFIX "user.oci."
#define XATTR_TEXT_MAX 65536

/* The value. 0 or a positive errno, ENODATA where there is none. Takes the lock. */
int xattr_get(struct tree *tree, struct node *node, const char *name, struct buf *out);
/* The names, each with a NUL after it. Takes the lock. */
int xattr_list(struct tree *tree, struct node *node, struct buf *out);

#endif
