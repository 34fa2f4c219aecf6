#include "fs/mount/ops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/mount/pending.h"
#include "fs/mount/reply.h"
#include "fs/tree/control.h"
#include "fs/tree/folder.h"
#include "fs/tree/refresh.h"

/* An opendir that waits for its folder. */
struct opendir {
	struct folder_waiter waiter; /* first */
	struct pending pending;
	struct tree *tree;
	struct node *node; /* pinned */
	struct fuse_file_info info;
};

static void opendir_ready(struct folder_waiter *waiter, const struct error *err)
{
	struct opendir *opendir = (struct opendir *)waiter;

	if (pending_end(&opendir->pending)) {
		if (err)
			fuse_reply_err(opendir->pending.req, error_errno(err));
		else
			fuse_reply_open(opendir->pending.req, &opendir->info);
	}
	request_done(opendir->tree, opendir->node);
	free(opendir);
}

void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct tree *tree = request_tree(req);
	struct node *node = request_node(tree, ino);
	struct opendir *opendir = node ? calloc(1, sizeof *opendir) : NULL;

	if (!opendir) {
		fuse_reply_err(req, node ? ENOMEM : ESTALE);
		if (node)
			request_done(tree, node);
		return;
	}
	opendir->waiter.ready = opendir_ready;
	opendir->tree = tree;
	opendir->node = node;
	opendir->info = *fi;
	refresh_touch(tree, node);
	pending_begin(&opendir->pending, req, NULL);
	folder_when_loaded(tree, node, &opendir->waiter);
}

/* A directory's listing, as far as it fits. */
struct listing {
	fuse_req_t req;
	char *data;
	size_t size, used;
	bool plus;
};

/* Offsets: 1 is ".", 2 is "..", a child's is its cookie and 2. */
#define OFFSET_CHILDREN 2

/* Adds an entry; false where it doesn't fit. The lock is held. */
static bool listing_add(struct listing *listing, struct node *node, const char *name, off_t offset)
{
	struct tree *tree = request_tree(listing->req);
	bool counted = listing->plus && offset > OFFSET_CHILDREN;
	struct fuse_entry_param entry = {0};
	size_t len;

	if (counted) {
		entry_fill(tree, node, name, &entry);
	} else {
		entry.attr.st_ino = node->ino;
		entry.attr.st_mode = node->mode;
	}
	if (listing->plus)
		len = fuse_add_direntry_plus(listing->req, listing->data + listing->used,
			listing->size - listing->used, name, &entry, offset);
	else
		len = fuse_add_direntry(listing->req, listing->data + listing->used,
			listing->size - listing->used, name, &entry.attr, offset);
	if (len > listing->size - listing->used) {
		if (counted)
			node->lookups--;
		return false;
	}
	listing->used += len;
	return true;
}

static void listing_fill(struct listing *listing, struct node *node, off_t offset)
{
	size_t i;

	if (offset < 1 && !listing_add(listing, node, ".", 1))
		return;
	if (offset < 2 && !listing_add(listing, node->parent ? node->parent : node, "..", 2))
		return;
	if (node->kind == NODE_CONTROL)
		control_refresh(request_tree(listing->req), node);
	i = offset <= OFFSET_CHILDREN ? 0
				      : node_child_after(node, (uint64_t)offset - OFFSET_CHILDREN);
	for (; i < node->children.count; i++) {
		struct node *child = node->children.items[i];

		if (child->kind == NODE_CONTROL && !control_is_there(child))
			continue;
		if (!listing_add(
			    listing, child, child->name, (off_t)child->cookie + OFFSET_CHILDREN))
			return;
	}
}

static void list(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, bool plus)
{
	struct tree *tree = request_tree(req);
	struct node *node = request_node(tree, ino);
	struct listing listing = {.req = req, .data = malloc(size), .size = size, .plus = plus};

	if (!node || !listing.data) {
		fuse_reply_err(req, node ? ENOMEM : ESTALE);
	} else {
		pthread_mutex_lock(&tree->lock);
		listing_fill(&listing, node, offset);
		pthread_mutex_unlock(&tree->lock);
		fuse_reply_buf(req, listing.data, listing.used);
	}
	free(listing.data);
	if (node)
		request_done(tree, node);
}

void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	(void)fi;
	list(req, ino, size, off, false);
}

void op_readdirplus(
	fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	(void)fi;
	list(req, ino, size, off, true);
}
