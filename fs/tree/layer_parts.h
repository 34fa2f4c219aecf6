/*
 * layer_parts.h - what layers.c and layers_give.c have in common.
 */
#ifndef INDEXFS_FS_TREE_LAYER_PARTS_H
#define INDEXFS_FS_TREE_LAYER_PARTS_H

#include "fs/tree/layers.h"

/* Where the layers of a manifest are: their paths, in order. */
struct place {
	const char *path;
	size_t layer;
};

struct places {
	struct place *items;
	size_t count;
	char **paths; /* in the manifest's order */
};

/* manifest NULL: none. */
int places_make(struct places *out, const struct document *manifest, struct error *err);
void places_clear(struct places *places);
/* The number of the layer at a path, or -1. */
long places_find(const struct places *places, const char *path);

/* Whether a layer can be at this path once all layers that are shown have gone. */
bool layer_is_free(const struct tree *tree, struct node *folder, const char *path);

/* Adds the file of a layer of the folder's manifest. */
int layer_add(struct tree *tree, struct node *folder, size_t i, struct error *err);
/* Takes a file away, and the directories that have nothing in them without it. */
void layer_hide(struct tree *tree, struct node *file);
/* Makes the file that layer of another manifest, in this place. False for want of memory. */
bool layer_take(struct tree *tree, struct node *file, const struct descriptor *layer, size_t order);

#endif
