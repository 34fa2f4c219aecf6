#include "fs/tree/edit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "fs/tree/attach.h"
#include "fs/tree/control.h"
#include "fs/tree/file.h"
#include "fs/tree/folder.h"
#include "fs/tree/given.h"
#include "fs/tree/history.h"
#include "fs/tree/name.h"
#include "fs/tree/notes.h"
#include "fs/tree/tag.h"
#include "fs/tree/text.h"
#include "fs/tree/upload.h"
#include "layer_path.h"

struct node *edit_lookup(struct tree *tree, struct node *parent, const char *name)
{
	struct node *child;
	char canonical[FOLDER_NAME_SIZE];

	if (parent->kind == NODE_CONTROL)
		control_refresh(tree, parent);
	child = node_child(parent, name);
	if (child || (parent->kind != NODE_TAG && parent->kind != NODE_NESTED))
		return child;
	return name_canonical(canonical, name, NULL, NULL) ? NULL : node_child(parent, canonical);
}

/* A new file takes the place that its title has in the base, so that replacing a layer by way of
 * a temporary file, or removing it and making it again, leaves it where it was. */
static void take_place(struct tree *tree, struct node *node)
{
	struct node *folder = node_folder(node);
	cleanup_free char *path = folder ? node_path(node, folder) : NULL;
	long index = path ? folder_layer_index(folder->folder, path) : -1;

	if (index >= 0)
		node->order = (uint64_t)index;
	if (path && node->kind == NODE_FILE)
		notes_layer_made(tree, folder, path, NULL);
}

static int link_new(struct tree *tree, struct node *parent, const char *name, struct node *node)
{
	if (node_link(&tree->inodes, parent, name, node, NULL)) {
		node_unpin(&tree->inodes, node);
		return ENOMEM;
	}
	clock_gettime(CLOCK_REALTIME, &parent->mtime);
	if (!node_is_scratch(tree, node))
		node_changed(parent);
	return 0;
}

/* What was just made goes into the history, or isn't made. Its pin goes with it then. */
static int write_down(struct tree *tree, struct node *node)
{
	struct error err = ERROR_INIT;
	int result;

	if (!history_made(tree, node, &err))
		return 0;
	result = tree_report(tree, node, "can't be made", &err);
	node_unlink(&tree->inodes, node);
	node_unpin(&tree->inodes, node);
	return result;
}

int edit_create(
	struct tree *tree, struct node *parent, const char *name, mode_t mode, struct node **out)
{
	struct error err = ERROR_INIT;
	struct staged *staged = NULL;
	struct node *node;
	int result;

	if (staged_new(&staged, tree->staging, &err))
		return tree_report_unlocked(tree, parent, "no file can be made", &err);
	pthread_mutex_lock(&tree->lock);
	result = name_allowed(tree, parent, name);
	if (!result && node_child(parent, name))
		result = EEXIST;
	if (!result) {
		node = file_new(tree, S_IFREG | (mode & 0755) | 0600, NULL, NULL);
		result = node ? 0 : ENOMEM;
	}
	if (!result) {
		node->file->staged = steal_ptr(staged);
		node->file->changed = node->file->mode_set = true;
		result = link_new(tree, parent, name, node);
	}
	if (!result) {
		take_place(tree, node);
		result = write_down(tree, node);
	}
	if (!result)
		*out = node;
	pthread_mutex_unlock(&tree->lock);
	if (staged)
		staged_put_back(staged);
	return result;
}

/* A removed entry that comes again takes its old place in the index. */
static uint64_t entry_place(struct node *tag, const char *name, uint64_t order)
{
	cleanup_with(entry_list_clear) struct entry_list entries = {.items = NULL};
	size_t i;

	if (version_is_single(&tag->tag->base) || version_entries(&entries, &tag->tag->base, NULL))
		return order;
	for (i = 0; i < entries.count; i++)
		if (!strcmp(entries.names[i], name))
			order = i;
	return order;
}

static int make_platform(
	struct tree *tree, struct node *parent, const char *name, struct node **out)
{
	cleanup_with(platform_clear) struct platform platform = PLATFORM_INIT;
	struct error err = ERROR_INIT;
	char canonical[FOLDER_NAME_SIZE];
	struct node *node;
	int result;

