/*
 * state.h - where a mount keeps what isn't committed: a folder for each SOURCE, with one owner.
 */
#ifndef INDEXFS_FS_MOUNT_STATE_H
#define INDEXFS_FS_MOUNT_STATE_H

#include <stdbool.h>

#include "error.h"

struct state {
	char *dir; /* of this source */
	int lock_fd; /* held as long as the mount lives */
};

/* Makes DIR/NAME, where NAME is made from the source's text, and locks it where the mount can be
 * written. ERROR_INVALID, with the process that holds it, where another such mount has it. */
int state_open(struct state *state, const char *dir, const char *source, const char *mountpoint,
	bool writable, struct error *err);
void state_close(struct state *state);

/* Makes a folder and those above it, each 0700 where it's made. */
int make_folders(const char *path, struct error *err);

#endif
