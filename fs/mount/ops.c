#include "fs/mount/ops.h"

struct node *request_node(struct tree *tree, fuse_ino_t ino)
{
	struct node *node;

	pthread_mutex_lock(&tree->lock);
	node = node_find(&tree->inodes, ino);
	if (node)
		node_pin(node);
	pthread_mutex_unlock(&tree->lock);
	return node;
}

void request_done(struct tree *tree, struct node *node)
{
	pthread_mutex_lock(&tree->lock);
	node_unpin(&tree->inodes, node);
	pthread_mutex_unlock(&tree->lock);
}

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	struct mount *mount = userdata;

	conn->want |= conn->capable & (FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE |
					      FUSE_CAP_SPLICE_READ | FUSE_CAP_ATOMIC_O_TRUNC |
					      FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_ASYNC_READ);
	/* the kernel would ignore the sizes and times that this program tells */
	conn->want &= ~(unsigned)FUSE_CAP_WRITEBACK_CACHE;
	if (mount->ready)
		mount->ready(mount->ready_context);
}

const struct fuse_lowlevel_ops mount_ops = {
	.init = op_init,
	.lookup = op_lookup,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.mkdir = op_mkdir,
	.mknod = op_mknod,
	.symlink = op_symlink,
	.link = op_link,
	.unlink = op_unlink,
	.rmdir = op_rmdir,
	.rename = op_rename,
	.statfs = op_statfs,
	.opendir = op_opendir,
	.releasedir = op_releasedir,
	.readdir = op_readdir,
	.readdirplus = op_readdirplus,
	.create = op_create,
	.open = op_open,
	.read = op_read,
	.write_buf = op_write_buf,
	.copy_file_range = op_copy_file_range,
	.flush = op_flush,
	.release = op_release,
	.fsync = op_fsync,
	.fsyncdir = op_fsyncdir,
	.getxattr = op_getxattr,
	.listxattr = op_listxattr,
	.setxattr = op_setxattr,
	.removexattr = op_removexattr,
};
