#include "fs/tree/annotate.h"

#include <time.h>

#include "annotation_file.h"
#include "cleanup.h"
#include "fs/tree/file.h"
#include "fs/tree/folder.h"
#include "fs/tree/history.h"
#include "fs/tree/notes.h"
#include "fs/tree/tag.h"
#include "layer_path.h"

/* The folder whose layer a node is; NULL for what is none. */
static struct node *layer_folder(struct tree *tree, struct node *node)
{
	if (node->kind != NODE_FILE || node_is_text(node) || node_is_scratch(tree, node))
		return NULL;
	return node_folder(node);
}

static struct annotations *layer_notes(struct node *folder, struct node *node)
{
	cleanup_free char *path = node_path(node, folder);

	return path ? annotation_file_layer(&folder->folder->notes, path) : NULL;
}

const struct annotations *node_annotations(struct tree *tree, struct node *node)
{
	struct node *folder = layer_folder(tree, node);

	if (folder)
		return layer_notes(folder, node);
	if (node->kind == NODE_TAG)
		return &node->tag->annotations;
	if (node->kind == NODE_FOLDER && !node->folder->read_only && folder_is_loaded(node))
		return &node->folder->notes.descriptor;
	if (node->folder)
		return &node->folder->entry.annotations;
	return node->file ? &node->file->aside : NULL;
}

/* The same to be changed; the tag or folder whose annotations.json tells of them is in *owner, NULL
 * where none does. */
static struct annotations *notes_to_change(
	struct tree *tree, struct node *node, struct node **owner, struct error *err)
{
	cleanup_free char *path = NULL;

	*owner = node;
	if (node->kind == NODE_TAG)
		return &node->tag->annotations;
	if (node->kind == NODE_FOLDER)
		return &node->folder->notes.descriptor;
	*owner = layer_folder(tree, node);
	if (!*owner && node->kind == NODE_FILE && !node_is_text(node))
		return &node->file->aside;
	path = *owner ? node_path(node, *owner) : NULL;
	if (path)
		return annotation_file_layer_make(&(*owner)->folder->notes, path, err);
	error_set(err, *owner ? ERROR_MEMORY : ERROR_NOT_PERMITTED,
		"only a tag, a platform folder and a layer have annotations");
	return NULL;
}

/* A draft is the whole truth once it is mended, and would undo what was set beside it. */
static int draft_refuses(const struct node *owner, struct error *err)
{
	const struct node *file = owner ? node_child(owner, ANNOTATIONS_NAME) : NULL;

	if (!file || file->kind != NODE_FILE || !file->file->draft)
		return 0;
	return error_set(
		err, ERROR_INVALID, "annotations.json isn't valid: mend it first, or remove it");
}

/* Whether all of it can be told by annotations.json: of a bounded size, and Unicode. */
static int check_text(const struct node *owner, const struct annotations *notes, struct error *err)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(ANNOTATION_FILE_MAX);

	if (owner && owner->kind != NODE_TAG)
		return annotation_file_format(&text, &owner->folder->notes, err);
	return index_annotations_format(&text, notes, err);
}

static int annotate(
	struct annotations *notes, const char *key, const char *value, struct error *err)
{
	if (value)
		return annotations_set(notes, key, value, err);
	annotations_remove(notes, key);
	return 0;
}

int node_annotate(
	struct tree *tree, struct node *node, const char *key, const char *value, struct error *err)
{
	struct node *owner;
	struct annotations *notes = notes_to_change(tree, node, &owner, err), before;
	int result;

	if (!notes || draft_refuses(owner, err))
		return -1;
	before = *notes;
	result = annotations_copy(notes, &before, err) || annotate(notes, key, value, err) ||
		 check_text(owner, notes, err) || history_annotated(tree, node, key, value, err);
	if (result) {
		annotations_clear(notes);
		*notes = before;
		return -1;
	}
	annotations_clear(&before);
	clock_gettime(CLOCK_REALTIME, &node->ctime);
	if (owner) {
		node_changed(owner);
		notes_settle(tree, owner);
	}
	return 0;
}
