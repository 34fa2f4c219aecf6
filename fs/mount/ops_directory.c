#include "fs/mount/ops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/mount/pending.h"
#include "fs/mount/reply.h"
#include "fs/tree/control.h"
#include "fs/tree/folder.h"
#include "fs/tree/refresh.h"

/* What a directory held when its listing began: that is told, whole, whatever becomes of the
 * directory meanwhile. */
struct listed {
	struct node *node; /* pinned */
	char *name;
};

struct snapshot {
	struct snapshot *next, **link; /* of all directories that are open */
	struct listed *items;
	size_t count;
	bool taken;
};

static struct snapshot *snapshot_of(const struct fuse_file_info *fi)
{
	return (struct snapshot *)(uintptr_t)fi->fh; /* NOLINT(performance-no-int-to-ptr) */
}

/* The lock is held. */
static void snapshot_clear(struct tree *tree, struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->count; i++) {
		node_unpin(&tree->inodes, snapshot->items[i].node);
		free(snapshot->items[i].name);
	}
	free(snapshot->items);
	snapshot->items = NULL;
	snapshot->count = 0;
	snapshot->taken = false;
}

static void snapshot_begin(struct mount *mount, struct snapshot *snapshot)
{
	pthread_mutex_lock(&mount->tree.lock);
	snapshot->next = mount->snapshots;
	snapshot->link = &mount->snapshots;
	if (snapshot->next)
		snapshot->next->link = &snapshot->next;
	mount->snapshots = snapshot;
	pthread_mutex_unlock(&mount->tree.lock);
}

static void snapshot_end(struct mount *mount, struct snapshot *snapshot)
{
	pthread_mutex_lock(&mount->tree.lock);
	*snapshot->link = snapshot->next;
	if (snapshot->next)
		snapshot->next->link = snapshot->link;
	snapshot_clear(&mount->tree, snapshot);
	pthread_mutex_unlock(&mount->tree.lock);
	free(snapshot);
}

void directories_forget(struct mount *mount)
{
	while (mount->snapshots)
		snapshot_end(mount, mount->snapshots);
}

/* Takes what is there now; the lock is held. ENOMEM. */
static int snapshot_take(struct tree *tree, struct snapshot *snapshot, struct node *node)
{
	if (node->kind == NODE_CONTROL)
		control_refresh(tree, node);
	snapshot_clear(tree, snapshot);
	snapshot->items = calloc(node->children.count + 1, sizeof *snapshot->items);
	if (!snapshot->items)
		return ENOMEM;
	snapshot->count = 0;
	for (size_t i = 0; i < node->children.count; i++) {
		struct node *child = node->children.items[i];
		struct listed *listed = &snapshot->items[snapshot->count];

		if (child->kind == NODE_CONTROL && !control_is_there(child))
			continue;
		listed->name = strdup(child->name);
		if (!listed->name) {
			snapshot_clear(tree, snapshot);
			return ENOMEM;
		}
		listed->node = child;
		node_pin(child);
		snapshot->count++;
	}
	snapshot->taken = true;
	return 0;
}

/* An opendir that waits for its folder. */
struct opendir {
	struct folder_waiter waiter; /* first */
	struct pending pending;
	struct mount *mount;
	struct node *node; /* pinned */
	struct fuse_file_info info;
};

static void opendir_ready(struct folder_waiter *waiter, const struct error *err)
{
	struct opendir *opendir = (struct opendir *)waiter;
	struct snapshot *snapshot = snapshot_of(&opendir->info);
	bool wanted = pending_end(&opendir->pending), opened = false;

	/* it is nobody's where whoever has asked was interrupted */
	if (wanted && err)
		fuse_reply_err(opendir->pending.req, error_errno(err));
	else if (wanted)
		opened = fuse_reply_open(opendir->pending.req, &opendir->info) == 0;
	if (!opened)
		snapshot_end(opendir->mount, snapshot);
	request_done(&opendir->mount->tree, opendir->node);
	free(opendir);
}

void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct mount *mount = fuse_req_userdata(req);
	struct tree *tree = &mount->tree;
	struct node *node = request_node(tree, ino);
	struct opendir *opendir = node ? calloc(1, sizeof *opendir) : NULL;
	struct snapshot *snapshot = calloc(1, sizeof *snapshot);

	if (!opendir || !snapshot) {
		free(opendir);
		free(snapshot);
		fuse_reply_err(req, node ? ENOMEM : ESTALE);
		if (node)
			request_done(tree, node);
		return;
	}
	opendir->waiter.ready = opendir_ready;
	opendir->mount = mount;
	opendir->node = node;
	opendir->info = *fi;
	opendir->info.fh = (uintptr_t)snapshot;
	snapshot_begin(mount, snapshot);
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

/* Offsets: 1 is ".", 2 is "..", a child's is its place in the listing and 3. */
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

/* A name that has gone, or is something else's by now: the kernel asks when somebody wants it. */
static bool listing_add_gone(
	struct listing *listing, const struct node *node, const char *name, off_t offset)
{
	struct fuse_entry_param entry = {.attr = {.st_ino = node->ino, .st_mode = node->mode}};
	size_t room = listing->size - listing->used, len;
	char *data = listing->data + listing->used;

	len = listing->plus
		      ? fuse_add_direntry_plus(listing->req, data, room, name, &entry, offset)
		      : fuse_add_direntry(listing->req, data, room, name, &entry.attr, offset);
	if (len > room)
		return false;
	listing->used += len;
	return true;
}

static void listing_fill(
	struct listing *listing, struct node *node, const struct snapshot *snapshot, off_t offset)
{
	if (offset < 1 && !listing_add(listing, node, ".", 1))
		return;
	if (offset < 2 && !listing_add(listing, node->parent ? node->parent : node, "..", 2))
		return;
	for (size_t i = offset > OFFSET_CHILDREN ? (size_t)offset - OFFSET_CHILDREN : 0;
		i < snapshot->count; i++) {
		const struct listed *listed = &snapshot->items[i];
		off_t next = (off_t)i + 1 + OFFSET_CHILDREN;
		bool there = listed->node->parent == node &&
			     strcmp(listed->node->name, listed->name) == 0;

		if (!(there ? listing_add(listing, listed->node, listed->name, next)
			    : listing_add_gone(listing, listed->node, listed->name, next)))
			return;
	}
}

static void list(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
	struct fuse_file_info *fi, bool plus)
{
	struct tree *tree = request_tree(req);
	struct node *node = request_node(tree, ino);
	struct snapshot *snapshot = snapshot_of(fi);
	struct listing listing = {.req = req, .data = malloc(size), .size = size, .plus = plus};
	int result = !node ? ESTALE : !listing.data ? ENOMEM : 0;

	pthread_mutex_lock(&tree->lock);
	if (!result && (!snapshot->taken || offset == 0))
		result = snapshot_take(tree, snapshot, node);
	if (!result)
		listing_fill(&listing, node, snapshot, offset);
	pthread_mutex_unlock(&tree->lock);
	if (result)
		fuse_reply_err(req, result);
	else
		fuse_reply_buf(req, listing.data, listing.used);
	free(listing.data);
	if (node)
		request_done(tree, node);
}

void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	list(req, ino, size, off, fi, false);
}

void op_readdirplus(
	fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	list(req, ino, size, off, fi, true);
}

void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	snapshot_end(fuse_req_userdata(req), snapshot_of(fi));
	fuse_reply_err(req, 0);
}
