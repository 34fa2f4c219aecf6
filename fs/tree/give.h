/*
 * give.h - makes what was given through .oci the thing that the view stands on.
 */
#ifndef INDEXFS_FS_TREE_GIVE_H
#define INDEXFS_FS_TREE_GIVE_H

#include <stdbool.h>

#include "descriptor.h"
#include "document.h"
#include "error.h"
#include "fs/tree/give_index.h"
#include "fs/tree/layers_give.h"
#include "fs/tree/tree.h"

struct gift {
	const struct seals *seals; /* of the folder, where whole; NULL: none */
	const struct manifests *manifests; /* of an index, where whole; NULL: none */
	const char *name; /* of the file in .oci that it came through */
	bool whole; /* its bytes are the user's, and name what isn't shown yet; else a part of what
		       is shown was changed */
};

/* A manifest for a platform folder, an index (or single manifest) for a tag. It is copied.
 * ERROR_INVALID where something that isn't committed would be lost. The lock is held. */
int give_document(struct tree *tree, struct node *owner, const struct document *document,
	const struct gift *gift, struct error *err);

/* The entry of a platform folder: all of it but mediaType, digest and size may be another. A new
 * platform renames the folder. ERROR_INVALID. The lock is held. */
int give_entry(
	struct tree *tree, struct node *folder, const struct descriptor *entry, struct error *err);

#endif
