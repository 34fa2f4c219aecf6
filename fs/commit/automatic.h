/*
 * automatic.h - commits that no fsync has asked for: -o commit=close, idle, unmount.
 *
 *     close    soon after a file was closed, or something was renamed, removed and so on: when
 *              nothing more has come for a moment and no file is being written, and after two
 *              seconds also beside a file that is
 *     idle     when nothing has come for some seconds, and no file is being written
 *     unmount  when the mount ends; so do the others, with what is left
 *
 * A commit that fails is tried again after 1, 2, 4 seconds and so on up to five minutes, and at
 * once when something changes. One that waits for the user (a draft, a stray file, a conflict) is
 * tried again only then.
 */
#ifndef INDEXFS_FS_COMMIT_AUTOMATIC_H
#define INDEXFS_FS_COMMIT_AUTOMATIC_H

#include <stdbool.h>

#include "error.h"
#include "fs/tree/tree.h"

/* Begins to look after the tree's tag, in the modes where anything is to be done; what is not
 * committed from before counts as just changed. Takes the lock. */
int automatic_start(struct tree *tree, struct error *err);

/* Something at the node was changed, or a file of it was closed. Takes the lock. */
void automatic_touched(struct tree *tree, struct node *node);

/* The tag was committed by an fsync. Takes the lock. */
void automatic_committed(struct tree *tree, struct node *tag);

/* The mount has ended, and no request is under way: commits what is left, as long as it takes, but
 * no more than ten seconds from the moment in which hurried() is true. Takes the lock. */
void automatic_finish(struct tree *tree, bool (*hurried)(void *context), void *context);

/* Forgets all of it, once the pool and the timer do nothing more. */
void automatic_stop(struct tree *tree);

#endif
