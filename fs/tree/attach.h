/*
 * attach.h - what is about to be attached: folders made in the .oci/referrers of a tag or of a
 * platform folder, each an artifact whose subject that will be (image-spec 1.1, manifest.md,
 * "Guidelines for Artifact Usage").
 *
 * Such a folder is one like a platform folder, without an entry and with a name of its own: its
 * files are the artifact's layers. A commit makes its manifest, and it goes on as one of those that
 * are published. The lock is held in all calls.
 */
#ifndef INDEXFS_FS_TREE_ATTACH_H
#define INDEXFS_FS_TREE_ATTACH_H

#include <stdbool.h>

#include "fs/tree/tree.h"

/* Whether a folder of that name can be made in a directory referrers: 0, or EROFS, EPERM, EINVAL
 * (reported). */
int attach_allowed(struct tree *tree, struct node *referrers, const char *name);

/* Whether the node is such a folder. */
bool attach_is_pending(const struct node *node);

/* Whether there is one in what a tag or platform folder itself is to have. */
bool attach_has_pending(const struct node *owner);
/* Whether there is one, with a file in it, in what a tag or platform folder itself is to have. */
bool attach_waits(const struct node *owner);
/* The latter of a tag and of all its folders. */
bool attach_waits_below(const struct node *tag);

/* Calls visit for each such folder of a tag and of its folders, until it answers other than 0. */
int attach_each(
	const struct node *tag, int (*visit)(void *context, struct node *node), void *context);

#endif
