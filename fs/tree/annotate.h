/*
 * annotate.h - the annotations of a node, one by one: what extended attributes tell of and change.
 */
#ifndef INDEXFS_FS_TREE_ANNOTATE_H
#define INDEXFS_FS_TREE_ANNOTATE_H

#include "annotations.h"
#include "error.h"
#include "fs/tree/tree.h"

/* A tag's, an entry's, a layer's, or those that a file which is no layer has aside. NULL where
 * there are none. The lock is held. */
const struct annotations *node_annotations(struct tree *tree, struct node *node);

/* Sets one of them, or (value is NULL) removes it; annotations.json shows it at once. The folder is
 * loaded. ERROR_INVALID where a draft of annotations.json is broken, which would undo it once it's
 * mended, and for text that no document can hold; ERROR_TOO_LARGE; ERROR_NOT_PERMITTED where the
 * node has no annotations. The lock is held. */
int node_annotate(struct tree *tree, struct node *node, const char *key, const char *value,
	struct error *err);

#endif
