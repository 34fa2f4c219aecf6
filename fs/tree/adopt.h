/*
 * adopt.h - what others have made of a tag becomes what is shown, with what was changed here on
 * top.
 *
 * The base becomes the other version as far as nothing here stands in the way: a folder that was
 * changed or removed here stays on its old entry, so the base is a hybrid then, and tag->now is the
 * other version. The commit merges the rest.
 */
#ifndef INDEXFS_FS_TREE_ADOPT_H
#define INDEXFS_FS_TREE_ADOPT_H

#include <stdbool.h>

#include "cancel.h"
#include "document.h"
#include "error.h"
#include "fs/tree/tree.h"
#include "fs/tree/version.h"

struct adoption {
	/* Manifests that need not be asked for. Borrowed. */
	const struct document *manifests;
	size_t manifest_count;
	/* The caller is the commit that is under way. Beside one of somebody else nothing is
	 * adopted: it finds out itself. */
	bool by_commit;
	/* It's what the tag has named for some time: as tag_is_behind() says. */
	bool again;
};

/* Whether more of what the tag names can be shown than is, as what was in the way has gone: a
 * folder of that name, somebody who wrote, a manifest that couldn't be had. The lock is held. */
bool tag_is_behind(struct tree *tree, struct node *tag);

/* The tag names this version now. Manifests of folders that are shown are fetched first, then all
 * changes in one step; a folder whose manifest can't be had now stays as it is, and is left to the
 * next time. Takes the lock; asks the store. ERROR_MEMORY, and the errors of the journal: where
 * nothing was adopted the view is as it was. */
int tag_adopt(struct tree *tree, struct node *tag, const struct version *now,
	const struct adoption *how, struct cancel *cancel, struct error *err);

#endif
