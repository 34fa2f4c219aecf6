/*
 * upload.h - blobs go up in the background, from the moment that their file is closed.
 *
 * A changed file that nobody is writing is sealed and sent, in the order of closing, a few at a
 * time; a commit finds its blob there, or waits for the transfer that is under way (store.h). A
 * file that is written again, or removed, isn't sent any more.
 *
 * What failed is tried again: after 5 seconds, twice as long each time, up to 5 minutes, and at
 * once when anything is committed or the file is closed again. Most of what a registry refuses one
 * file it refuses all: as long as that lasts, one file at a time is tried for all of them.
 *
 * Only for a store behind a network. A local one would gain nothing, and keep as garbage what is
 * written anew before it is committed.
 */
#ifndef INDEXFS_FS_TREE_UPLOAD_H
#define INDEXFS_FS_TREE_UPLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "fs/tree/tree.h"

struct upload;

#define UPLOAD_PAUSE_MS 5000 /* before the first try again */

/* Begins with what the tree holds already. Does nothing where the tree can't be written, or its
 * store is a local one. Takes the lock. */
int uploader_start(struct tree *tree, int64_t pause_ms, struct error *err);
/* Ends what is under way, and waits for that. Takes the lock. */
void uploader_stop(struct tree *tree);
void uploader_free(struct uploader *uploader);

/* The rest is called with the lock held, but for upload_told(). */

/* Looks at what a file, or all that is below a directory, has become: sends what shall be sent,
 * and nothing else any more. */
void upload_consider(struct tree *tree, struct node *node);

/* The content of a file is about to be another. */
void upload_withdraw(struct tree *tree, struct node *node);
/* The same; waits for a moment, without the lock, until the staged file isn't read any more. */
void upload_let_go(struct tree *tree, struct node *node);

/* Something was committed: whatever was in the way isn't any more. */
void upload_again(struct tree *tree);

/* An error of a file's upload that nobody has been told of, once: -1 and *err. Takes the lock. */
int upload_told(struct tree *tree, struct node *node, struct error *err);

struct upload_view {
	const char *state; /* "staged", "uploading", "uploaded", "failed" */
	int64_t sent, size;
	int tries;
	const struct error *error; /* of the last try, until it has succeeded; NULL: none */
};

/* How far a changed file has come: false where it isn't to be sent now. */
bool upload_look(const struct tree *tree, const struct node *node, struct upload_view *out);

void upload_free(struct upload *upload);

#endif