	if (name_canonical(canonical, name, &platform, &err)) {
		char what[300];

		snprintf(what, sizeof what, "mkdir %s", name);
		return tree_report(tree, parent, what, &err);
	}
	if (node_child(parent, canonical))
		return EEXIST;
	if (platform.os && !platform_usual(&platform))
		log_write(tree->log, LOG_LEVEL_WARNING,
			"%s: an unusual platform: not in Go's lists of systems and architectures",
			canonical);
	node = folder_new(tree, platform.os ? &platform : NULL, &err);
	if (!node)
		return error_errno(&err);
	node->order = entry_place(parent, canonical, node->order);
	*out = node;
	result = link_new(tree, parent, canonical, node);
	return result ? result : write_down(tree, node);
}

/* What a commit will attach to the document above. */
static int make_attachment(
	struct tree *tree, struct node *parent, const char *name, struct node **out)
{
	struct error err = ERROR_INIT;
	int result = attach_allowed(tree, parent, name);

	if (!result && node_child(parent, name))
		result = EEXIST;
	if (result)
		return result;
	*out = folder_new(tree, NULL, &err);
	result = *out ? link_new(tree, parent, name, *out) : error_errno(&err);
	return result ? result : write_down(tree, *out);
}

/* Where annotations.json stands, nothing but a file can. */
static bool is_annotations_name(const struct node *parent, const char *name)
{
	return (parent->kind == NODE_TAG || parent->kind == NODE_FOLDER) &&
	       !strcmp(name, ANNOTATIONS_NAME);
}

int edit_mkdir(struct tree *tree, struct node *parent, const char *name, struct node **out)
{
	int result;

	pthread_mutex_lock(&tree->lock);
	result = parent->kind == NODE_REFERRERS ? make_attachment(tree, parent, name, out)
						: name_allowed(tree, parent, name);
	if (!result && (is_annotations_name(parent, name) || parent->kind == NODE_CONTROL))
		result = EPERM;
	if (result || parent->kind == NODE_REFERRERS) {
		/* it is refused, or made */
	} else if (node_child(parent, name)) {
		result = EEXIST;
	} else if (parent->kind == NODE_TAG && !tree_is_scratch(tree, name)) {
		result = make_platform(tree, parent, name, out);
	} else {
		*out = tree_node(tree, NODE_DIRECTORY, S_IFDIR | 0755);
		result = *out ? link_new(tree, parent, name, *out) : ENOMEM;
		if (!result)
			result = write_down(tree, *out);
	}
	pthread_mutex_unlock(&tree->lock);
	return result;
}

/* What a file leaves behind when it goes away from its place under its name. */
static int leave(struct tree *tree, struct node *node, struct node *to_folder, const char *to)
{
	struct node *folder = node_folder(node);
	cleanup_free char *path = NULL;

	if (node_is_annotations(node)) {
		notes_removed(node->parent);
		return 0;
	}
	if (node_is_document(node)) {
		if (!tree->replaying)
			control_gone(node);
		return 0;
	}
	if (node->kind != NODE_FILE)
		return 0;
	if (!folder || node_is_scratch(tree, node))
		return to && notes_take_aside(tree, node, to_folder, to, NULL) ? ENOMEM : 0;
	path = node_path(node, folder);
	if (!path)
		return ENOMEM;
	node_changed(folder);
	return notes_layer_moved(tree, folder, path, to_folder, to, NULL) ? ENOMEM : 0;
}

/* What goes with the file of a document. */
static int remove_given(struct tree *tree, struct node *node)
{
	struct error err = ERROR_INIT;

	if (!node_is_document(node) || !given_removed(tree, node, &err))
		return 0;
	return tree_report(tree, node, "remove", &err);
}

/* The same where it's moved away: a document of which the file is the only copy can't be published
 * without it. A commit that is under way has it. */
static int remove_kept(struct tree *tree, struct node *node)
{
	const struct node *tag = node_tag(node);

	if (!node_is_document(node) || !given_is_kept(node) || (tag && tag->tag->running))
		return 0;
	return remove_given(tree, node);
}

static int write_removal(struct tree *tree, struct node *node)
{
	struct error err = ERROR_INIT;

	return history_removed(tree, node, &err) ? tree_report(tree, node, "remove", &err) : 0;
}

