/*
 * history.h - what was done to a tag since its base: written to the journal as it is done, and
 * done again from it when the tag is mounted again.
 *
 * A record tells of one change by path, in the terms of edit.h. What a record stands on (the root
 * document, and the manifests of the folders that change) is kept beside it. After a commit the
 * journal is made anew from what still differs.
 *
 * The lock is held in all calls but history_open, history_close, history_replay. Each returns 0,
 * or -1 with *err set where the record could not be written: then the change must not be made.
 */
#ifndef INDEXFS_FS_TREE_HISTORY_H
#define INDEXFS_FS_TREE_HISTORY_H

#include <stdbool.h>

#include "fs/tree/intent.h"
#include "fs/tree/tree.h"
#include "fs/tree/version.h"

struct history;

/* Opens the journal of a state folder. */
int history_open(struct history **out, const char *dir, struct error *err);
void history_close(struct history *history);

/* Whether nothing was done since the base. history may be NULL. */
bool history_is_empty(const struct history *history);

/* A file has other content, or is new; a directory or folder is new. It stands in the tree. */
int history_made(struct tree *tree, const struct node *node, struct error *err);
int history_removed(struct tree *tree, const struct node *node, struct error *err);
int history_renamed(struct tree *tree, const struct node *node, const struct node *new_parent,
	const char *new_name, struct error *err);
int history_mode(struct tree *tree, const struct node *node, struct error *err);
int history_time(struct tree *tree, const struct node *node, struct error *err);
/* The notes of a tag or folder are set from its annotations.json, whose text this is, and with them
 * the modes of its files that it tells. */
int history_notes(struct tree *tree, const struct node *owner, const char *text, struct error *err);
/* A document, or a descriptor, was given through a file in .oci of the owner. */
int history_given(struct tree *tree, const struct node *owner, const char *name, const char *text,
	bool whole, struct error *err);
/* One annotation of a node was set, or (value is NULL) removed. */
int history_annotated(struct tree *tree, const struct node *node, const char *key,
	const char *value, struct error *err);
/* A file's media type was set, or (NULL) left to its name. */
int history_media_type(struct tree *tree, const struct node *node, struct error *err);

/* The tag is about to be moved. Durable. */
int history_intent(struct tree *tree, const struct intent *intent, struct error *err);

/* Keeps documents that an intent names. Durable. */
int history_keep(
	struct tree *tree, const struct document *documents, size_t count, struct error *err);

/* The base is another, or has come to be: what differs from it is all that counts. Where that can't
 * be written down the journal is behind: it tells of the base before. Nothing can be changed then
 * (it is tried again with each change, and every few seconds), and no staged file goes. */
int history_rebase(struct tree *tree, struct error *err);
bool history_is_behind(const struct tree *tree);
#define HISTORY_BEHIND "could not be written down here, and until it is nothing can be changed"

/* Makes the journal anew, on the same base: on failure it stays, and is as good. */
int history_compact(struct tree *tree, struct error *err);
#define HISTORY_LONG "the journal could not be made shorter"

/* Whether a journal that could not be restored in full is kept (journal_keep()). */
bool history_is_kept(const struct history *history);

/* The bytes of a staged file are on disk, or doubtful: whatever is known of them. */
int history_on_disk(struct tree *tree, struct staged *staged, struct error *err);

/* Puts what is in the journal on disk, without holding up who goes on: begin, with the lock held,
 * gives what flush takes, without it. */
int history_flush_begin(struct tree *tree);
int history_flush(struct tree *tree, int fd, struct error *err);
/* Whether nothing was written down since. */
bool history_is_flushed(const struct tree *tree);

/* Whether the journal is much longer than what it would be anew. */
bool history_has_grown(const struct tree *tree);

/* What the journal stands on. */
struct history_base {
	struct version version;
	struct intents intents;
};
/* Asks the store for a root that isn't kept, or is damaged. */
int history_base(struct history *history, struct history_base *out, struct store *store,
	struct log *log, struct error *err);

/* Does everything again, on a tree that shows the base. Asks the store for manifests that aren't
 * kept: where they can't be had now, that is the error, and nothing is lost. What can't be done
 * again for another reason is reported, and the rest is done. Takes the lock. */
int history_replay(struct tree *tree, struct error *err);

/* A manifest that the journal stands on. ERROR_NOT_FOUND. Takes no lock. */
int history_document(struct history *history, struct document *out, const struct digest *digest,
	struct error *err);

#endif
