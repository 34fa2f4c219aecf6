/*
 * intent.h - roots that commits were about to give a tag, and of which the answer hasn't come: who
 * finds the tag at one of them later knows that it was us.
 */
#ifndef INDEXFS_FS_TREE_INTENT_H
#define INDEXFS_FS_TREE_INTENT_H

#include <stddef.h>

#include "digest.h"

#define INTENTS_MAX 16

struct intent {
	struct digest root;
	/* What of it is ours: root itself or, where others' changes were merged into it, what the
	 * merge began with, which the history keeps. */
	struct digest ours;
};

struct intents {
	struct intent items[INTENTS_MAX];
	size_t count; /* ever; the last ones are kept */
};

void intents_add(struct intents *intents, const struct intent *intent);

/* NULL where it is none of them. */
const struct intent *intents_find(const struct intents *intents, const struct digest *root);

#endif