int edit_unlink(struct tree *tree, struct node *parent, const char *name)
{
	struct node *node;
	int result;

	pthread_mutex_lock(&tree->lock);
	/* its upload gives back the space on the disk; the lock is let go meanwhile */
	node = node_child(parent, name);
	if (node && node->kind == NODE_FILE && node_writable(tree, parent) == 0)
		upload_let_go(tree, node);
	node = node_child(parent, name);
	if (!node)
		result = ENOENT;
	else
		result = node_writable(tree, node->kind == NODE_CONTROL ? node : parent);
	if (!result && node->kind != NODE_FILE)
		result = EISDIR;
	if (!result)
		result = remove_given(tree, node);
	if (!result)
		result = write_removal(tree, node);
	if (!result)
		result = leave(tree, node, NULL, NULL);
	if (!result) {
		if (!node_is_scratch(tree, node))
			node_changed(parent);
		upload_withdraw(tree, node);
		node_unlink(&tree->inodes, node);
		clock_gettime(CLOCK_REALTIME, &parent->mtime);
	}
	pthread_mutex_unlock(&tree->lock);
	return result;
}

/* A platform folder with nothing but its annotations counts as empty. */
static bool is_empty(const struct node *node)
{
	return node->children.count == 0 ||
	       (node->kind == NODE_FOLDER && node->children.count == 1 &&
		       node_is_annotations(node->children.items[0]));
}

/* What would go with a folder, and isn't seen in it. */
static int refuse_attached(struct tree *tree, struct node *node)
{
	struct error err = ERROR_INIT;

	error_set(&err, ERROR_INVALID,
		"what is to be attached to it would be lost: sync it, or remove it from "
		"%s/.oci/referrers first",
		node->name);
	tree_report(tree, node, "rmdir", &err);
	return ENOTEMPTY;
}

static int removable(struct tree *tree, struct node *node)
{
	int result;

	if (!node)
		return ENOENT;
	if (!node_is_directory(node))
		return ENOTDIR;
	result = tree->options.read_only ? EROFS : 0;
	/* an entry that can't be shown can still be taken out of the index */
	if (node->kind != NODE_FOLDER || node->parent->kind != NODE_TAG)
		result = node_writable(tree, node);
	if (result)
		return result;
	if (attach_waits(node))
		return refuse_attached(tree, node);
	/* what was removed once can be removed again, also where it can't be read now */
	if (!folder_is_loaded(node))
		return node->folder->broken || tree->replaying ? 0 : ENOTEMPTY;
	return is_empty(node) ? 0 : ENOTEMPTY;
}

int edit_rmdir(struct tree *tree, struct node *parent, const char *name)
{
	struct node *node;
	int result;

	pthread_mutex_lock(&tree->lock);
	node = edit_lookup(tree, parent, name);
	result = removable(tree, node);
	if (!result)
		result = write_removal(tree, node);
	if (!result) {
		if (!node_is_scratch(tree, node))
			node_changed(parent);
		node_unlink(&tree->inodes, node);
		clock_gettime(CLOCK_REALTIME, &parent->mtime);
	}
	pthread_mutex_unlock(&tree->lock);
	return result;
}

/* The annotations of all the layers below a directory that is about to move. */
static int leave_below(struct tree *tree, struct node *node, struct node *to_folder, const char *to)
{
	size_t i;
	int result = 0;

	if (node->kind == NODE_FILE)
		return leave(tree, node, to_folder, to);
	for (i = 0; i < node->children.count && !result; i++) {
		struct node *child = node->children.items[i];
		cleanup_with(buf_free) struct buf path = BUF_INIT(BUF_UNBOUNDED);

		/* no layer here, and none there */
		if (node_is_scratch(tree, child) && tree_is_scratch(tree, child->name))
			continue;
		if (to && buf_printf(&path, "%s/%s", to, child->name))
			return ENOMEM;
		result = leave_below(tree, child, to_folder, path.data);
	}
	return result;
}

/* The path, below its platform folder, that a name in a directory has; NULL where it is none of a
 * layer. */
static char *layer_path_at(
	struct tree *tree, struct node *parent, const char *name, struct node **folder)
{
	cleanup_with(buf_free) struct buf path = BUF_INIT(BUF_UNBOUNDED);
	cleanup_free char *above = NULL;

