#include "fs/mount/ops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "fs/commit/automatic.h"
#include "fs/mount/pending.h"
#include "fs/mount/reply.h"
#include "fs/tree/control.h"
#include "fs/tree/durable.h"
#include "fs/tree/edit.h"
#include "fs/tree/file.h"
#include "fs/tree/folder.h"
#include "fs/tree/history.h"
#include "fs/tree/referrer_name.h"
#include "fs/tree/referrers.h"
#include "fs/tree/refresh.h"
#include "layer_path.h"
#include "platform.h"

/* The child of a directory that is loaded, .oci and what is in it included. */
static struct node *find_child(struct tree *tree, struct node *parent, const char *name)
{
	struct node *child;

	if (!strcmp(name, CONTROL_NAME) &&
		(parent->kind == NODE_TAG || parent->kind == NODE_FOLDER))
		return control_folder(tree, parent);
	child = edit_lookup(tree, parent, name);
	if (child && child->kind == NODE_CONTROL && !control_is_there(child))
		return NULL;
	return child;
}

/* Answers a lookup in a directory that is loaded, or that could not be. */
static void answer_lookup(fuse_req_t req, struct node *parent, const char *name)
{
	struct tree *tree = request_tree(req);
	struct fuse_entry_param entry;
	struct node *child;

	pthread_mutex_lock(&tree->lock);
	child = find_child(tree, parent, name);
	if (child)
		entry_fill(tree, child, name, &entry);
	pthread_mutex_unlock(&tree->lock);
	if (!child)
		fuse_reply_err(req, ENOENT);
	else if (fuse_reply_entry(req, &entry) == -ENOENT)
		op_forget(NULL, entry.ino, 1);
}

/* A lookup that waits for its folder. */
struct lookup {
	struct folder_waiter waiter; /* first */
	struct pending pending;
	struct tree *tree;
	struct node *parent; /* pinned */
	char *name;
};

static void lookup_ready(struct folder_waiter *waiter, const struct error *err)
{
	struct lookup *lookup = (struct lookup *)waiter;

	if (pending_end(&lookup->pending)) {
		/* not ENOENT: the kernel would take it that the name is free */
		if (err && lookup->parent->kind != NODE_CONTROL)
			fuse_reply_err(lookup->pending.req,
				err->kind == ERROR_NOT_FOUND ? EIO : error_errno(err));
		else
			answer_lookup(lookup->pending.req, lookup->parent, lookup->name);
	}
	request_done(lookup->tree, lookup->parent);
	free(lookup->name);
	free(lookup);
}

/* needs: the folder that the answer stands on. */
static void lookup_later(fuse_req_t req, struct node *parent, struct node *needs, const char *name)
{
	struct lookup *lookup = calloc(1, sizeof *lookup);

	if (lookup)
		lookup->name = strdup(name);
	if (!lookup || !lookup->name) {
		free(lookup);
		request_done(request_tree(req), parent);
		fuse_reply_err(req, ENOMEM);
		return;
	}
	lookup->waiter.ready = lookup_ready;
	lookup->tree = request_tree(req);
	lookup->parent = parent;
	pending_begin(&lookup->pending, req, NULL);
	folder_when_loaded(lookup->tree, needs, &lookup->waiter);
}

/* What a name in a directory stands on, to be loaded before; NULL where that is nothing. */
static struct node *needed_for(struct node *parent, const char *name)
{
	if (!strcmp(name, CONTROL_NAME))
		return NULL;
	if (parent->kind == NODE_REFERRERS && !referrer_name_is_published(name))
		return NULL;
	if (parent->kind != NODE_CONTROL)
		return parent;
	/* what is in .oci is about the folder above it */
	return strcmp(name, REFERRERS_NAME) != 0 ? parent->parent : NULL;
}

void op_lookup(fuse_req_t req, fuse_ino_t parent_ino, const char *name)
{
	struct tree *tree = request_tree(req);
	struct node *parent = request_node(tree, parent_ino), *needs;
	bool loaded;

	if (!parent) {
		fuse_reply_err(req, ESTALE);
		return;
	}
	if (strcmp(name, CONTROL_NAME) != 0)
		refresh_touch(tree, parent);
	pthread_mutex_lock(&tree->lock);
	needs = needed_for(parent, name);
	loaded = !needs || folder_is_loaded(needs);
	pthread_mutex_unlock(&tree->lock);
	if (!loaded) {
		lookup_later(req, parent, needs, name);
		return;
	}
	answer_lookup(req, parent, name);
	request_done(tree, parent);
}

