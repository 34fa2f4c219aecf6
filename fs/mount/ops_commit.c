#include "fs/mount/ops.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs/commit/automatic.h"
#include "fs/commit/commit.h"
#include "fs/mount/pending.h"
#include "fs/tree/file.h"
#include "fs/tree/history.h"
#include "fs/tree/tag.h"

/* An fsync that waits for its commit. */
struct syncing {
	struct commit_request request; /* first */
	struct pending pending;
	struct tree *tree;
	struct node *node, *tag; /* pinned */
};

static void syncing_done(struct commit_request *request, const struct error *err)
{
	struct syncing *syncing = (struct syncing *)request;

	if (!err)
		automatic_committed(syncing->tree, syncing->tag);
	if (pending_end(&syncing->pending))
		fuse_reply_err(syncing->pending.req, err ? error_errno(err) : 0);
	request_done(syncing->tree, syncing->tag);
	request_done(syncing->tree, syncing->node);
	free(syncing);
}

static void syncing_interrupted(struct pending *pending)
{
	struct syncing *syncing =
		(struct syncing *)((char *)pending - offsetof(struct syncing, pending));

	commit_abandon(syncing->tree, syncing->tag, &syncing->request);
}

/* A scratch file, or one that is in no folder any more: durable here, published nowhere. */
static int sync_locally(struct tree *tree, struct node *node)
{
	struct staged *staged = NULL;
	struct error err = ERROR_INIT;
	int fd, result = 0;

	pthread_mutex_lock(&tree->lock);
	if (node->kind == NODE_FILE && node->file->staged)
		staged = staged_ref(node->file->staged);
	fd = history_flush_begin(tree);
	pthread_mutex_unlock(&tree->lock);
	if (staged) {
		result = fdatasync(staged_fd(staged)) ? errno : 0;
		staged_put_back(staged);
	}
	return history_flush(tree, fd, &err) ? error_errno(&err) : result;
}

/* The tag that a node's fsync commits, pinned; NULL where it commits none. */
static struct node *tag_to_commit(struct tree *tree, struct node *node)
{
	struct node *tag;

	pthread_mutex_lock(&tree->lock);
	tag = node_is_scratch(tree, node) || tree->options.read_only ? NULL : node_tag(node);
	if (tag)
		node_pin(tag);
	pthread_mutex_unlock(&tree->lock);
	return tag;
}

static void sync_node(fuse_req_t req, fuse_ino_t ino)
{
	struct tree *tree = request_tree(req);
	struct node *node = request_node(tree, ino), *tag;
	struct syncing *syncing;

	if (!node) {
		fuse_reply_err(req, ESTALE);
		return;
	}
	tag = tag_to_commit(tree, node);
	syncing = tag ? calloc(1, sizeof *syncing) : NULL;
	if (!syncing) {
		fuse_reply_err(req, tag ? ENOMEM : sync_locally(tree, node));
		if (tag)
			request_done(tree, tag);
		request_done(tree, node);
		return;
	}
	syncing->tree = tree;
	syncing->node = node;
	syncing->tag = tag;
	syncing->request.done = syncing_done;
	syncing->request.focus = node->kind == NODE_FILE ? node : NULL;
	pending_begin(&syncing->pending, req, syncing_interrupted);
	commit_request(tree, tag, &syncing->request);
}

void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	(void)datasync;
	(void)fi;
	sync_node(req, ino);
}

void op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	(void)datasync;
	(void)fi;
	sync_node(req, ino);
}
