#include "fs/tree/salvage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "fs/tree/durable.h"
#include "fs/tree/file.h"
#include "fs/tree/folder.h"
#include "fs/tree/history_record.h"
#include "fs/tree/layer_parts.h"
#include "fs/tree/notes.h"
#include "fs/tree/tag.h"

#define DIGITS 12

/* The file is the base's layer of its path again; false where that has none. */
static bool fall_back(struct tree *tree, struct node *node)
{
	struct node *folder = node_folder(node);
	cleanup_free char *path = folder ? node_path(node, folder) : NULL;
	long i = path ? folder_layer_index(folder->folder, path) : -1;

	if (node->file->has_layer)
		return true;
	if (i < 0 || !layer_take(tree, node, &folder->folder->manifest->items[i], (size_t)i))
		return false;
	node->file->has_layer = true;
	node->file->mode_set = false;
	return true;
}

static void drop_lost(struct tree *tree, struct node *node)
{
	struct node *notes_of = node_is_annotations(node) ? node->parent : NULL;
	struct error reason = ERROR_INIT;

	/* its text has gone into the notes, which show it */
	if (node_is_text(node) && !node->file->changed) {
		node->file->lost = false;
		return;
	}
	error_set(&reason, ERROR_CORRUPT,
		tree->history->other_boot
			? "its new content was not on disk yet when this machine went down"
			: "its new content isn't in the state folder any more");
	tree_report(tree, node, "could not be restored", &reason);
	node->file->lost = node->file->changed = false;
	tree->root->tag->intents.count = 0;
	if (!fall_back(tree, node))
		node_unlink(&tree->inodes, node);
	if (notes_of)
		notes_show(tree, notes_of, NULL);
}

static void judge_files(struct tree *tree, struct node *directory)
{
	size_t i = directory->children.count;

	if (directory->children.control)
		judge_files(tree, directory->children.control);
	while (i-- > 0) {
		struct node *child = directory->children.items[i];
		struct error reason = ERROR_INIT;

		if (child->kind == NODE_CONTROL)
			continue;
		if (child->kind != NODE_FILE) {
			judge_files(tree, child);
		} else if (child->file->lost) {
			drop_lost(tree, child);
		} else if (durable_is_doubtful(child) && !node_is_scratch(tree, child)) {
			durable_doubt(child, &reason);
			tree_report(tree, child, "it is shown, and not published", &reason);
		}
	}
}

/* Whether something else stands at a layer's path, or where a directory on its way would be. */
static bool is_taken(const struct node *folder, const char *layer)
{
	cleanup_free char *path = strdup(layer);
	const struct node *at = folder;
	char *rest = path, *part;

	while (at && (part = strsep(&rest, "/")) && at->kind != NODE_FILE)
		at = node_child(at, part);
	return at != NULL;
}

static size_t restore_layers(struct tree *tree, struct node *node)
{
	const struct folder *folder = node->folder;
	size_t count = 0;

	if (!folder->manifest || !folder_is_changed(folder))
		return 0;
	for (size_t i = 0; i < folder->manifest->count; i++) {
		if (is_taken(node, folder->paths[i]))
			continue;
		if (layer_add(tree, node, i, NULL) || notes_load_layer(node, i, NULL))
			continue;
		log_write(tree->log, LOG_LEVEL_WARNING, "%s/%s is as it was published", node->name,
			folder->paths[i]);
		count++;
	}
	if (count)
		notes_show(tree, node, NULL);
	return count;
}

static bool has_entry(const struct node *tag, size_t i)
{
	for (size_t k = 0; k < tag->children.count; k++) {
		const struct node *node = tag->children.items[k];

		if (node->folder && node->folder->has_entry && node->order == i)
			return true;
	}
	return false;
}

/* Under the base's name or, where something has that, as a second one of its platform. */
static int restore_folder(struct tree *tree, const struct descriptor *entry, const char *base_name,
	size_t i, struct error *err)
{
	struct node *node = folder_from_entry(tree, entry, false, err);
	char name[FOLDER_NAME_SIZE + DIGITS + 2];
	int result;

	if (!node)
		return -1;
	node->order = i;
	snprintf(name, sizeof name, "%s", base_name);
	if (node_child(tree->root, name))
		snprintf(name, sizeof name, "%s~%.*s", base_name, DIGITS,
			digest_encoded(&entry->digest));
	result = node_link(&tree->inodes, tree->root, name, node, err);
	if (!result)
		log_write(tree->log, LOG_LEVEL_WARNING, "%s is as it was published", name);
	node_unpin(&tree->inodes, node);
	return result;
}

static size_t restore_folders(struct tree *tree)
{
	cleanup_with(entry_list_clear) struct entry_list entries = {.items = NULL};
	size_t count = 0;

	if (version_entries(&entries, &tree->root->tag->base, NULL))
		return 0;
	for (size_t i = 0; i < entries.count; i++)
		if (!has_entry(tree->root, i) &&
			!restore_folder(tree, &entries.items[i], entries.names[i], i, NULL))
			count++;
	return count;
}

static void restore_missing(struct tree *tree)
{
	struct error reason = ERROR_INIT;
	struct node *root = tree->root;
	size_t count = restore_folders(tree);

	for (size_t i = 0; i < root->children.count; i++)
		if (root->children.items[i]->kind == NODE_FOLDER)
			count += restore_layers(tree, root->children.items[i]);
	root->tag->intents.count = 0;
	if (!count)
		return;
	error_set(&reason, ERROR_CORRUPT,
		"%zu files or folders that aren't told of are as they were published; the log "
		"names them; remove again what was removed",
		count);
	tree_report(tree, NULL, "what was removed or renamed isn't known for sure", &reason);
}

void salvage(struct tree *tree)
{
	judge_files(tree, tree->root);
	if (tree->incomplete)
		restore_missing(tree);
}
