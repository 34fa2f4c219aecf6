#include "fs/tree/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "clock.h"
#include "fs/tree/file.h"
#include "fs/tree/folder.h"
#include "fs/tree/given.h"
#include "fs/tree/referrers.h"
#include "fs/tree/status.h"
#include "fs/tree/tag.h"
#include "layer_path.h"

/* An editor that saves by removing a file, or by moving it away, makes another at once. */
#define SAVING_MS 2000

struct control {
	const struct control_kind *kind; /* NULL: the folder .oci */
	unsigned gone; /* of the folder: documents that were removed, or moved away */
	int64_t gone_ms; /* when the last of them was, by the monotonic clock */
};

/* A kind of file: the document it is of (NULL: none yet), and its text. */
struct control_kind {
	const char *name;
	bool of_tag, of_folder;
	const char *(*text)(const struct node *owner); /* a text that stands somewhere, or NULL */
	bool line; /* the text is one line */
	int (*make)(struct tree *tree, const struct node *owner, struct buf *out);
};

void control_free(struct control *control)
{
	free(control);
}

static const struct document *document_of(const struct node *owner)
{
	const struct version *shown;

	if (owner->kind != NODE_TAG)
		return owner->folder->manifest;
	shown = owner->tag->given ? &owner->tag->base : tag_now(owner->tag);
	return version_exists(shown) ? &shown->root : NULL;
}

static const char *text_digest(const struct node *owner)
{
	const struct document *document = document_of(owner);

	return document ? document->digest.text : NULL;
}

static int make_log(struct tree *tree, const struct node *owner, struct buf *out)
{
	(void)owner;
	return tree->log ? log_read(tree->log, out) : 0;
}

static const struct control_kind kinds[] = {
	{.name = "digest", .of_tag = true, .of_folder = true, .text = text_digest, .line = true},
	{.name = "status", .of_tag = true, .of_folder = true, .make = status_make},
	{.name = "log", .of_tag = true, .make = make_log},
};

static struct node *control_node(struct tree *tree, mode_t mode, const struct control_kind *kind)
{
	struct node *node = tree_node(tree, NODE_CONTROL, mode);

	if (!node)
		return NULL;
	node->control = calloc(1, sizeof *node->control);
	if (!node->control) {
		node_unpin(&tree->inodes, node);
		return NULL;
	}
	node->control->kind = kind;
	return node;
}

static int add_files(struct tree *tree, struct node *folder, const struct node *owner)
{
	size_t i;

	for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		struct node *file;
		int result;

		if (owner->kind == NODE_TAG ? !kinds[i].of_tag : !kinds[i].of_folder)
			continue;
		file = control_node(tree, S_IFREG | 0444, &kinds[i]);
		if (!file)
			return -1;
		result = node_link(&tree->inodes, folder, kinds[i].name, file, NULL);
		node_unpin(&tree->inodes, file);
		if (result)
			return -1;
	}
	return 0;
}

static int add_referrers(struct tree *tree, struct node *folder)
{
	struct node *referrers = referrers_new(tree);
	int result;

	if (!referrers)
		return -1;
	result = node_link(&tree->inodes, folder, REFERRERS_NAME, referrers, NULL);
	node_unpin(&tree->inodes, referrers);
	return result;
}

/* The file of a blob has the one that its document names now. */
static void show_blob(struct node *node)
{
	struct file *file = node->file;
	const struct descriptor *blob = node_is_document(node) ? given_blob(node) : NULL;
	struct descriptor copy = DESCRIPTOR_INIT;

	if (!blob || (file->has_layer && !strcmp(file->layer.json, blob->json)) ||
		descriptor_copy(&copy, blob, NULL))
		return;
	if (file->blob)
		blob_put_back(steal_ptr(file->blob));
	descriptor_clear(&file->layer);
	file->layer = copy;
	file->has_layer = true;
}

static int add_document(struct tree *tree, struct node *folder, const char *name)
{
	struct node *owner = folder->parent, *file;
	int result;

	file = file_new(tree, S_IFREG | (node_writable(tree, owner) ? 0444 : 0644), NULL, NULL);
	if (!file)
		return -1;
	file->mtime = file->ctime = owner->mtime;
	result = node_link(&tree->inodes, folder, name, file, NULL);
	if (!result)
		show_blob(file);
	node_unpin(&tree->inodes, file);
	return result;
}

/* What has nothing more to show goes. */
static void drop_document(struct tree *tree, struct node *file)
{
	if (!node_is_document(file) || file->file->staged || file->file->handles)
		return;
	/* the kernel may go on to know it by its name */
	file->file->dropped = true;
	node_unlink(&tree->inodes, file);
}

void control_refresh(struct tree *tree, struct node *folder)
{
	const char *name;
	bool there;

	if (!folder->parent || folder != folder->parent->children.control)
		return;
	if (clock_ms() - folder->control->gone_ms >= SAVING_MS)
		folder->control->gone = 0;
	for (size_t i = 0; (name = given_name(folder->parent, i, &there)); i++) {
		struct node *file = node_child(folder, name);

		if (file)
			show_blob(file);
		if (!file && there && !(folder->control->gone & (1U << i)))
			add_document(tree, folder, name);
		else if (file && !there)
			drop_document(tree, file);
	}
}

void control_gone(struct node *file)
{
	struct node *folder = file->parent;
	const char *name;
	bool there;

	for (size_t i = 0; (name = given_name(folder->parent, i, &there)); i++)
		if (!strcmp(name, file->name))
			folder->control->gone |= 1U << i;
	folder->control->gone_ms = clock_ms();
}

void control_settle(struct node *owner)
{
	if (owner->children.control)
		owner->children.control->control->gone = 0;
}

struct node *control_folder(struct tree *tree, struct node *owner)
{
	struct node *folder = owner->children.control;

	if (folder)
		return folder;
	folder = control_node(tree, S_IFDIR | (node_writable(tree, owner) ? 0555 : 0755), NULL);
	if (!folder || add_files(tree, folder, owner) || add_referrers(tree, folder)) {
		if (folder)
			node_unpin(&tree->inodes, folder);
		errno = ENOMEM;
		return NULL;
	}
	folder->name = strdup(CONTROL_NAME);
	folder->parent = owner;
	owner->children.control = folder;
	node_unpin(&tree->inodes, folder);
	return folder->name ? folder : NULL;
}

/* The tag or platform folder that a file in .oci is about. */
static const struct node *owner_of(const struct node *node)
{
	return node->parent ? node->parent->parent : NULL;
}

bool control_is_there(const struct node *node)
{
	const struct control_kind *kind = node->control->kind;
	const struct node *owner = owner_of(node);

	return !kind || (owner && (!kind->text || kind->text(owner)));
}

int control_text(struct tree *tree, struct node *node, struct buf *out, struct error *err)
{
	const struct control_kind *kind = node->control->kind;
	const struct node *owner = owner_of(node);
	const char *text = owner && kind->text ? kind->text(owner) : "";
	int result = 0;

	if (!owner || !text)
		return error_set(err, ERROR_NOT_FOUND, "there is no %s any more", kind->name);
	if (kind->make)
		result = kind->make(tree, owner, out);
	else
		result = buf_append_text(out, text);
	if (!result && kind->line)
		result = buf_append_text(out, "\n");
	return result ? error_set_memory(err) : 0;
}
