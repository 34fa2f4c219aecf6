#include "fs/tree/notes.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "annotation_file.h"
#include "cleanup.h"
#include "fs/tree/file.h"
#include "fs/tree/folder.h"
#include "fs/tree/history.h"
#include "fs/tree/tag.h"
#include "fs/tree/text.h"
#include "layer_path.h"

static int load_layer(struct annotation_file *notes, const struct descriptor *layer,
	const char *path, struct error *err)
{
	const struct annotations *from = &layer->annotations;
	struct annotations *to;
	size_t k;

	for (k = 0; k < from->count; k++) {
		const struct annotation *item = &from->items[k];

		if (!strcmp(item->key, ANNOTATION_TITLE) || !strcmp(item->key, ANNOTATION_MODE))
			continue;
		to = annotation_file_layer_make(notes, path, err);
		if (!to || annotations_set(to, item->key, item->value, err))
			return -1;
	}
	return 0;
}

static int load(struct annotation_file *notes, const struct folder *folder, struct error *err)
{
	const struct document *manifest = folder->manifest;
	size_t i;

	if (annotations_copy(&notes->descriptor, &folder->entry.annotations, err) ||
		annotations_copy(&notes->manifest, &manifest->annotations, err))
		return -1;
	if (manifest->has_config &&
		annotations_copy(&notes->config, &manifest->config.annotations, err))
		return -1;
	for (i = 0; i < manifest->count; i++)
		if (load_layer(notes, &manifest->items[i], folder->paths[i], err))
			return -1;
	return 0;
}

int notes_load(struct node *node, struct error *err)
{
	struct annotation_file notes = ANNOTATION_FILE_INIT;

	if (load(&notes, node->folder, err)) {
		annotation_file_clear(&notes);
		return -1;
	}
	annotation_file_clear(&node->folder->notes);
	node->folder->notes = notes;
	return 0;
}

int notes_load_layer(struct node *node, size_t i, struct error *err)
{
	const struct folder *folder = node->folder;

	return load_layer(&node->folder->notes, &folder->manifest->items[i], folder->paths[i], err);
}

bool notes_say_something(const struct node *owner)
{
	const struct annotation_file *notes;
	size_t i;

	if (owner->kind == NODE_TAG)
		return owner->tag->annotations.count > 0;
	notes = &owner->folder->notes;
	if (notes->descriptor.count || notes->manifest.count || notes->config.count)
		return true;
	for (i = 0; i < notes->layer_count; i++)
		if (notes->layers[i].annotations.count)
			return true;
	return false;
}

int notes_show(struct tree *tree, struct node *owner, struct error *err)
{
	struct node *file = node_child(owner, ANNOTATIONS_NAME);
	bool wanted = notes_say_something(owner);
	int result;

	if (file || !wanted)
		return 0;
	file = file_new(tree, S_IFREG | 0644, NULL, err);
	if (!file)
		return -1;
	file->mtime = file->ctime = owner->mtime;
	result = node_link(&tree->inodes, owner, ANNOTATIONS_NAME, file, err);
	node_unpin(&tree->inodes, file);
	return result;
}

int notes_text(struct node *file, struct buf *out, struct error *err)
{
	struct node *owner = file->parent;

	if (!owner)
		return 0;
	if (owner->kind == NODE_TAG)
		return index_annotations_format(out, &owner->tag->annotations, err);
	return annotation_file_format(out, &owner->folder->notes, err);
}

/* The file that a layer's annotations tell of, by its path. */
static struct node *file_at(struct node *folder, const char *title)
{
	cleanup_free char *path = strdup(title);
	struct node *at = folder;
	char *rest = path, *part;

	while (at && rest && (part = strsep(&rest, "/")))
		at = node_child(at, part);
	return at && at->kind == NODE_FILE ? at : NULL;
}

/* The mode isn't a note: it goes to the file, where it is said at all. */
static void take_mode(struct node *folder, struct layer_annotations *layer)
{
	const char *mode = annotations_get(&layer->annotations, ANNOTATION_MODE);
	struct node *file = file_at(folder, layer->title);

	if (mode && file) {
		file->file->mode_set = true;
		file->mode = S_IFREG | 0644 | (strtoul(mode, NULL, 8) & 0111 ? 0111 : 0);
	}
	annotations_remove(&layer->annotations, ANNOTATION_MODE);
}

static int take_for_folder(
	struct tree *tree, struct node *owner, const char *text, size_t len, struct error *err)
{
	cleanup_with(annotation_file_clear) struct annotation_file notes = ANNOTATION_FILE_INIT;
	size_t i;

	if (annotation_file_parse(&notes, text, len, err) || history_notes(tree, owner, text, err))
		return -1;
	for (i = 0; i < notes.layer_count; i++)
		take_mode(owner, &notes.layers[i]);
	annotation_file_clear(&owner->folder->notes);
	annotation_file_clear(&owner->folder->left);
	owner->folder->notes = notes;
	notes = (struct annotation_file)ANNOTATION_FILE_INIT;
	return 0;
}

static int take_for_tag(
	struct tree *tree, struct node *owner, const char *text, size_t len, struct error *err)
{
	cleanup_with(annotations_clear) struct annotations annotations = ANNOTATIONS_INIT;