static void forget(struct tree *tree, fuse_ino_t ino, uint64_t lookups)
{
	struct node *node = node_find(&tree->inodes, ino);

	if (node)
		node_forget(&tree->inodes, node, lookups);
}

void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t lookups)
{
	struct tree *tree = request_tree(req);

	pthread_mutex_lock(&tree->lock);
	forget(tree, ino, lookups);
	pthread_mutex_unlock(&tree->lock);
	fuse_reply_none(req);
}

void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	struct tree *tree = request_tree(req);
	size_t i;

	pthread_mutex_lock(&tree->lock);
	for (i = 0; i < count; i++)
		forget(tree, forgets[i].ino, forgets[i].nlookup);
	pthread_mutex_unlock(&tree->lock);
	fuse_reply_none(req);
}

static void reply_attr(fuse_req_t req, struct node *node)
{
	struct tree *tree = request_tree(req);
	struct stat attr;
	double timeout;

	pthread_mutex_lock(&tree->lock);
	attr_fill(tree, node, &attr);
	timeout = attr_timeout(node);
	pthread_mutex_unlock(&tree->lock);
	fuse_reply_attr(req, &attr, timeout);
}

void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct tree *tree = request_tree(req);
	struct node *node = request_node(tree, ino);

	(void)fi;
	/* a file that was taken away is looked up anew */
	if (!node || (node->file && node->file->dropped))
		fuse_reply_err(req, ESTALE);
	else
		reply_attr(req, node);
	if (node)
		request_done(tree, node);
}

/* Who touches a file says, too, that it's good. */
static int set_mtime(
	struct tree *tree, struct node *node, const struct timespec *mtime, struct error *err)
{
	const struct timespec before = node->mtime;

	node->mtime = *mtime;
	if (durable_is_doubtful(node) ? durable_trust(tree, node, err)
				      : history_time(tree, node, err)) {
		node->mtime = before;
		return -1;
	}
	return 0;
}

static int set_times(struct tree *tree, struct node *node, const struct stat *attr, int to_set)
{
	struct error err = ERROR_INIT;
	struct timespec now;
	int result = 0;

	clock_gettime(CLOCK_REALTIME, &now);
	pthread_mutex_lock(&tree->lock);
	if (to_set & FUSE_SET_ATTR_MTIME_NOW)
		result = set_mtime(tree, node, &now, &err);
	else if (to_set & FUSE_SET_ATTR_MTIME)
		result = set_mtime(tree, node, &attr->st_mtim, &err);
	if (result)
		result = tree_report(tree, node, "setting the time", &err);
	else
		node->ctime = now;
	pthread_mutex_unlock(&tree->lock);
	return result;
}

/* Owner and group are the mounter's: a change of them is accepted and ignored, so that programs
 * which preserve them go on. */
static int set_attr(struct tree *tree, struct node *node, const struct stat *attr, int to_set,
	struct handle *handle)
{
	struct error err = ERROR_INIT;
	int result;

	pthread_mutex_lock(&tree->lock);
	result = node_writable(tree, node);
	pthread_mutex_unlock(&tree->lock);
	if (!result && (to_set & FUSE_SET_ATTR_MODE))
		result = edit_chmod(tree, node, attr->st_mode);
	if (!result && (to_set & FUSE_SET_ATTR_SIZE)) {
		if (node->kind != NODE_FILE)
			return EISDIR;
		if (file_truncate(tree, node, handle, attr->st_size, &err))
			return tree_report_unlocked(tree, node, "truncate", &err);
	}
	return result ? result : set_times(tree, node, attr, to_set);
}

void op_setattr(
	fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set, struct fuse_file_info *fi)
{
	struct tree *tree = request_tree(req);
	struct node *node = request_node(tree, ino);
	struct handle *handle = fi ? handle_of(fi) : NULL;
	int result = node && !(node->file && node->file->dropped)
			     ? set_attr(tree, node, attr, to_set, handle)
			     : ESTALE;

	if (!result)
		automatic_touched(tree, node);
	if (result)
		fuse_reply_err(req, result);
	else
		reply_attr(req, node);
	if (node)
		request_done(tree, node);
}

