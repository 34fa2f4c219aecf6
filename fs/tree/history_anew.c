/*
 * history_anew.c - the journal made anew: what differs from the base, read off the tree.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cleanup.h"
#include "fs/tree/attach.h"
#include "fs/tree/durable.h"
#include "fs/tree/file.h"
#include "fs/tree/folder.h"
#include "fs/tree/history.h"
#include "fs/tree/history_record.h"
#include "fs/tree/notes.h"
#include "fs/tree/tag.h"
#include "fs/work/saved.h"
#include "layer_path.h"

/* What is written when the journal is made anew. */
struct snapshot {
	struct tree *tree;
	struct buf text;
	struct error *err;
	bool listed; /* the folders */
};

static int put(struct snapshot *snapshot, const struct record *record)
{
	if (!record->texts[0])
		return error_set_memory(snapshot->err);
	return journal_format(&snapshot->text, record, snapshot->err);
}

static int put_path(struct snapshot *snapshot, char kind, const struct node *node)
{
	cleanup_free char *path = node_path(node, NULL);
	struct record record = {.kind = kind, .texts = {path}};

	return put(snapshot, &record);
}

static int put_contents(struct snapshot *snapshot, const struct node *directory);

static int put_time(struct snapshot *snapshot, const struct node *node, const char *path)
{
	char time[RECORD_NUMBER_SIZE];
	struct record record = {.kind = RECORD_TIME, .texts = {path, time}};

	record_time(time, &node->mtime);
	return put(snapshot, &record);
}

/* What hangs on a file beside its content. */
static int put_attributes(struct snapshot *snapshot, const struct node *node, const char *path)
{
	const struct file *file = node->file;
	struct record record = {.texts = {path}};
	size_t i;

	if (put_time(snapshot, node, path))
		return -1;
	if (file && file->media_type) {
		record.kind = RECORD_MEDIA_TYPE;
		record.texts[1] = file->media_type;
		if (put(snapshot, &record))
			return -1;
	}
	record.kind = RECORD_ANNOTATED;
	for (i = 0; file && i < file->aside.count; i++) {
		record.texts[1] = file->aside.items[i].key;
		record.texts[2] = file->aside.items[i].value;
		if (put(snapshot, &record))
			return -1;
	}
	return 0;
}

static int put_node(struct snapshot *snapshot, const struct node *node)
{
	cleanup_free char *path = NULL;
	struct record_numbers numbers;
	struct record record;

	/* annotations.json that nobody wrote is made from the notes */
	if (node_is_text(node) && !node->file->staged)
		return 0;
	path = node_path(node, NULL);
	record = record_node(node, path, &numbers);
	if (put(snapshot, &record) || put_attributes(snapshot, node, path))
		return -1;
	if (node->file && record_disk(&record, node->file->staged, &numbers) &&
		put(snapshot, &record))
		return -1;
	return node->kind == NODE_DIRECTORY ? put_contents(snapshot, node) : 0;
}

static int put_contents(struct snapshot *snapshot, const struct node *directory)
{
	size_t i;

	for (i = 0; i < directory->children.count; i++)
		if (put_node(snapshot, directory->children.items[i]))
			return -1;
	return 0;
}

/* The base's, whatever was given upon it. */
static int save_manifest(struct snapshot *snapshot, const struct folder *folder)
{
	if (!folder->manifest || folder->given)
		return 0;
	return saved_put(snapshot->tree->history->kept_fd, folder->manifest, snapshot->err);
}

/* The journal stands on the manifest of a folder that it puts something into. */
static int put_only_here(struct snapshot *snapshot, const struct node *node)
{
	struct folder *folder = node_folder((struct node *)node)->folder;

	if (save_manifest(snapshot, folder))
		return -1;
	return put_node(snapshot, node);
}

/* What was written in .oci and not taken over, and what programs have left there. */
static int put_control(struct snapshot *snapshot, const struct node *owner)
{
	const struct node *control = owner->children.control;
	int result = 0;

	for (size_t i = 0; control && i < control->children.count && !result; i++) {
		const struct node *node = control->children.items[i];

		if (node->kind != NODE_FILE || !node->file->staged)
			continue;
		result = owner->folder ? put_only_here(snapshot, node) : put_node(snapshot, node);
	}
	return result;
}