	*folder = node_folder(parent);
	if (!*folder || parent->kind == NODE_CONTROL || tree_is_scratch(tree, name) ||
		node_is_scratch(tree, parent))
		return NULL;
	above = node_path(parent, *folder);
	if (!above || buf_printf(&path, "%s%s%s", above, *above ? "/" : "", name))
		return NULL;
	return buf_steal(&path);
}

static int write_rename(
	struct tree *tree, struct node *node, struct node *new_parent, const char *new_name)
{
	struct error err = ERROR_INIT;

	return history_renamed(tree, node, new_parent, new_name, &err)
		       ? tree_report(tree, node, "rename", &err)
		       : 0;
}

/* A text becomes a file of its own where it goes: its bytes are told of as they are, and it is the
 * youngest among the layers. */
static int write_text(struct tree *tree, struct node *node)
{
	struct error err = ERROR_INIT;

	/* when that is done again, this record has been */
	if (!node_is_text(node) || tree->replaying)
		return 0;
	node->order = tree->next_order++;
	return history_made(tree, node, &err) ? tree_report(tree, node, "rename", &err) : 0;
}

/* What a file has become that was a text, or is one now: no layer, and what is staged is new. */
static void content_is_new(struct file *file)
{
	file->has_layer = false;
	file->changed = true;
	file->changes++;
	free(steal_ptr(file->draft));
}

/* Whether the name of a target can be taken by a node. */
static int may_replace(struct tree *tree, struct node *node, struct node *target)
{
	if (!target)
		return 0;
	if (node_is_directory(target) && !node_is_directory(node))
		return EISDIR;
	if (!node_is_directory(target) && node_is_directory(node))
		return ENOTDIR;
	return node_is_directory(target) ? removable(tree, target) : 0;
}

/* Gives up the name that something else is about to take, and its place among the layers. */
static void give_way(struct tree *tree, struct node *node, struct node *target)
{
	if (!target)
		return;
	if (!node_is_directory(target)) {
		node->order = target->order;
		if (!node->file->media_type)
			node->file->media_type = steal_ptr(target->file->media_type);
		upload_withdraw(tree, target);
	}
	node_unlink(&tree->inodes, target);
}

static int move_folder(
	struct tree *tree, struct node *node, struct node *new_parent, const char *new_name)
{
	cleanup_with(platform_clear) struct platform platform = PLATFORM_INIT;
	struct error err = ERROR_INIT;
	char canonical[FOLDER_NAME_SIZE];
	struct node *target;
	int result;

	if (new_parent->kind != NODE_TAG || node->parent->kind != NODE_TAG ||
		tree_is_scratch(tree, new_name))
		return EXDEV;
	if (name_canonical(canonical, new_name, &platform, &err))
		return tree_report(tree, node, "rename", &err);
	target = node_child(new_parent, canonical);
	if (target == node)
		return 0;
	result = may_replace(tree, node, target);
	if (!result)
		result = write_rename(tree, node, new_parent, canonical);
	if (result)
		return result;
	give_way(tree, node, target);
	if (node_move(&tree->inodes, node, new_parent, canonical, NULL))
		return ENOMEM;
	platform_clear(&node->folder->platform);
	node->folder->platform = platform;
	node->folder->has_platform = platform.os != NULL;
	platform = (struct platform)PLATFORM_INIT;
	node_changed(node);
	/* which folders there are is the tag's */
	node_changed(new_parent);
	return 0;
}

static int move_other(
	struct tree *tree, struct node *node, struct node *new_parent, const char *new_name)
{
	struct node *target = node_child(new_parent, new_name), *folder;
	cleanup_free char *path = layer_path_at(tree, new_parent, new_name, &folder);
	bool was_scratch = node_is_scratch(tree, node), was_text = node_is_text(node);
	int result;

