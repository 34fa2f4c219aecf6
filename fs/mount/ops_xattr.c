#include "fs/mount/ops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/commit/automatic.h"
#include "fs/mount/pending.h"
#include "fs/tree/folder.h"
#include "fs/tree/xattr.h"

/* The kernel asks for security.capability before each write: what isn't ours is answered without
 * looking at the node. */
static bool is_ours(const char *name)
{
	return !strncmp(name, XATTR_PREFIX, strlen(XATTR_PREFIX));
}

static void reply_text(fuse_req_t req, const struct buf *text, size_t size)
{
	if (size == 0)
		fuse_reply_xattr(req, text->len);
	else if (text->len > size)
		fuse_reply_err(req, ERANGE);
	else
		fuse_reply_buf(req, text->data, text->len);
}

void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	struct tree *tree = request_tree(req);
	struct node *node;
	struct buf text = BUF_INIT(XATTR_TEXT_MAX);
	int result;

	if (!is_ours(name)) {
		fuse_reply_err(req, ENODATA);
		return;
	}
	node = request_node(tree, ino);
	result = node ? xattr_get(tree, node, name, &text) : ESTALE;
	if (result)
		fuse_reply_err(req, result);
	else
		reply_text(req, &text, size);
	buf_free(&text);
	if (node)
		request_done(tree, node);
}

void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	struct tree *tree = request_tree(req);
	struct node *node = request_node(tree, ino);
	struct buf names = BUF_INIT(XATTR_TEXT_MAX);
	int result = node ? xattr_list(tree, node, &names) : ESTALE;

	if (result)
		fuse_reply_err(req, result);
	else
		reply_text(req, &names, size);
	buf_free(&names);
	if (node)
		request_done(tree, node);
}

/* A change that waits for its folder: what an entry is annotated with goes beside what its
 * manifest says. */
struct changing {
	struct folder_waiter waiter; /* first */
	struct pending pending;
	struct tree *tree;
	struct node *node; /* pinned */
	char *name;
	char *value; /* NULL: it is removed */
	size_t size;
	int flags;
};

static int make_change(const struct changing *changing)
{
	struct tree *tree = changing->tree;
	int result;

	if (changing->value)
		result = xattr_set(tree, changing->node, changing->name, changing->value,
			changing->size, changing->flags);
	else
		result = xattr_remove(tree, changing->node, changing->name);
	if (!result)
		automatic_touched(tree, changing->node);
	return result;
}

static void changing_free(struct changing *changing)
{
	request_done(changing->tree, changing->node);
	free(changing->name);
	free(changing->value);
	free(changing);
}

static void changing_ready(struct folder_waiter *waiter, const struct error *err)
{
	struct changing *changing = (struct changing *)waiter;

	if (pending_end(&changing->pending))
		fuse_reply_err(
			changing->pending.req, err ? error_errno(err) : make_change(changing));
	changing_free(changing);
}

/* value: NULL to remove. */
static struct changing *changing_new(
	struct tree *tree, struct node *node, const char *name, const char *value, size_t size)
{
	struct changing *changing = calloc(1, sizeof *changing);

	if (!changing)
		return NULL;
	changing->waiter.ready = changing_ready;
	changing->name = strdup(name);
	if (value)
		changing->value = malloc(size + 1);
	if (!changing->name || (value && !changing->value)) {
		free(changing->name);
		free(changing->value);
		free(changing);
		return NULL;
	}
	if (value)
		memcpy(changing->value, value, size);
	changing->size = size;
	changing->tree = tree;
	changing->node = node;
	return changing;
}

static void change(
	fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size, int flags)
{
	struct tree *tree = request_tree(req);
	struct node *node = request_node(tree, ino);
	struct changing *changing = node ? changing_new(tree, node, name, value, size) : NULL;

	if (!changing) {
		fuse_reply_err(req, node ? ENOMEM : ESTALE);
		if (node)
			request_done(tree, node);
		return;
	}
	changing->flags = flags;
	pending_begin(&changing->pending, req, NULL);
	folder_when_loaded(tree, node, &changing->waiter);
}

void op_setxattr(
	fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size, int flags)
{
	if (is_ours(name))
		change(req, ino, name, value, size, flags);
	else
		fuse_reply_err(req, ENOTSUP);
}

void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	if (is_ours(name))
		change(req, ino, name, NULL, 0, 0);
	else
		fuse_reply_err(req, ENODATA);
}
