/*
 * reconcile.h - what others have made of a tag and what a commit makes of it become one version.
 */
#ifndef INDEXFS_FS_COMMIT_RECONCILE_H
#define INDEXFS_FS_COMMIT_RECONCILE_H

#include "cancel.h"
#include "fs/commit/plan.h"

/* What becomes of conflicts. */
enum conflict_manner {
	CONFLICTS_AS_CHOSEN, /* by the user, who else is asked */
	/* Ours was in the registry already, and somebody has overwritten it: it is left to the
	 * user, whatever he has chosen. */
	CONFLICTS_TO_USER,
	CONFLICTS_YIELD, /* the same, but nobody waits: theirs stays, and that is told */
};

struct sides {
	const struct version *base, *ours, *theirs;
	enum conflict_manner manner;
};

struct reconciled {
	struct version version;
	struct document *manifests; /* those that neither side has */
	size_t manifest_count;
	struct plan_config *configs; /* likewise, image configs of these manifests */
	size_t config_count;
};

#define RECONCILED_INIT                                                                            \
	{                                                                                          \
		.version = VERSION_INIT                                                            \
	}

void reconciled_clear(struct reconciled *reconciled);

/* Merges. plan NULL: there is none any more. ERROR_CONFLICT says of what, and the tag remembers it;
 * the errors of the store, which is asked for manifests that nobody here has. Takes the lock. */
int reconcile(struct reconciled *out, struct tree *tree, struct node *tag, const struct plan *plan,
	const struct sides *sides, struct cancel *cancel, struct error *err);

#endif
