/*
 * xattr.h - what a document says of a file or folder, as extended attributes.
 *
 * user.oci.annotation.KEY are the annotations of the index, the entry, the layer: the ones that
 * annotations.json tells of, to be set and removed. A layer's title is its file's name and its
 * mode the execute bit, here as there.
 *
 * user.oci.digest, .size, .mediatype, .artifacttype, .platform and .state (of a file: remote,
 * cached, staged, uploading, uploaded or failed) answer who asks for them by name, and are in no
 * list: programs that copy files with their attributes take what is listed, and set it on the copy,
 * of which it would be untrue. The media type of a file that isn't in the registry can be set. Of
 * the tag, user.oci.settle takes how conflicts are to be settled (conflict.h), and can't be read.
 */
#ifndef INDEXFS_FS_TREE_XATTR_H
#define INDEXFS_FS_TREE_XATTR_H

#include "buf.h"
#include "fs/tree/tree.h"

#define XATTR_PREFIX "user.oci."
#define XATTR_TEXT_MAX 65536 /* the kernel's XATTR_SIZE_MAX and XATTR_LIST_MAX */

/* All take the lock, and names with their prefix. 0 or a positive errno: ENODATA where there is
 * none, E2BIG for what is longer than the kernel takes. */
int xattr_get(struct tree *tree, struct node *node, const char *name, struct buf *out);
/* The names, each with a NUL after it. */
int xattr_list(struct tree *tree, struct node *node, struct buf *out);

/* value is size bytes, flags are those of setxattr(2). The node's folder is loaded. ENOTSUP for
 * what is no attribute here, EPERM for what can't be set, EINVAL for what isn't text. */
int xattr_set(struct tree *tree, struct node *node, const char *name, const char *value,
	size_t size, int flags);
int xattr_remove(struct tree *tree, struct node *node, const char *name);

#endif
