/*
 * given.h - what can be written in .oci: the documents of a tag or platform folder, or parts of
 * them (manifest.json, descriptor.json, artifact-type, subject).
 *
 * What was given is what the view stands on from then on: the tree shows it at once, later changes
 * are made into its bytes, and a commit publishes it. What the registry had is kept beside it, to
 * be merged upon. Every other file in .oci that a program makes is a scratch file.
 */
#ifndef INDEXFS_FS_TREE_GIVEN_H
#define INDEXFS_FS_TREE_GIVEN_H

#include <stdbool.h>

#include "buf.h"
#include "descriptor.h"
#include "error.h"
#include "fs/tree/give_index.h"
#include "fs/tree/layers_give.h"
#include "fs/tree/tree.h"

/* A text on its way to be taken, and what the store says about it. */
struct given {
	const struct given_kind *kind; /* NULL: no document */
	bool by_commit; /* what a commit begins with; while one runs, nothing else is taken */
	bool has_subject;
	struct descriptor subject;
	struct node *owner; /* pinned by its file */
	struct seals seals; /* of the files of the folder that a manifest is for */
	struct manifests manifests; /* that an index wants to be shown */
	struct staged *staged; /* what was written; borrowed */
	struct digest digest; /* of a blob, once sealed */
	int64_t size;
};

/* Of the documents of an owner, the one with this number: its name, NULL after the last. *there:
 * whether it has something to show. The lock is held in all of these but given_ask(). */
const char *given_name(const struct node *owner, size_t number, bool *there);

/* Whether that is the name of one of them. */
bool given_has_name(const struct node *owner, const char *name);

/* Whether a file of this name may be made in .oci of the owner: EPERM, or 0. */
int given_allowed(const struct node *owner, const char *name);

int given_text(struct node *file, struct buf *out, struct error *err);

/* In this order: what file it is; what only the store knows, without the lock; taking it over.
 * ERROR_INVALID tells what is wrong with the text, by path, line and column. */
void given_begin(struct given *given, const struct node *file);
int given_ask(struct given *given, struct tree *tree, const struct buf *text, struct error *err);
/* *later: a commit is under way: nothing was done, and it is to be taken after that. */
int given_take(struct tree *tree, struct node *file, const struct buf *text,
	const struct given *given, bool *later, struct error *err);
void given_clear(struct given *given);

/* Whether what was written goes on to be what the file holds, until a commit has sent it: a blob.
 */
bool given_is_kept(const struct node *file);

/* The blob that the file shows, where nothing was written: NULL for all others. */
const struct descriptor *given_blob(const struct node *file);

/* A document's file is about to be removed: a line goes with what it says, and what was written to
 * config.json isn't the manifest's config any more. */
int given_removed(struct tree *tree, struct node *file, struct error *err);

/* Does again what a record of the history tells of: a document, or a descriptor.json, was given
 * through the file of this name. whole: all of it was written. Takes the lock; may ask the store.
 */
int given_again(struct tree *tree, struct node *owner, const char *name, const char *text,
	bool whole, struct error *err);

#endif
