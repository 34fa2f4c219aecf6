/*
 * name.h - which names may be made where.
 */
#ifndef INDEXFS_FS_TREE_NAME_H
#define INDEXFS_FS_TREE_NAME_H

#include "error.h"
#include "fs/tree/tree.h"
#include "platform.h"

/* The platform folder that a name at the top of a tag means: PLATFORM_ANY, a platform, or another
 * spelling of one. platform (may be NULL) is left empty for PLATFORM_ANY. ERROR_INVALID. */
int name_canonical(char out[static FOLDER_NAME_SIZE], const char *name, struct platform *platform,
	struct error *err);

/* Whether a name can be made in a directory: 0, or EROFS, EPERM, EINVAL (reported), ENAMETOOLONG.
 * The lock is held. */
int name_allowed(struct tree *tree, struct node *parent, const char *name);

#endif
