#include "fs/mount/reply.h"

#include <string.h>

#include "fs/tree/control.h"
#include "fs/tree/file.h"

#define BELIEVE_SECONDS 1.0
#define BLOCK_SIZE (1 << 20)

double attr_timeout(const struct node *node)
{
	return node->kind == NODE_CONTROL || node->kind == NODE_REFERRERS || node_is_text(node)
		       ? 0
		       : BELIEVE_SECONDS;
}

static int64_t control_size(struct tree *tree, struct node *node)
{
	struct buf text = BUF_INIT(CONTROL_TEXT_MAX);
	int64_t size = control_text(tree, node, &text, NULL) ? 0 : (int64_t)text.len;

	buf_free(&text);
	return size;
}

void attr_fill(struct tree *tree, struct node *node, struct stat *out)
{
	memset(out, 0, sizeof *out);
	out->st_ino = node->ino;
	out->st_mode = node->mode;
	out->st_uid = tree->options.uid;
	out->st_gid = tree->options.gid;
	out->st_blksize = BLOCK_SIZE;
	out->st_mtim = node->mtime;
	out->st_ctim = node->ctime;
	out->st_atim = node->mtime;
	out->st_nlink = node->parent || node == tree->root ? 1 : 0;
	if (node_is_directory(node)) {
		out->st_nlink += 1;
		return;
	}
	out->st_size = node->kind == NODE_FILE ? file_size(tree, node) : control_size(tree, node);
	out->st_blocks = (out->st_size + 511) / 512;
}

void entry_fill(
	struct tree *tree, struct node *node, const char *name, struct fuse_entry_param *out)
{
	memset(out, 0, sizeof *out);
	out->ino = node->ino;
	out->attr_timeout = attr_timeout(node);
	/* another spelling of a folder's name is asked for each time */
	out->entry_timeout = strcmp(name, node->name) != 0 ? 0 : out->attr_timeout;
	attr_fill(tree, node, &out->attr);
	node->lookups++;
}