/* Answers with a node that was just made, and gives its pin back. */
static void reply_new(fuse_req_t req, struct node *node, const char *name)
{
	struct tree *tree = request_tree(req);
	struct fuse_entry_param entry;

	pthread_mutex_lock(&tree->lock);
	entry_fill(tree, node, name, &entry);
	pthread_mutex_unlock(&tree->lock);
	automatic_touched(tree, node);
	request_done(tree, node);
	fuse_reply_entry(req, &entry);
}

void op_mkdir(fuse_req_t req, fuse_ino_t parent_ino, const char *name, mode_t mode)
{
	struct tree *tree = request_tree(req);
	struct node *parent = request_node(tree, parent_ino), *node = NULL;
	int result = parent ? edit_mkdir(tree, parent, name, &node) : ESTALE;

	(void)mode;
	if (result)
		fuse_reply_err(req, result);
	else
		reply_new(req, node, name);
	if (parent)
		request_done(tree, parent);
}

void op_mknod(fuse_req_t req, fuse_ino_t parent_ino, const char *name, mode_t mode, dev_t rdev)
{
	struct tree *tree = request_tree(req);
	struct node *parent = request_node(tree, parent_ino), *node = NULL;
	int result = EPERM;

	(void)rdev;
	if (!parent)
		result = ESTALE;
	else if (S_ISREG(mode))
		result = edit_create(tree, parent, name, mode, &node);
	if (result)
		fuse_reply_err(req, result);
	else
		reply_new(req, node, name);
	if (parent)
		request_done(tree, parent);
}

void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	(void)target;
	(void)parent;
	(void)name;
	fuse_reply_err(req, EPERM);
}

void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
	(void)ino;
	(void)parent;
	(void)name;
	fuse_reply_err(req, EPERM);
}

void op_unlink(fuse_req_t req, fuse_ino_t parent_ino, const char *name)
{
	struct tree *tree = request_tree(req);
	struct node *parent = request_node(tree, parent_ino);
	int result = parent ? edit_unlink(tree, parent, name) : ESTALE;

	if (!result)
		automatic_touched(tree, parent);
	fuse_reply_err(req, result);
	if (parent)
		request_done(tree, parent);
}

/* Whether a folder is empty is known once it is loaded. */
static int load_child(struct tree *tree, struct node *parent, const char *name)
{
	struct error err = ERROR_INIT;
	struct node *node;

	pthread_mutex_lock(&tree->lock);
	node = edit_lookup(tree, parent, name);
	if (node)
		node_pin(node);
	pthread_mutex_unlock(&tree->lock);
	if (!node)
		return 0;
	folder_load(tree, node, &err);
	pthread_mutex_lock(&tree->lock);
	if (node->folder && node->folder->broken)
		error_clear(&err); /* edit_rmdir() and edit_rename() judge that */
	node_unpin(&tree->inodes, node);
	pthread_mutex_unlock(&tree->lock);
	return error_errno(&err);
}

void op_rmdir(fuse_req_t req, fuse_ino_t parent_ino, const char *name)
{
	struct tree *tree = request_tree(req);
	struct node *parent = request_node(tree, parent_ino);
	int result = parent ? load_child(tree, parent, name) : ESTALE;

	if (!result)
		result = edit_rmdir(tree, parent, name);
	if (!result)
		automatic_touched(tree, parent);
	fuse_reply_err(req, result);
	if (parent)
		request_done(tree, parent);
}

void op_rename(fuse_req_t req, fuse_ino_t parent_ino, const char *name, fuse_ino_t new_parent_ino,
	const char *new_name, unsigned flags)
{
	struct tree *tree = request_tree(req);
	struct node *parent = request_node(tree, parent_ino);
	struct node *new_parent = request_node(tree, new_parent_ino);
	int result = parent && new_parent ? 0 : ESTALE;

	/* what moves is moved with its annotations, what is replaced must be known to be empty */
	if (!result)
		result = load_child(tree, parent, name);
	if (!result)
		result = load_child(tree, new_parent, new_name);
	if (!result)
		result = edit_rename(tree, parent, name, new_parent, new_name, flags);
	if (!result)
		automatic_touched(tree, new_parent);
	fuse_reply_err(req, result);
	if (parent)
		request_done(tree, parent);
	if (new_parent)
		request_done(tree, new_parent);
}

void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct tree *tree = request_tree(req);
	struct statvfs stat;

	(void)ino;
	if (staging_statvfs(tree->staging, &stat)) {
		fuse_reply_err(req, errno);
		return;
	}
	stat.f_namemax = FOLDER_NAME_SIZE - 1;
	fuse_reply_statfs(req, &stat);
}
