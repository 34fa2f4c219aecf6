/*
 * given_kind.h - the kinds of files in .oci that can be written: what they show, and what becomes
 * of what is written; private to given.c and given_kind.c.
 */
#ifndef INDEXFS_FS_TREE_GIVEN_KIND_H
#define INDEXFS_FS_TREE_GIVEN_KIND_H

#include "document_check.h"
#include "fs/tree/given.h"

struct given_kind {
	const char *name;
	bool of_tag, of_folder;
	bool line; /* one line; else a document, or a descriptor */
	bool asks; /* the store has to be asked */
	bool whole; /* a document */
	bool blob; /* what was written is a blob */
	bool made_first; /* by a commit, before it can be written */
	const char *(*text)(const struct node *owner); /* NULL: nothing to show */
	int (*take)(struct tree *tree, struct node *owner, const char *text, size_t len,
		const struct given *given, struct error *err);
	/* What goes with the file, when it is removed; NULL: the document stays as it is. */
	int (*remove)(struct tree *tree, struct node *owner, const struct given *given,
		struct error *err);
};

/* Those of tags and of folders; NULL after the last. */
const struct given_kind *given_kind_at(size_t number);
/* NULL where there is none of this name. */
const struct given_kind *given_kind_find(const char *name);
bool given_kind_is_of(const struct given_kind *kind, const struct node *owner);

/* The document that an owner stands on; NULL where it has none. */
const struct document *given_document_of(const struct node *owner);
/* What a document that is written for an owner as a whole may be. */
enum document_expected given_expected_of(const struct node *owner);

#endif