/* What is only here, in a folder that is as it was. */
static int put_scratch(struct snapshot *snapshot, const struct node *directory)
{
	size_t i;
	int result = 0;

	for (i = 0; i < directory->children.count && !result; i++) {
		const struct node *child = directory->children.items[i];

		/* a directory comes with what is in it */
		if (child->kind == NODE_DIRECTORY)
			result = put_scratch(snapshot, child);
		else if (node_is_scratch(snapshot->tree, child))
			result = put_only_here(snapshot, child);
	}
	return result;
}

static int put_notes(struct snapshot *snapshot, const struct node *owner)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(JOURNAL_RECORD_MAX);
	cleanup_free char *path = node_path(owner, NULL);
	struct record record = {.kind = RECORD_NOTES, .texts = {path}};

	if (record_notes(&text, owner, snapshot->err))
		return -1;
	record.texts[1] = text.data;
	return put(snapshot, &record);
}

/* Whether the journal made anew tells that a folder is there. One that no index has is told of with
 * what was done in it, or is to be attached to it. */
static bool is_told(const struct snapshot *snapshot, const struct node *node)
{
	return snapshot->listed || (!node->folder->has_entry && (folder_is_changed(node->folder) ||
									attach_has_pending(node)));
}

/* A folder that is in no index comes back with its notes where it does: as one that the journal
 * tells of, or because of a scratch file in it. */
static int put_unchanged(struct snapshot *snapshot, const struct node *node)
{
	size_t before = snapshot->text.len;
	bool comes_back;

	if (put_scratch(snapshot, node) || put_control(snapshot, node))
		return -1;
	comes_back = is_told(snapshot, node) || snapshot->text.len != before;
	if (node->folder->has_entry || !comes_back || !notes_say_something(node))
		return 0;
	return put_notes(snapshot, node);
}

static bool has_draft(const struct node *owner)
{
	const struct node *file = node_child(owner, ANNOTATIONS_NAME);

	return file && file->kind == NODE_FILE && file->file->changed;
}

static int put_left(struct snapshot *snapshot, const struct node *node)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(JOURNAL_RECORD_MAX);
	cleanup_free char *path = node_path(node, NULL);
	struct record record = {.kind = RECORD_LEFT, .texts = {path}};

	if (!node->folder->left.layer_count)
		return 0;
	if (annotation_file_format(&text, &node->folder->left, snapshot->err))
		return -1;
	record.texts[1] = text.data;
	return put(snapshot, &record);
}

static int put_given(
	struct snapshot *snapshot, const struct node *owner, const char *name, const char *text)
{
	cleanup_free char *path = node_path(owner, NULL);
	bool whole = owner->folder ? owner->folder->whole : owner->tag->whole;
	struct record record = record_given(path, name, text, whole);

	return put(snapshot, &record);
}

static int put_given_to_folder(struct snapshot *snapshot, const struct node *node)
{
	const struct folder *folder = node->folder;

	if (folder->given &&
		put_given(snapshot, node, folder->whole ? "manifest.json" : "artifact-type",
			folder->manifest->json))
		return -1;
	if (!folder->has_given_entry)
		return 0;
	return put_given(snapshot, node, "descriptor.json", folder->given_entry.json);
}

/* A folder that has changed: all of its content. */
static int put_folder(struct snapshot *snapshot, struct node *node)
{
	const struct folder *folder = node->folder;

	if (!folder_is_loaded(node))
		return 0;
	if (!folder_is_changed(folder))
		return put_unchanged(snapshot, node);
	if (save_manifest(snapshot, folder) || put_given_to_folder(snapshot, node))
		return -1;
	if (put_path(snapshot, RECORD_CLEAR, node))
		return -1;
	/* a draft that isn't taken over comes after the notes, or it would pass for them */
	if (has_draft(node) && put_notes(snapshot, node))
		return -1;
	if (put_contents(snapshot, node))
		return -1;
	if (!has_draft(node) && put_notes(snapshot, node))
		return -1;
	return put_left(snapshot, node) || put_control(snapshot, node) ? -1 : 0;
}

static int put_entry(struct snapshot *snapshot, const struct node *node)
{
	char number[RECORD_NUMBER_SIZE];
	struct record record = {.kind = RECORD_ENTRY, .texts = {node->name, number}};

	if (!node->folder->has_entry)
		record.kind = RECORD_FOLDER;
	snprintf(number, sizeof number, "%" PRIu64, node->order);
	return put(snapshot, &record);
}

