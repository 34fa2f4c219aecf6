/*
 * commit.h - what fsync does: the changes of a tag become blobs, manifests, an index and the tag.
 *
 * One commit of a tag is under way at a time. Who asks while one is, waits for the next, together
 * with everybody else who asked meanwhile: what was changed before the asking is in it.
 */
#ifndef INDEXFS_FS_COMMIT_H
#define INDEXFS_FS_COMMIT_H

#include <stdbool.h>

#include "cancel.h"
#include "error.h"
#include "fs/tree/tree.h"

/* Somebody who waits for a commit. The memory is the caller's until done() is called. */
struct commit_request {
	struct node *focus; /* the file that fsync was called on, or NULL; pinned by the caller */
	/* Called once, with no lock held; err is NULL where the tag points to what was asked. */
	void (*done)(struct commit_request *request, const struct error *err);
	bool abandoned;
	struct commit_request *next;
};

/* Runs work on the pool as a commit runs: none is under way meanwhile, and those who ask for one
 * wait until it has returned. False where one is under way now, or nothing can be run. The lock is
 * held; work takes it itself. */
bool commit_run(struct tree *tree, struct node *tag,
	void (*work)(struct tree *tree, struct node *tag, struct cancel *cancel));

/* Begins, or waits for, a commit of the tag on the pool. Takes the lock. */
void commit_request(struct tree *tree, struct node *tag, struct commit_request *request);

/* Nobody waits for this request's answer any more; done() is still called. A commit for which
 * nobody waits is ended: what it has not published stays as it is. Takes the lock. */
void commit_abandon(struct tree *tree, struct node *tag, struct commit_request *request);

/* The mount ends: a commit that is under way has ten seconds, the watch over the last push three,
 * and is ended then. */
void commit_stop(struct tree *tree);

#endif
