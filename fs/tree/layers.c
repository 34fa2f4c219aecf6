#include "fs/tree/layers.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "fs/tree/file.h"
#include "fs/tree/folder.h"
#include "fs/tree/layer_parts.h"
#include "fs/tree/stale.h"
#include "layer_path.h"
#include "platform.h"

static int compare_places(const void *a, const void *b)
{
	return strcmp(((const struct place *)a)->path, ((const struct place *)b)->path);
}

void places_clear(struct places *places)
{
	layer_paths_free(places->paths, places->count);
	free(places->items);
	*places = (struct places){.items = NULL};
}

int places_make(struct places *out, const struct document *manifest, struct error *err)
{
	*out = (struct places){.items = NULL};
	if (!manifest)
		return 0;
	if (layer_paths(&out->paths, manifest, err))
		return -1;
	out->count = manifest->count;
	out->items = calloc(out->count + 1, sizeof *out->items);
	if (!out->items) {
		places_clear(out);
		return error_set_memory(err);
	}
	for (size_t i = 0; i < out->count; i++)
		out->items[i] = (struct place){.path = out->paths[i], .layer = i};
	qsort(out->items, out->count, sizeof *out->items, compare_places);
	return 0;
}

long places_find(const struct places *places, const char *path)
{
	const struct place key = {.path = path};
	const struct place *found = NULL;

	if (places->items)
		found = bsearch(
			&key, places->items, places->count, sizeof *places->items, compare_places);
	return found ? (long)found->layer : -1;
}

/* The part of a path that begins at *rest, which goes on to the next; NULL after the last. */
static const char *next_part(const char **rest, char part[static FOLDER_NAME_SIZE])
{
	size_t len = strcspn(*rest, "/");

	if (!**rest || len >= FOLDER_NAME_SIZE)
		return NULL;
	memcpy(part, *rest, len);
	part[len] = '\0';
	*rest += len + ((*rest)[len] == '/');
	return part;
}

static struct node *node_at(struct node *folder, const char *path)
{
	char part[FOLDER_NAME_SIZE];
	struct node *at = folder;

	while (at && next_part(&path, part))
		at = node_child(at, part);
	return at;
}

/* The directory for the path of a layer, made where it is missing; *name is its last part. */
static struct node *directory_for(
	struct tree *tree, struct node *folder, char *path, const char **name, struct error *err)
{
	struct node *at = folder;
	char *part = path, *slash;

	while ((slash = strchr(part, '/'))) {
		struct node *next;

		*slash = '\0';
		next = node_child(at, part);
		if (!next) {
			next = tree_node(tree, NODE_DIRECTORY, S_IFDIR | 0755);
			if (!next) {
				error_set_memory(err);
				return NULL;
			}
			next->mtime = next->ctime = folder->mtime;
			if (node_link(&tree->inodes, at, part, next, err)) {
				node_unpin(&tree->inodes, next);
				return NULL;
			}
			node_unpin(&tree->inodes, next);
		}
		at = next;
		part = slash + 1;
	}
	*name = part;
	return at;
}

int layer_add(struct tree *tree, struct node *folder, size_t i, struct error *err)
{
	const struct descriptor *layer = &folder->folder->manifest->items[i];
	cleanup_free char *path = strdup(folder->folder->paths[i]);
	struct node *directory, *file;
	const char *name;
	int result;

	if (!path)
		return error_set_memory(err);
	directory = directory_for(tree, folder, path, &name, err);
	if (!directory)
		return -1;
	file = file_new(tree, folder_layer_mode(layer), layer, err);
	if (!file)
		return -1;
	file->order = i;
	file->mtime = file->ctime = folder->mtime;
	result = node_link(&tree->inodes, directory, name, file, err);
	if (!result)
		stale_name(tree, directory, name);
	node_unpin(&tree->inodes, file);
	return result;
}

int layers_show(
	struct tree *tree, struct node *folder, struct document *manifest, struct error *err)
{
	size_t i;

	if (folder_set_manifest(folder->folder, manifest, err))
		return -1;
	for (i = 0; i < folder->folder->manifest->count; i++)
		if (layer_add(tree, folder, i, err))
			return -1;
	return 0;
}

/* Whether all that is at the node, where no layer is to be, goes with the old manifest. */
static bool will_go(const struct tree *tree, const struct node *node)
{
	size_t i;

	if (node->kind == NODE_FILE)
		return !node_is_scratch(tree, node) && !node_is_annotations(node);
	for (i = 0; i < node->children.count; i++)
		if (!will_go(tree, node->children.items[i]))
			return false;
	return node->children.count > 0;
}

