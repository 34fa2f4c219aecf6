/*
 * turn.h - mounts on one machine take turns at a tag, by a lock on a file that they share.
 *
 * It is held from the last look at the tag until the tag was read back, so that they don't
 * overwrite each other where the registry lets them. Nobody depends on it: who can't have it, or
 * waits too long for it, goes on without.
 */
#ifndef INDEXFS_FS_COMMIT_TURN_H
#define INDEXFS_FS_COMMIT_TURN_H

#include "cancel.h"
#include "error.h"
#include "log.h"

#define TURN_WAIT_MS 10000

struct turn {
	const char *path; /* of the file; NULL: nobody to take turns with */
	int wait_ms;
	struct log *log;
	int fd; /* where the turn is ours, else -1 */
};

/* publication.turn_begin and turn_end, for which a turn is the context. ERROR_INTERRUPTED. */
int turn_begin(void *turn, struct cancel *cancel, struct error *err);
void turn_end(void *turn);

/* The path of the file for what that name names, in a folder of the user's that is made if missing;
 * a few hundred files serve all names. The caller frees it. NULL with *err. */
char *turn_path(const char *folder, const char *name, struct error *err);

#endif
