/*
 * reply.h - nodes as the kernel wants them told.
 */
#ifndef INDEXFS_FS_MOUNT_REPLY_H
#define INDEXFS_FS_MOUNT_REPLY_H

#include <sys/stat.h>

#include "fs/mount/fuse.h"

/* What the kernel may believe for how long: everything is changed through it, but for the files
 * that are made of text. */
double attr_timeout(const struct node *node);

/* The lock is held in all of these. */
void attr_fill(struct tree *tree, struct node *node, struct stat *out);

/* Counts one lookup of the node. name is what the kernel knows it by. */
void entry_fill(
	struct tree *tree, struct node *node, const char *name, struct fuse_entry_param *out);

#endif
