/*
 * tag.h - a tag: the index that the registry has, and what it shall become.
 */
#ifndef INDEXFS_FS_TREE_TAG_H
#define INDEXFS_FS_TREE_TAG_H

#include <stdbool.h>
#include <stdint.h>

#include "annotations.h"
#include "document.h"
#include "fs/tree/conflict.h"
#include "fs/tree/intent.h"
#include "fs/tree/tree.h"
#include "fs/tree/version.h"
#include "reference.h"

struct commit_request;
struct cancel;
struct automatic;
struct watch;

/* The commit that comes by itself, for status. */
struct next_commit {
	bool waits; /* there is something to be committed */
	int64_t at_ms; /* when, by the monotonic clock; 0: when something changes, or is closed */
	unsigned tries; /* that have failed since the last that has not */
	struct error error; /* why the last one failed, or what it waits for */
};

/* Our last push, as long as somebody who has not seen it may undo it (watch.c). */
struct last_push {
	bool watched;
	struct version before; /* what the tag named until then */
	struct version made; /* what it named then */
	struct intents older; /* may still come, and have nothing that made hasn't */
};

struct tag {
	char *name; /* NULL for a digest: read-only */
	struct version base; /* what the view stands on */
	/* An index was given through .oci: base is that, or has changes of it, and this is what it
	 * was given upon. */
	bool given;
	bool whole; /* it was the index as a whole */
	struct version origin;
	/* What the registry was last seen to have, where that is something else. */
	bool moved;
	struct version now;
	int64_t asked_ms; /* when the registry last said where it is, by the monotonic clock */
	struct cancel *asking; /* ends the asking, where it is being asked */
	unsigned unasked; /* times in a row that it could not be asked */
	struct intents intents;
	struct last_push last_push;
	struct watch *watch; /* watch.c's; NULL: none */
	struct conflicts conflicts;
	unsigned merges; /* with what others had published, since the mount began */
	unsigned repushes; /* of what others had overwritten */
	struct annotations annotations; /* of the index, as they shall be */
	uint64_t changes, committed; /* of annotations and of the list of folders */
	/* commit.c's: who waits for the next commit, who for the one that is under way */
	struct commit_request *waiting, *running;
	struct cancel *cancel; /* of the one under way */
	bool committing;
	bool stopped; /* the mount ends: nothing more is begun by itself */
	struct automatic *automatic; /* automatic.c's; NULL: none */
	struct next_commit next;
};

/* Reads what the reference names and makes its node the tree's root. A tag that doesn't exist is
 * an empty one. Takes the lock; asks the store. */
int tag_open(struct tree *tree, const struct reference *reference, struct error *err);

/* Fills an empty nested index with a folder for each entry. */
int tag_fill(struct tree *tree, struct node *node, const struct document *index, struct error *err);

/* What the registry has, as far as is known. */
static inline const struct version *tag_now(const struct tag *tag)
{
	return tag->moved ? &tag->now : &tag->base;
}

/* What the changes that are here stand on: a merge begins with it. */
static inline const struct version *tag_origin(const struct tag *tag)
{
	return tag->given ? &tag->origin : &tag->base;
}

/* The platform folder that the tag is; NULL where the tag is no single manifest. */
struct node *tag_single(const struct node *tag);

/* Another base was given, which is taken over. The lock is held. */
int tag_give(struct tag *tag, struct version *base, struct error *err);

/* What was given is committed. */
void tag_give_end(struct tag *tag);

/* Notes what the registry has. */
int tag_note(struct tag *tag, const struct version *now, struct error *err);

/* The base is another: a folder has the name that it would have in a mount made now, also a second
 * one of its platform, whose name is of its digest. The journal tells of folders by these names. */
void tag_name_folders(struct tree *tree, struct node *node);

/* Whether anything differs from the base: what a commit would publish. */
bool tag_is_changed(const struct node *node);

#endif
