#include "fs/tree/layers_give.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "fs/tree/file.h"
#include "fs/tree/folder.h"
#include "fs/tree/layer_parts.h"

/* The files of a folder that are, or shall be, layers. */
struct files {
	struct node **items;
	size_t count;
};

static int files_collect(
	struct files *files, struct tree *tree, const struct node *directory, struct error *err)
{
	for (size_t i = 0; i < directory->children.count; i++) {
		struct node *node = directory->children.items[i];
		struct node **items;

		if (node->kind == NODE_DIRECTORY && files_collect(files, tree, node, err))
			return -1;
		if (node->kind != NODE_FILE || node_is_scratch(tree, node) ||
			node_is_annotations(node))
			continue;
		items = reallocarray(files->items, files->count + 1, sizeof(struct node *));
		if (!items)
			return error_set_memory(err);
		files->items = items;
		items[files->count++] = node;
	}
	return 0;
}

static void files_clear(struct files *files)
{
	free(files->items);
}

static int seals_collect(
	struct seals *out, struct tree *tree, const struct node *folder, struct error *err)
{
	cleanup_with(files_clear) struct files files = {.items = NULL};

	if (files_collect(&files, tree, folder, err))
		return -1;
	out->items = calloc(files.count + 1, sizeof *out->items);
	if (!out->items)
		return error_set_memory(err);
	for (size_t i = 0; i < files.count; i++) {
		const struct file *file = files.items[i]->file;

		if (file->changed && file->staged && !file_is_in_progress(file))
			out->items[out->count++].staged = staged_ref(file->staged);
	}
	return 0;
}

int seals_make(struct seals *out, struct tree *tree, struct node *folder, struct error *err)
{
	int result;

	pthread_mutex_lock(&tree->lock);
	result = seals_collect(out, tree, folder, err);
	pthread_mutex_unlock(&tree->lock);
	for (size_t i = 0; i < out->count && !result; i++)
		result = staged_seal(out->items[i].staged, &out->items[i].digest,
			&out->items[i].size, NULL, err);
	return result;
}

void seals_clear(struct seals *seals)
{
	for (size_t i = 0; i < seals->count; i++)
		staged_put_back(seals->items[i].staged);
	free(seals->items);
	*seals = (struct seals){.items = NULL};
}

static bool seals_agree(
	const struct seals *seals, const struct staged *staged, const struct descriptor *layer)
{
	for (size_t i = 0; i < seals->count; i++)
		if (seals->items[i].staged == staged)
			return seals->items[i].size == layer->size &&
			       digest_equal(&seals->items[i].digest, &layer->digest);
	return false;
}

static bool same_content(const struct file *file, const struct descriptor *layer)
{
	return file->has_layer && file->layer.size == layer->size &&
	       digest_equal(&file->layer.digest, &layer->digest);
}

/* Whether a file may become the layer, or (NULL) go. */
static int check_file(const struct file *file, const char *path, const struct descriptor *layer,
	const struct seals *seals, struct error *err)
{
	if (!file->changed && layer && same_content(file, layer))
		return 0;
	if (!file->changed && file_has_writer(file))
		return error_set(err, ERROR_INVALID,
			"layers: %.300s is open for writing: close it first", path);
	if (!file->changed)
		return 0;
	if (!layer)
		return error_set(err, ERROR_INVALID,
			"layers: %.300s isn't committed, and this manifest doesn't name it: commit "
			"it first, or remove it",
			path);
	if (!seals_agree(seals, file->staged, layer))
		return error_set(err, ERROR_INVALID,
			"layers: %.300s isn't committed, and has other content than %s: commit it "
			"first, or remove it",
			path, layer->digest.text);
	return 0;
}

int layers_check(struct tree *tree, struct node *folder, const struct document *manifest,
	const struct seals *seals, struct error *err)
{
	cleanup_with(files_clear) struct files files = {.items = NULL};
	cleanup_with(places_clear) struct places to = {.items = NULL};

	if (places_make(&to, manifest, err) || files_collect(&files, tree, folder, err))
		return -1;
	for (size_t i = 0; i < files.count; i++) {
		cleanup_free char *path = node_path(files.items[i], folder);
		long layer = path ? places_find(&to, path) : -1;

		if (!path)
			return error_set_memory(err);
		if (check_file(files.items[i]->file, path,
			    layer < 0 ? NULL : &manifest->items[layer], seals, err))
			return -1;
	}
	for (size_t i = 0; i < to.count; i++)
		if (!layer_is_free(tree, folder, to.paths[i]))
			return error_set(err, ERROR_INVALID,
				"layers[%zu]: something that is only here is at %.300s", i,
				to.paths[i]);
	return 0;
}

/* A file that is a layer of both stays the same file; all others go. */
static void keep_or_hide(struct tree *tree, struct node *folder, const struct document *manifest,
	const struct places *to, struct node *file, bool *kept)
{
	cleanup_free char *path = node_path(file, folder);
	long layer = path ? places_find(to, path) : -1;
	const struct descriptor *item = layer < 0 ? NULL : &manifest->items[layer];

	if (!item || !(file->file->changed || same_content(file->file, item)) ||
		!layer_take(tree, file, item, (size_t)layer)) {
		layer_hide(tree, file);
		return;
	}
	file->file->has_layer = true;
	file->file->mode_set = false;
	free(steal_ptr(file->file->media_type));
	kept[layer] = true;
}

int layers_give(
	struct tree *tree, struct node *folder, struct document *manifest, struct error *err)
{
	cleanup_with(files_clear) struct files files = {.items = NULL};
	cleanup_with(places_clear) struct places to = {.items = NULL};
	size_t count = manifest->count;
	cleanup_free bool *kept = calloc(count + 1, sizeof *kept);

	if (!kept)
		return error_set_memory(err);
	if (places_make(&to, manifest, err) || files_collect(&files, tree, folder, err))
		return -1;
	for (size_t i = 0; i < files.count; i++)
		keep_or_hide(tree, folder, manifest, &to, files.items[i], kept);
	if (folder_set_manifest(folder->folder, manifest, err))
		return -1;
	for (size_t i = 0; i < count; i++)
		if (!kept[i] && layer_add(tree, folder, i, err))
			return -1;
	return 0;
}
