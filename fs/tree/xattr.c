#include "fs/tree/xattr.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "fs/tree/file.h"
#include "fs/tree/folder.h"
#include "fs/tree/tag.h"

#define ANNOTATION_PREFIX "annotation."

/* The descriptor that a node stands for as the base has it; NULL where there is none. */
static const struct descriptor *node_descriptor(const struct node *node)
{
	if (node->kind == NODE_FILE && node->file->has_layer && !node->file->changed)
		return &node->file->layer;
	if (node->folder && node->folder->has_entry)
		return &node->folder->entry;
	return NULL;
}

static const struct annotations *node_annotations(struct node *node)
{
	struct node *folder;
	cleanup_free char *path = NULL;

	if (node->kind == NODE_TAG)
		return &node->tag->annotations;
	if (node->kind == NODE_FOLDER)
		return folder_is_loaded(node) ? &node->folder->notes.descriptor
					      : &node->folder->entry.annotations;
	folder = node->kind == NODE_FILE ? node_folder(node) : NULL;
	path = folder ? node_path(node, folder) : NULL;
	return path ? annotation_file_layer(&folder->folder->notes, path) : NULL;
}

static const char *file_state(struct tree *tree, struct node *node)
{
	struct file *file = node->file;
	struct blob *blob;
	bool local;

	if (file->staged)
		return file->changed ? "staged" : "cached";
	if (!file->has_layer)
		return "staged";
	blob = cache_blob(tree->cache, &file->layer.digest, file->layer.size, NULL);
	local = blob && blob_is_local(blob);
	if (blob)
		blob_put_back(blob);
	return local ? "cached" : "remote";
}

/* A value of the node by the name after the prefix, or NULL. scratch is room for a number. */
static const char *value(struct tree *tree, struct node *node, const char *name,
	char scratch[static FOLDER_NAME_SIZE])
{
	const struct descriptor *descriptor = node_descriptor(node);
	const struct annotations *annotations;

	if (!strncmp(name, ANNOTATION_PREFIX, strlen(ANNOTATION_PREFIX))) {
		annotations = node_annotations(node);
		return annotations ? annotations_get(annotations, name + strlen(ANNOTATION_PREFIX))
				   : NULL;
	}
	if (!strcmp(name, "state"))
		return node->kind == NODE_FILE ? file_state(tree, node) : NULL;
	if (!strcmp(name, "platform"))
		return node->folder && node->folder->has_platform &&
				       platform_name(scratch, &node->folder->platform)
			       ? scratch
			       : NULL;
	if (node->kind == NODE_TAG && version_exists(&node->tag->base) && !strcmp(name, "digest"))
		return node->tag->base.root.digest.text;
	if (!descriptor)
		return NULL;
	if (!strcmp(name, "digest"))
		return descriptor->digest.text;
	if (!strcmp(name, "mediatype"))
		return descriptor->media_type;
	if (!strcmp(name, "artifacttype"))
		return descriptor->artifact_type;
	if (strcmp(name, "size") != 0)
		return NULL;
	snprintf(scratch, FOLDER_NAME_SIZE, "%lld", (long long)descriptor->size);
	return scratch;
}

int xattr_get(struct tree *tree, struct node *node, const char *name, struct buf *out)
{
	char scratch[FOLDER_NAME_SIZE];
	const char *text;
	int result = ENODATA;

	pthread_mutex_lock(&tree->lock);
	text = value(tree, node, name + strlen(XATTR_PREFIX), scratch);
	if (text)
		result = buf_append_text(out, text) ? errno : 0;
	pthread_mutex_unlock(&tree->lock);
	return result;
}

static int list_name(struct buf *out, const char *prefix, const char *name)
{
	return buf_append_text(out, XATTR_PREFIX) || buf_append_text(out, prefix) ||
	       buf_append(out, name, strlen(name) + 1);
}

int xattr_list(struct tree *tree, struct node *node, struct buf *out)
{
	static const char *const names[] = {
		"digest", "size", "mediatype", "artifacttype", "platform", "state"};
	char scratch[FOLDER_NAME_SIZE];
	const struct annotations *annotations;
	size_t i;
	int result = 0;

	pthread_mutex_lock(&tree->lock);
	for (i = 0; i < sizeof names / sizeof names[0] && !result; i++)
		if (value(tree, node, names[i], scratch))
			result = list_name(out, "", names[i]);
	annotations = node_annotations(node);
	for (i = 0; annotations && i < annotations->count && !result; i++)
		result = list_name(out, ANNOTATION_PREFIX, annotations->items[i].key);
	pthread_mutex_unlock(&tree->lock);
	return result ? errno : 0;
}
