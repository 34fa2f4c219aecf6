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
	struct version before; /* what it named until then */
};

#define PUSHED_INIT                                                                                \
	{                                                                                          \
		.made = RECONCILED_INIT, .before = VERSION_INIT                                    \
	}

void pushed_clear(struct pushed *pushed);

/* Publishes the plan: merged with what others have published since, and again where somebody writes
 * in the same moment. ERROR_CONFLICT for what can't be merged, and where others are faster all the
 * time; every error of the store. Takes the lock. */
int push(struct pushed *out, struct plan *plan, struct cancel *cancel, struct error *err);

#endif
