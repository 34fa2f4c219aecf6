/*
 * text.h - files that are made of text and can be written: annotations.json, and the documents in
 * .oci.
 *
 * Such a file shows what the tree knows. What is written to it is a draft, a staged file, until it
 * is closed; then it is taken over, or it stays as it is, to be mended, and nothing is committed
 * until it is.
 */
#ifndef INDEXFS_FS_TREE_TEXT_H
#define INDEXFS_FS_TREE_TEXT_H

#include "buf.h"
#include "error.h"
#include "fs/tree/tree.h"

#define TEXT_MAX ((size_t)4 << 20)

/* The text for a file without a draft. The lock is held. */
int text_make(struct node *file, struct buf *out, struct error *err);

/* Takes over what was written to such a file; nothing for any other. ERROR_INVALID where it isn't
 * valid: the text stays as a draft. May ask the store. Takes the lock. */
int text_take(struct tree *tree, struct node *file, struct error *err);
/* The same for a commit, before it looks at the tree. While one runs, text_take() leaves documents
 * of .oci for the next. */
int text_take_for_commit(struct tree *tree, struct node *file, struct error *err);

/* A file was closed by one who may have emptied it and written nothing, of which close(2) tells
 * nothing: takes a document that nobody is writing. Takes the lock. */
void text_take_emptied(struct tree *tree, struct node *file);

/* Takes the documents of a tag that were closed while a commit ran. Takes the lock. */
void text_take_waiting(struct tree *tree, struct node *tag);

/* The file shows what the tree knows again, where nobody has written a draft. The lock is held. */
void text_regenerate(struct node *file);

/* Calls do_file() for each such file of a tag or platform folder. The lock is held. */
void text_each(
	struct node *owner, void (*do_file)(void *context, struct node *file), void *context);

#endif