static int put_base(struct snapshot *snapshot)
{
	struct record base = record_base(snapshot->tree->root);
	struct record boot = {.kind = RECORD_BOOT, .texts = {snapshot->tree->history->boot}};

	return put(snapshot, &base) || put(snapshot, &boot) ? -1 : 0;
}

static int put_intents(struct snapshot *snapshot)
{
	const struct intents *intents = &snapshot->tree->root->tag->intents;
	size_t i = intents->count < INTENTS_MAX ? 0 : intents->count - INTENTS_MAX;

	for (; i < intents->count; i++) {
		struct record record = record_intent(&intents->items[i % INTENTS_MAX]);

		if (put(snapshot, &record))
			return -1;
	}
	return 0;
}

/* What is to be attached, also where nothing is in it yet. */
static int put_attached(void *context, struct node *node)
{
	return put_path(context, RECORD_FOLDER, node) || put_folder(context, node) ? -1 : 0;
}

static int put_all(struct snapshot *snapshot)
{
	const struct node *root = snapshot->tree->root;
	bool listed = root->tag->changes != root->tag->committed;
	size_t i;

	if (root->tag->given &&
		put_given(snapshot, root, root->tag->whole ? "index.json" : "artifact-type",
			root->tag->base.root.json))
		return -1;
	snapshot->listed = listed;
	if (listed && put_path(snapshot, RECORD_CLEAR, root))
		return -1;
	if (listed && has_draft(root) && put_notes(snapshot, root))
		return -1;
	for (i = 0; i < root->children.count; i++) {
		struct node *node = root->children.items[i];

		if (!node->folder) {
			if (put_node(snapshot, node))
				return -1;
			continue;
		}
		if ((is_told(snapshot, node) && put_entry(snapshot, node)) ||
			put_folder(snapshot, node))
			return -1;
	}
	if (listed && !has_draft(root) && put_notes(snapshot, root))
		return -1;
	return put_control(snapshot, root) || attach_each(root, put_attached, snapshot) ? -1 : 0;
}

static void forget_kept(struct tree *tree)
{
	size_t i;

	saved_clear(tree->history->kept_fd);
	for (i = 0; i < tree->root->children.count; i++)
		if (tree->root->children.items[i]->folder)
			tree->root->children.items[i]->folder->kept = false;
}

/* What it doesn't tell of, the next record of it begins with. */
static void note_told(const struct snapshot *snapshot)
{
	const struct directory *children = &snapshot->tree->root->children;

	for (size_t i = 0; i < children->count; i++) {
		struct node *node = children->items[i];

		if (node->folder && !node->folder->has_entry)
			node->folder->kept = is_told(snapshot, node);
	}
}

/* The journal on disk is what the tree shows: nothing that has gone is told of any more. */
static void rebased(struct tree *tree, bool tells_boot)
{
	struct staging_gone gone;

	staging_hold(tree->staging, false);
	gone = staging_take_gone(tree->staging);
	staging_remove_gone(tree->staging, &gone);
	tree->history->boot_told = tells_boot;
	tree->history->unsynced = tree->history->behind = false;
}

int history_compact(struct tree *tree, struct error *err)
{
	struct snapshot snapshot = {.tree = tree, .text = BUF_INIT(BUF_UNBOUNDED), .err = err};
	const struct node *root = tree->root;
	size_t base;
	int result;

	if (!tree->history)
		return 0;
	result = put_base(&snapshot);
	base = snapshot.text.len;
	if (!result)
		result = put_all(&snapshot);
	/* nothing differs: there is nothing to be kept */
	if (!result && snapshot.text.len == base &&
		!(root->tag->committing && root->tag->intents.count))
		buf_reset(&snapshot.text);
	else if (!result)
		result = put_intents(&snapshot) ||
			 put(&snapshot, &(struct record){.kind = RECORD_END, .texts = {""}});
	if (!result && snapshot.text.len && version_exists(tag_origin(root->tag)))
		result = saved_put(tree->history->kept_fd, &tag_origin(root->tag)->root, err);
	if (!result)
		result = journal_replace(tree->history->journal, &snapshot.text, err);
	if (!result) {
		note_told(&snapshot);
		rebased(tree, snapshot.text.len > 0);
	}
	if (!result && !snapshot.text.len)
		forget_kept(tree);
	buf_free(&snapshot.text);
	return result;
}

int history_rebase(struct tree *tree, struct error *err)
{
	if (history_compact(tree, err) == 0)
		return 0;
	tree->history->behind = true;
	staging_hold(tree->staging, true);
	durable_soon(tree);
	return -1;
}