	if (node_is_directory(node) && new_parent->kind == NODE_TAG &&
		!tree_is_scratch(tree, new_name))
		return EXDEV;
	result = may_replace(tree, node, target);
	if (!result)
		result = remove_kept(tree, node);
	if (!result)
		result = write_text(tree, node);
	if (!result)
		result = write_rename(tree, node, new_parent, new_name);
	if (result)
		return result;
	give_way(tree, node, target);
	/* a file that becomes scratch is a backup: its annotations stay with its name */
	if (path || node_is_text(node))
		result = leave_below(tree, node, folder, path);
	else if (new_parent->kind == NODE_TAG && !tree_is_scratch(tree, new_name))
		result = notes_put_aside(tree, node, NULL) ? ENOMEM : 0;
	if (result)
		return result;
	if (!was_scratch)
		node_changed(node->parent);
	if (node_move(&tree->inodes, node, new_parent, new_name, NULL))
		return ENOMEM;
	if (!node_is_scratch(tree, node))
		node_changed(new_parent);
	take_place(tree, node);
	if (was_text || node_is_text(node))
		content_is_new(node->file);
	upload_consider(tree, node);
	return 0;
}

static int move(struct tree *tree, struct node *node, struct node *new_parent, const char *new_name)
{
	return node->kind == NODE_FOLDER ? move_folder(tree, node, new_parent, new_name)
					 : move_other(tree, node, new_parent, new_name);
}

static bool is_below(const struct node *node, const struct node *above)
{
	for (; node; node = node->parent)
		if (node == above)
			return true;
	return false;
}

static bool is_text_name(const struct node *parent, const char *name)
{
	if (parent->kind == NODE_CONTROL)
		return given_has_name(parent->parent, name);
	return !strcmp(name, ANNOTATIONS_NAME);
}

/* Whether the node may go there; the lock is held. */
static int movable(struct tree *tree, struct node *node, struct node *new_parent,
	const char *new_name, unsigned flags)
{
	int result;

	if (!node)
		return ENOENT;
	if (flags & ~(unsigned)RENAME_NOREPLACE)
		return EINVAL;
	if ((flags & RENAME_NOREPLACE) && edit_lookup(tree, new_parent, new_name))
		return EEXIST;
	if (is_below(new_parent, node))
		return EINVAL;
	if (node_is_directory(node) &&
		(is_annotations_name(new_parent, new_name) || new_parent->kind == NODE_CONTROL))
		return EPERM;
	result = node_writable(tree, node);
	return result ? result : name_allowed(tree, new_parent, new_name);
}

int edit_rename(struct tree *tree, struct node *parent, const char *name, struct node *new_parent,
	const char *new_name, unsigned flags)
{
	struct error err = ERROR_INIT;
	struct node *node;
	bool to_text = false;
	int result;

	pthread_mutex_lock(&tree->lock);
	node = edit_lookup(tree, parent, name);
	result = movable(tree, node, new_parent, new_name, flags);
	if (!result) {
		node_pin(node);
		to_text = node->kind == NODE_FILE && is_text_name(new_parent, new_name);
	}
	pthread_mutex_unlock(&tree->lock);
	if (result)
		return result;
	if ((to_text || node_is_text(node)) && file_stage(tree, node, &err))
		result = tree_report_unlocked(tree, node, "rename", &err);
	pthread_mutex_lock(&tree->lock);
	if (!result && node_child(new_parent, new_name) != node)
		result = move(tree, node, new_parent, new_name);
	pthread_mutex_unlock(&tree->lock);
	/* what is wrong with the text is told by status and by the commit: the rename is done. The
	 * history tells by itself of a text that was taken; by now it may be another one. */
	if (!result && to_text && !tree->replaying)
		text_take(tree, node, NULL);
	pthread_mutex_lock(&tree->lock);
	node_unpin(&tree->inodes, node);
	pthread_mutex_unlock(&tree->lock);
	return result;
}

static int set_mode(struct tree *tree, struct node *node, mode_t wanted, struct error *err)
{
	const mode_t before = node->mode;

	node->mode = wanted;
	if (history_mode(tree, node, err)) {
		node->mode = before;
		return -1;
	}
	if ((before & 0111) != (wanted & 0111)) {
		node->file->mode_set = true;
		if (!node_is_scratch(tree, node))
			node_changed(node);
	}
	return 0;
}

int edit_chmod(struct tree *tree, struct node *node, mode_t mode)
{
	struct error err = ERROR_INIT;
	int result = 0;

	pthread_mutex_lock(&tree->lock);
	if (node->kind == NODE_FILE) {
		result = node_writable(tree, node);
		if (!result && set_mode(tree, node, S_IFREG | (mode & 0777), &err))
			result = tree_report(tree, node, "chmod", &err);
	}
	pthread_mutex_unlock(&tree->lock);
	return result;
}
