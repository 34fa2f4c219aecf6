/*
 * notify.h - tells the kernel what it has to forget.
 */
#ifndef INDEXFS_FS_MOUNT_NOTIFY_H
#define INDEXFS_FS_MOUNT_NOTIFY_H

#include "fs/mount/fuse.h"

/* From the moment on in which the session serves, until it ends. Both take the lock. */
void notify_begin(struct mount *mount);
void notify_end(struct mount *mount);

#endif
