/*
 * watch.h - after a push: whether somebody who has not seen it takes it out of the tag again.
 *
 * Few registries let a push depend on what the tag names. Who has read the tag before our push and
 * writes it after that replaces ours by his. So the tag is read again half a second, a second and
 * two seconds after a push; what is missing is put back, and that push is watched in its turn. What
 * he has changed himself stays as he wants it. Somebody who undoes the same several times means it.
 *
 * A store that keeps to conditions (store.h, atomic_tags) needs none of this.
 */
#ifndef INDEXFS_FS_COMMIT_WATCH_H
#define INDEXFS_FS_COMMIT_WATCH_H

#include "error.h"
#include "fs/commit/push.h"
#include "fs/tree/tree.h"

/* Makes ready for the tag of the tree. */
int watch_start(struct tree *tree, struct error *err);

/* A commit has pushed this, which is taken over. Takes the lock. */
void watch_begin(struct tree *tree, struct node *tag, struct pushed *pushed);

/* Once the pool and the timer do nothing more. */
void watch_stop(struct tree *tree);

#endif
