/*
 * mounts.h - the mounts of this program that this machine has, as /proc/self/mountinfo tells.
 */
#ifndef INDEXFS_FS_CMD_MOUNTS_H
#define INDEXFS_FS_CMD_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

struct mounted {
	char *mountpoint, *source;
};

/* In the order in which they were mounted: of two at one place, the later one is what is seen. */
struct mounts {
	struct mounted *items;
	size_t count;
};

int mounts_read(struct mounts *out, struct error *err);
void mounts_clear(struct mounts *mounts);

/* Takes the text of a mountinfo (proc_pid_mountinfo(5)). What it doesn't understand is no mount of
 * ours. Only memory can be wanting. */
int mounts_parse(struct mounts *out, const char *text, struct error *err);

/* The mount at exactly this path, and the one that a path lies in; NULL where there is none. Paths
 * are absolute, as of path_resolve(). */
const struct mounted *mounts_at(const struct mounts *mounts, const char *path);
const struct mounted *mounts_of(const struct mounts *mounts, const char *path);

/* Whether the program that serves a mount has ended: all that is done there is ENOTCONN. */
bool mounted_is_dead(const char *mountpoint);

/* An absolute path without symbolic links, of something that need not exist, nor answer. The
 * caller frees it. */
char *path_resolve(const char *path, struct error *err);

#endif
