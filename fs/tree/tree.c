#include "fs/tree/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "fs/tree/folder.h"
#include "fs/tree/upload.h"
#include "fs/work/scratch.h"
#include "layer_path.h"

void tree_init(struct tree *tree, const struct tree_options *options)
{
	memset(tree, 0, sizeof *tree);
	pthread_mutex_init(&tree->lock, NULL);
	pthread_cond_init(&tree->closed, NULL);
	errors_init(&tree->errors);
	cancel_init(&tree->durable.cancel);
	tree->options = *options;
	tree->next_order = ORDER_NEW;
}

void tree_destroy(struct tree *tree)
{
	inodes_clear(&tree->inodes);
	uploader_free(tree->uploader);
	errors_destroy(&tree->errors);
	stale_clear(&tree->stale);
	cancel_destroy(&tree->durable.cancel);
	pthread_cond_destroy(&tree->closed);
	pthread_mutex_destroy(&tree->lock);
}

int tree_report(
	struct tree *tree, const struct node *node, const char *what, const struct error *err)
{
	cleanup_free char *path = node ? node_path(node, NULL) : NULL;
	const char *where = path && *path ? path : "/";

	if (errors_add(&tree->errors, where, err))
		log_write(tree->log, LOG_LEVEL_ERROR, "%s: %s: %s", where, what, err->message);
	return error_errno(err);
}

int tree_report_unlocked(
	struct tree *tree, const struct node *node, const char *what, const struct error *err)
{
	int result;

	pthread_mutex_lock(&tree->lock);
	result = tree_report(tree, node, what, err);
	pthread_mutex_unlock(&tree->lock);
	return result;
}

struct node *tree_node(struct tree *tree, enum node_kind kind, mode_t mode)
{
	struct node *node = node_new(&tree->inodes, kind, mode & ~(tree->options.umask & 0777));

	if (node) {
		clock_gettime(CLOCK_REALTIME, &node->ctime);
		node->mtime = node->ctime;
	}
	return node;
}

bool tree_is_scratch(const struct tree *tree, const char *name)
{
	return !tree->options.publish_all && scratch_name(name);
}

/* Whether the base has a layer of this very path: then it's no scratch file, whatever its name. */
static bool is_in_base(const struct node *node)
{
	struct node *folder = node_folder((struct node *)node);
	cleanup_free char *path = folder ? node_path(node, folder) : NULL;

	return path && folder_layer_index(folder->folder, path) >= 0;
}

bool node_is_scratch(const struct tree *tree, const struct node *node)
{
	const struct node *at;

	for (at = node; at && (at->kind == NODE_FILE || at->kind == NODE_DIRECTORY);
		at = at->parent) {
		/* in .oci */
		if (at->parent && at->parent->kind == NODE_CONTROL)
			return !node_is_document(at);
		if (at->name && tree_is_scratch(tree, at->name))
			return !is_in_base(node);
	}
	return false;
}

bool node_is_annotations(const struct node *node)
{
	const struct node *parent = node->parent;

	return node->kind == NODE_FILE && parent && !strcmp(node->name, ANNOTATIONS_NAME) &&
	       (parent->kind == NODE_TAG || parent->kind == NODE_FOLDER);
}

/* .oci itself. */
static bool is_control_folder(const struct node *node)
{
	return node_is_directory(node) && node->parent && node->parent->children.control == node;
}

/* Whether it is in .oci of what is to be attached: its folder's name and place say all of that. */
static bool is_told_by_name(const struct node *node, const struct node *folder)
{
	const struct node *parent = node->parent;

	return folder->parent && folder->parent->kind == NODE_REFERRERS &&
	       (node->kind == NODE_CONTROL || (parent && parent->kind == NODE_CONTROL));
}

int node_writable(const struct tree *tree, struct node *node)
{
	struct node *folder;

	if (tree->options.read_only)
		return EROFS;
	if (node->kind == NODE_CONTROL && !is_control_folder(node))
		return EPERM;
	if (node->kind == NODE_REFERRERS || node->kind == NODE_NESTED)
		return EPERM;
	folder = node_folder(node);
	if (folder && (folder->folder->read_only || is_told_by_name(node, folder)))
		return EPERM;
	return 0;
}
