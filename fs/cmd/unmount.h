/*
 * unmount.h - takes a mount away: by itself as root, else through fusermount3.
 */
#ifndef INDEXFS_FS_CMD_UNMOUNT_H
#define INDEXFS_FS_CMD_UNMOUNT_H

#include "error.h"

/* UNMOUNT_DETACH: also where it's in use, or dead. */
enum unmount_how { UNMOUNT_WHOLE, UNMOUNT_DETACH };

int unmount(const char *mountpoint, enum unmount_how how, struct error *err);

#endif
