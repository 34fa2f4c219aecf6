#include "fs/tree/xattr.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "cleanup.h"
#include "fs/tree/annotate.h"
#include "fs/tree/file.h"
#include "fs/tree/folder.h"
#include "fs/tree/tag.h"
#include "fs/tree/upload.h"
#include "media_type.h"

#define ANNOTATION_PREFIX XATTR_PREFIX "annotation."
#define NAME_MAX_LEN 255 /* the kernel's XATTR_NAME_MAX */

/* Room for a value that is made. */
struct room {
	char text[FOLDER_NAME_SIZE];
};

/* An attribute with a name of its own. */
struct attribute {
	const char *name;
	/* The value, NULL where there is none. */
	const char *(*get)(struct tree *tree, struct node *node, struct room *room);
	/* NULL: it can only be read. A value of NULL removes it. */
	int (*set)(struct tree *tree, struct node *node, const char *value, struct error *err);
	/* Whether it was set, so that it is in the list and can be removed. */
	bool (*is_set)(struct node *node);
};

/* The document that a tag names; NULL for all else. */
static const struct document *root_of(const struct node *node)
{
	return node->kind == NODE_TAG && version_exists(tag_now(node->tag))
		       ? &tag_now(node->tag)->root
		       : NULL;
}

/* The descriptor that a node stands for as the base has it; NULL where there is none. */
static const struct descriptor *descriptor_of(const struct node *node)
{
	if (node->kind == NODE_FILE && node->file->has_layer && !node->file->changed)
		return &node->file->layer;
	return node->folder && node->folder->has_entry ? &node->folder->entry : NULL;
}

static const char *get_digest(struct tree *tree, struct node *node, struct room *room)
{
	const struct document *root = root_of(node);
	const struct descriptor *descriptor = descriptor_of(node);

	(void)tree;
	(void)room;
	if (root)
		return root->digest.text;
	return descriptor ? descriptor->digest.text : NULL;
}

static const char *get_size(struct tree *tree, struct node *node, struct room *room)
{
	const struct document *root = root_of(node);
	const struct descriptor *descriptor = descriptor_of(node);

	(void)tree;
	if (!root && !descriptor)
		return NULL;
	snprintf(room->text, sizeof room->text, "%lld",
		root ? (long long)root->json_len : (long long)descriptor->size);
	return room->text;
}

static const char *get_media_type(struct tree *tree, struct node *node, struct room *room)
{
	const struct document *root = root_of(node);
	const struct descriptor *descriptor = descriptor_of(node);

	(void)room;
	if (node->kind == NODE_FILE)
		return node_is_text(node) ? NULL : file_media_type(tree, node);
	if (root)
		return root->media_type;
	return descriptor ? descriptor->media_type : NULL;
}

static const char *get_artifact_type(struct tree *tree, struct node *node, struct room *room)
{
	const struct document *root = root_of(node);
	const struct descriptor *descriptor = descriptor_of(node);

	(void)tree;
	(void)room;
	if (root)
		return root->artifact_type;
	return descriptor ? descriptor->artifact_type : NULL;
}

static const char *get_platform(struct tree *tree, struct node *node, struct room *room)
{
	(void)tree;
	if (!node->folder || !node->folder->has_platform ||
		!platform_name(room->text, &node->folder->platform))
		return NULL;
	return room->text;
}