	if (index_annotations_parse(&annotations, text, len, err) ||
		history_notes(tree, owner, text, err))
		return -1;
	annotations_clear(&owner->tag->annotations);
	owner->tag->annotations = annotations;
	annotations = (struct annotations)ANNOTATIONS_INIT;
	return 0;
}

static int take_text(
	struct tree *tree, struct node *owner, const char *text, size_t len, struct error *err)
{
	if (owner->kind == NODE_TAG)
		return take_for_tag(tree, owner, text, len, err);
	return take_for_folder(tree, owner, text, len, err);
}

int notes_take(
	struct tree *tree, struct node *file, const char *text, size_t len, struct error *err)
{
	struct node *owner = file->parent;

	if (!len)
		return error_set(
			err, ERROR_INVALID, "the file is empty; {} removes every annotation");
	return take_text(tree, owner, text, len, err);
}

int notes_set(
	struct tree *tree, struct node *owner, const char *text, size_t len, struct error *err)
{
	struct node *file = node_child(owner, ANNOTATIONS_NAME);

	if (take_text(tree, owner, text, len, err))
		return -1;
	if (file && file->kind == NODE_FILE)
		file->file->changed = false;
	node_changed(owner);
	return notes_show(tree, owner, err);
}

/* The file shows the notes again, where nobody is writing it. NULL where there is none. */
static struct node *regenerate(struct node *owner)
{
	struct node *node = node_child(owner, ANNOTATIONS_NAME);

	if (!node || node->kind != NODE_FILE)
		return NULL;
	text_regenerate(node);
	return node;
}

void notes_settle(struct tree *tree, struct node *owner)
{
	struct node *node = regenerate(owner);

	if (node && !node->file->staged && !node->file->handles && !notes_say_something(owner)) {
		/* the kernel may go on to know it by its name */
		node->file->dropped = true;
		node_unlink(&tree->inodes, node);
	}
	notes_show(tree, owner, NULL);
}

void notes_removed(struct node *owner)
{
	if (owner->kind == NODE_TAG)
		annotations_clear(&owner->tag->annotations);
	else
		annotation_file_clear(&owner->folder->notes);
	node_changed(owner);
}

static int move_layer(struct annotation_file *from, const char *title, struct annotation_file *to,
	const char *new_title, struct error *err)
{
	struct annotations moved = ANNOTATIONS_INIT, *old, *new;

	old = annotation_file_layer(from, title);
	if (!old)
		return 0;
	if (!old->count) {
		annotation_file_layer_remove(from, title);
		return 0;
	}
	if (annotations_copy(&moved, old, err))
		return -1;
	new = annotation_file_layer_make(to, new_title, err);
	if (!new) {
		annotations_clear(&moved);
		return -1;
	}
	annotations_clear(new);
	*new = moved;
	if (from != to || strcmp(title, new_title) != 0)
		annotation_file_layer_remove(from, title);
	return 1;
}

int notes_layer_moved(struct tree *tree, struct node *from_folder, const char *from,
	struct node *to_folder, const char *to, struct error *err)
{
	int moved = move_layer(&from_folder->folder->notes, from,
		to ? &to_folder->folder->notes : &from_folder->folder->left, to ? to : from, err);

	if (moved <= 0)
		return moved;
	regenerate(from_folder);
	if (to && to_folder != from_folder) {
		regenerate(to_folder);
		return notes_show(tree, to_folder, err);
	}
	return 0;
}

int notes_layer_made(struct tree *tree, struct node *folder, const char *path, struct error *err)
{
	const struct annotations *now = annotation_file_layer(&folder->folder->notes, path);
	int moved;

	if (now && now->count)
		return 0;
	moved = move_layer(&folder->folder->left, path, &folder->folder->notes, path, err);
	if (moved <= 0)
		return moved;
	regenerate(folder);
	return notes_show(tree, folder, err);
}

int notes_put_aside(struct tree *tree, struct node *file, struct error *err)
{
	struct node *folder = node_folder(file);
	cleanup_free char *path = folder ? node_path(file, folder) : NULL;
	struct annotations *notes;

	(void)tree;
	if (!path)
		return folder ? error_set_memory(err) : 0;
	notes = annotation_file_layer(&folder->folder->notes, path);
	if (!notes)
		return 0;
	annotations_clear(&file->file->aside);
	file->file->aside = *notes;
	*notes = (struct annotations)ANNOTATIONS_INIT;
	annotation_file_layer_remove(&folder->folder->notes, path);
	regenerate(folder);
	return 0;
}

int notes_take_aside(struct tree *tree, struct node *file, struct node *to_folder, const char *to,
	struct error *err)
{
	struct annotations *notes;

	if (!file->file->aside.count)
		return 0;
	notes = annotation_file_layer_make(&to_folder->folder->notes, to, err);
	if (!notes)
		return -1;
	annotations_clear(notes);
	*notes = file->file->aside;
	file->file->aside = (struct annotations)ANNOTATIONS_INIT;
	regenerate(to_folder);
	return notes_show(tree, to_folder, err);
}
