/*
 * tag.h - a tag: the index that the registry has, and what it shall become.
 */
#ifndef INDEXFS_FS_TREE_TAG_H
#define INDEXFS_FS_TREE_TAG_H

#include <stdbool.h>
#include <stdint.h>

#include "annotations.h"
#include "document.h"
#include "fs/tree/tree.h"
#include "reference.h"

struct commit_request;
struct cancel;
struct automatic;

/* The commit that comes by itself, for status. */
struct next_commit {
	bool waits; /* there is something to be committed */
	int64_t at_ms; /* when, by the monotonic clock; 0: when something changes, or is closed */
	unsigned tries; /* that have failed since the last that has not */
	struct error error; /* why the last one failed, or what it waits for */
};

struct tag {
	char *name; /* NULL for a digest: read-only */
	bool exists; /* the registry has it: root is what it names */
	struct document root; /* an index, or a single manifest */
	/* What the registry has now, where that is a root of ours whose answer was lost: the
	 * changes over root have it in them. Unset else. */
	struct digest ours;
	struct descriptor single; /* for a single manifest: the entry that it would have */
	struct annotations annotations; /* of the index, as they shall be */
	uint64_t changes, committed; /* of annotations and of the list of folders */
	/* commit.c's: who waits for the next commit, who for the one that is under way */
	struct commit_request *waiting, *running;
	struct cancel *cancel; /* of the one under way */
	bool committing;
	struct automatic *automatic; /* automatic.c's; NULL: none */
	struct next_commit next;
};

/* Reads what the reference names and makes its node the tree's root. A tag that doesn't exist is
 * an empty one. Takes the lock; asks the store. */
int tag_open(struct tree *tree, const struct reference *reference, struct error *err);

/* Fills an empty tag or nested index with a folder for each entry. */
int tag_fill(struct tree *tree, struct node *node, const struct document *index, bool read_only,
	struct error *err);

/* Whether the tag is a single manifest, and this folder is it. */
bool tag_is_single(const struct tag *tag);

/* Whether anything differs from the base: what a commit would publish. */
bool tag_is_changed(const struct node *node);

#endif
