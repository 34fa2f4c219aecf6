/*
 * durable.h - what was done is on disk about a second later, in the background.
 *
 * First the bytes of files that were closed, then the journal, which says whose bytes they are. A
 * file that the journal tells of, and of which it doesn't say that it was on disk when the machine
 * went down, is doubtful: it is shown, and not published before the user has said that it's good,
 * by writing, touching or removing it.
 */
#ifndef INDEXFS_FS_TREE_DURABLE_H
#define INDEXFS_FS_TREE_DURABLE_H

#include <stdbool.h>

#include "fs/tree/tree.h"

/* Something was written down, or closed. The lock is held. */
void durable_soon(struct tree *tree);

/* The mount ends: what is under way in the background ends soon. */
void durable_stop(struct tree *tree);
/* All that is closed, now. Takes the lock; what goes wrong is reported. */
void durable_now(struct tree *tree);

/* After a failure: where the disk is full, what was removed a moment ago goes from it now, and true
 * says that trying again may help. Takes the lock. */
bool durable_makes_room(struct tree *tree, const struct error *err);

/* The file is about to be written, and what the journal says of it won't be true any more: that is
 * on disk before. Takes the lock. */
int durable_leave(struct tree *tree, struct node *node, struct error *err);

/* Whether it is a file that may not be whole. The lock is held. */
bool durable_is_doubtful(const struct node *node);
/* What is the matter with it, and what to do. Always -1. */
int durable_doubt(const struct node *node, struct error *err);
/* The user has looked at it, and it's good: written down with its time. What isn't doubtful stays
 * as it is. The lock is held. */
int durable_trust(struct tree *tree, struct node *node, struct error *err);

#endif