static const char *get_state(struct tree *tree, struct node *node, struct room *room)
{
	const struct file *file = node->file;
	struct upload_view upload;
	struct blob *blob;
	bool local;

	(void)room;
	if (!file)
		return NULL;
	if (file->changed && upload_look(tree, node, &upload))
		return upload.state;
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

/* What the registry has, has its type: another one would make another layer of the same bytes. */
static int set_media_type(
	struct tree *tree, struct node *node, const char *value, struct error *err)
{
	if (node->kind != NODE_FILE || node_is_text(node) || file_is_in_base(node))
		return error_set(err, ERROR_NOT_PERMITTED,
			"the media type can be set of a file that has changed");
	if (value && !media_type_valid(value))
		return error_set(err, ERROR_INVALID, "%s is no media type", value);
	return file_set_media_type(tree, node, value, err);
}

static bool media_type_is_set(struct node *node)
{
	return node->file && node->file->media_type && !file_is_in_base(node);
}

/* A choice is made, and there is nothing to be read. */
static const char *get_settle(struct tree *tree, struct node *node, struct room *room)
{
	(void)tree;
	(void)node;
	(void)room;
	return NULL;
}

/* Says how conflicts are to be settled by the next commit (conflict.h). */
static int set_settle(struct tree *tree, struct node *node, const char *value, struct error *err)
{
	(void)tree;
	if (node->kind != NODE_TAG)
		return error_set(err, ERROR_NOT_PERMITTED, "it is set of the mount point");
	return conflicts_choose(&node->tag->conflicts, value, strlen(value), err);
}

static const struct attribute attributes[] = {
	{.name = XATTR_PREFIX "artifacttype", .get = get_artifact_type},
	{.name = XATTR_PREFIX "digest", .get = get_digest},
	{.name = XATTR_PREFIX "mediatype",
		.get = get_media_type,
		.set = set_media_type,
		.is_set = media_type_is_set},
	{.name = XATTR_PREFIX "platform", .get = get_platform},
	{.name = XATTR_PREFIX "settle", .get = get_settle, .set = set_settle},
	{.name = XATTR_PREFIX "size", .get = get_size},
	{.name = XATTR_PREFIX "state", .get = get_state},
};

#define ATTRIBUTE_COUNT (sizeof attributes / sizeof attributes[0])

static const struct attribute *attribute_find(const char *name)
{
	size_t i;

	for (i = 0; i < ATTRIBUTE_COUNT; i++)
		if (!strcmp(attributes[i].name, name))
			return &attributes[i];
	return NULL;
}

/* The key of an annotation; NULL for a name that is none's. */
static const char *annotation_key(const char *name)
{
	size_t len = strlen(ANNOTATION_PREFIX);

	return !strncmp(name, ANNOTATION_PREFIX, len) && name[len] ? name + len : NULL;
}

static const char *value_of(
	struct tree *tree, struct node *node, const char *name, struct room *room)
{
	const struct attribute *attribute = attribute_find(name);
	const char *key = annotation_key(name);
	const struct annotations *notes = key ? node_annotations(tree, node) : NULL;

	if (attribute)
		return attribute->get(tree, node, room);
	return notes ? annotations_get(notes, key) : NULL;
}

int xattr_get(struct tree *tree, struct node *node, const char *name, struct buf *out)
{
	struct room room;
	const char *text;
	int result = ENODATA;

	pthread_mutex_lock(&tree->lock);
	text = value_of(tree, node, name, &room);
	if (text)
		result = !buf_append_text(out, text) ? 0 : errno == EFBIG ? E2BIG : errno;
	pthread_mutex_unlock(&tree->lock);
	return result;
}

static int list(struct tree *tree, struct node *node, struct buf *out)
{
	const struct annotations *notes = node_annotations(tree, node);
	size_t i;

	for (i = 0; i < ATTRIBUTE_COUNT; i++)
		if (attributes[i].is_set && attributes[i].is_set(node) &&
			buf_append(out, attributes[i].name, strlen(attributes[i].name) + 1))
			return -1;
	for (i = 0; notes && i < notes->count; i++) {
		const char *key = notes->items[i].key;

		/* one that can't be asked for */
		if (!*key || strlen(ANNOTATION_PREFIX) + strlen(key) > NAME_MAX_LEN)
			continue;
		if (buf_append_text(out, ANNOTATION_PREFIX) ||
			buf_append(out, key, strlen(key) + 1))
			return -1;
	}
	return 0;
}

int xattr_list(struct tree *tree, struct node *node, struct buf *out)
{
	int result;

	pthread_mutex_lock(&tree->lock);
	result = !list(tree, node, out) ? 0 : errno == EFBIG ? E2BIG : errno;
	pthread_mutex_unlock(&tree->lock);
	return result;
}

/* A layer's title is its file's name, and its mode the execute bit. */
static int check_key(const struct node *node, const char *key, struct error *err)
{
	if (node->kind == NODE_FILE && !strcmp(key, ANNOTATION_TITLE))
		return error_set(
			err, ERROR_NOT_PERMITTED, "the title is the name: rename the file");
	if (node->kind == NODE_FILE && !strcmp(key, ANNOTATION_MODE))
		return error_set(err, ERROR_NOT_PERMITTED, "the mode is the file's: use chmod");
	return 0;
}

static int set_value(struct tree *tree, struct node *node, const char *name, const char *value,
	struct error *err)
{
	const struct attribute *attribute = attribute_find(name);
	const char *key = annotation_key(name);

	if (key)
		return check_key(node, key, err) ? -1 : node_annotate(tree, node, key, value, err);
	if (attribute && attribute->set)
		return attribute->set(tree, node, value, err);
	return error_set(err, ERROR_NOT_PERMITTED, "it can only be read");
}

/* Sets, or where value is NULL removes; now is what there is. The lock is held. */
static int change(
	struct tree *tree, struct node *node, const char *name, const char *value, const char *now)
{
	struct error err = ERROR_INIT;
	int result = node_writable(tree, node);

	if (result)
		return result;
	if (now && value && !strcmp(now, value))
		return 0;
	return set_value(tree, node, name, value, &err) ? tree_report(tree, node, name, &err) : 0;
}

static int check_flags(int flags, const char *now)
{
	if ((flags & XATTR_CREATE) && now)
		return EEXIST;
	return (flags & XATTR_REPLACE) && !now ? ENODATA : 0;
}

int xattr_set(struct tree *tree, struct node *node, const char *name, const char *value,
	size_t size, int flags)
{
	cleanup_free char *text = NULL;
	struct room room;
	const char *now;
	int result;

	if (!annotation_key(name) && !attribute_find(name))
		return ENOTSUP;
	if (memchr(value, '\0', size))
		return EINVAL;
	text = strndup(value, size);
	if (!text)
		return ENOMEM;
	pthread_mutex_lock(&tree->lock);
	now = value_of(tree, node, name, &room);
	result = check_flags(flags, now);
	if (!result)
		result = change(tree, node, name, text, now);
	pthread_mutex_unlock(&tree->lock);
	return result;
}

/* What isn't in the list can't be taken out of it. */
int xattr_remove(struct tree *tree, struct node *node, const char *name)
{
	const struct attribute *attribute = attribute_find(name);
	struct room room;
	const char *now;
	int result = ENODATA;

	pthread_mutex_lock(&tree->lock);
	now = value_of(tree, node, name, &room);
	if (now && attribute && !(attribute->is_set && attribute->is_set(node)))
		result = EPERM;
	else if (now)
		result = change(tree, node, name, NULL, now);
	pthread_mutex_unlock(&tree->lock);
	return result;
}
