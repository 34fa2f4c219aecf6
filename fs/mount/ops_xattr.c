#include "fs/mount/ops.h"

#include <errno.h>
#include <string.h>

#include "fs/tree/xattr.h"

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

	/* the kernel asks for security.capability before each write */
	if (strncmp(name, XATTR_PREFIX, strlen(XATTR_PREFIX)) != 0) {
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