bool layer_is_free(const struct tree *tree, struct node *folder, const char *path)
{
	char part[FOLDER_NAME_SIZE];
	struct node *at = folder;

	while (next_part(&path, part)) {
		at = node_child(at, part);
		if (!at)
			return true;
		if (!*path || at->kind == NODE_FILE)
			return will_go(tree, at);
	}
	return false;
}

static bool same_content(const struct descriptor *a, const struct descriptor *b)
{
	return a->size == b->size && digest_equal(&a->digest, &b->digest);
}

bool layers_can_change(
	const struct tree *tree, struct node *folder, const struct document *manifest)
{
	cleanup_with(places_clear) struct places to = {.items = NULL};
	const struct folder *shown = folder->folder;
	size_t i;

	if (places_make(&to, manifest, NULL))
		return false;
	for (i = 0; i < to.count; i++)
		if (!layer_is_free(tree, folder, to.paths[i]))
			return false;
	for (i = 0; shown->manifest && i < shown->manifest->count; i++) {
		const struct node *node = node_at(folder, shown->paths[i]);
		long layer = places_find(&to, shown->paths[i]);

		if (!node || node->kind != NODE_FILE)
			return false;
		if (file_has_writer(node->file) &&
			(layer < 0 || !same_content(&node->file->layer, &manifest->items[layer])))
			return false;
	}
	return true;
}

void layer_hide(struct tree *tree, struct node *node)
{
	struct node *parent;

	do {
		parent = node->parent;
		stale_name(tree, parent, node->name);
		node_unlink(&tree->inodes, node);
		node = parent;
	} while (node->kind == NODE_DIRECTORY && !node->children.count);
}

void layers_hide(struct tree *tree, struct node *folder)
{
	const struct folder *shown = folder->folder;
	size_t i;

	for (i = 0; shown->manifest && i < shown->manifest->count; i++) {
		struct node *node = node_at(folder, shown->paths[i]);

		if (node && node->kind == NODE_FILE)
			layer_hide(tree, node);
	}
	folder_drop_manifest(folder->folder);
}

bool layer_take(struct tree *tree, struct node *node, const struct descriptor *layer, size_t order)
{
	mode_t mode = folder_layer_mode(layer) & ~(tree->options.umask & 0777);
	struct descriptor copy = DESCRIPTOR_INIT;

	if (descriptor_copy(&copy, layer, NULL))
		return false;
	descriptor_clear(&node->file->layer);
	node->file->layer = copy;
	node->order = order;
	if (node->mode != mode)
		stale_attributes(tree, node);
	node->mode = mode;
	return true;
}

/* The file goes on as the layer of another manifest. */
static bool keep(struct tree *tree, struct node *node, const struct descriptor *layer, size_t order)
{
	return same_content(&node->file->layer, layer) && layer_take(tree, node, layer, order);
}

/* Keeps what the new manifest has too, and takes the rest away. */
static void change_old(struct tree *tree, struct node *folder, const struct document *manifest,
	const struct places *to, bool *kept)
{
	const struct folder *shown = folder->folder;
	size_t i;

	for (i = 0; shown->manifest && i < shown->manifest->count; i++) {
		struct node *node = node_at(folder, shown->paths[i]);
		long layer = places_find(to, shown->paths[i]);

		if (layer >= 0 && keep(tree, node, &manifest->items[layer], (size_t)layer))
			kept[layer] = true;
		else
			layer_hide(tree, node);
	}
}

int layers_change(
	struct tree *tree, struct node *folder, struct document *manifest, struct error *err)
{
	cleanup_with(places_clear) struct places to = {.items = NULL};
	cleanup_free bool *kept = calloc(manifest->count + 1, sizeof *kept);
	size_t i, count = manifest->count;
	int result;

	if (!kept || places_make(&to, manifest, err)) {
		layers_hide(tree, folder);
		return error_set_memory(err);
	}
	change_old(tree, folder, manifest, &to, kept);
	result = folder_set_manifest(folder->folder, manifest, err);
	for (i = 0; i < count && !result; i++)
		if (!kept[i])
			result = layer_add(tree, folder, i, err);
	if (result)
		layers_hide(tree, folder);
	return result;
}
