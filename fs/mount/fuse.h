/*
 * fuse.h - libfuse, as this folder uses it. The API version comes from the Makefile.
 */
#ifndef INDEXFS_FS_MOUNT_FUSE_H
#define INDEXFS_FS_MOUNT_FUSE_H

#include <fuse_lowlevel.h>
#include <stdatomic.h>

#include "fs/tree/tree.h"

/* What every operation gets as its user data. */
struct mount {
	struct tree tree;
	struct fuse_session *session;
	struct snapshot *snapshots; /* ops_directory.c's: of the directories that are open */
	atomic_bool ended; /* the kernel is told nothing any more */
	/* Called once the kernel has begun to talk. */
	void (*ready)(void *context);
	void *ready_context;
};

/* The table of operations. */
extern const struct fuse_lowlevel_ops mount_ops;

static inline struct tree *request_tree(fuse_req_t req)
{
	struct mount *mount = fuse_req_userdata(req);

	return &mount->tree;
}

#endif
