/*
 * push.h - a plan on its way to the registry, where others write too.
 */
#ifndef INDEXFS_FS_COMMIT_PUSH_H
#define INDEXFS_FS_COMMIT_PUSH_H

#include "cancel.h"
#include "error.h"
#include "fs/commit/plan.h"
#include "fs/commit/reconcile.h"

/* What has become of it. */
struct pushed {
	struct reconciled made; /* what the tag names: the plan's with what others have made */
	struct version before; /* what it named until then; the same where nothing was put */
};

#define PUSHED_INIT                                                                                \
	{                                                                                          \
		.made = RECONCILED_INIT, .before = VERSION_INIT                                    \
	}

void pushed_clear(struct pushed *pushed);

/* Shows what the tag names now, with what was changed meanwhile on top; for who runs as commits do.
 * Takes the lock. */
void pushed_adopt(struct tree *tree, struct node *tag, const struct pushed *pushed);

/* Publishes the plan: merged with what others have published since, and again where somebody writes
 * in the same moment. ERROR_CONFLICT for what can't be merged, and where others are faster all the
 * time; every error of the store. Takes the lock. */
int push(struct pushed *out, struct plan *plan, struct cancel *cancel, struct error *err);

/* Looks whether somebody has taken out of the tag what our last push has put into it, and puts it
 * back: what he has changed himself stays. Takes the lock. */
int push_again(struct pushed *out, struct tree *tree, struct node *tag, struct cancel *cancel,
	struct error *err);

#endif
