#include "fs/mount/notify.h"

#include <string.h>

/* What the kernel doesn't know is no loss. */
static void tell(void *context, const struct stale_item *item)
{
	struct mount *mount = context;

	if (atomic_load(&mount->ended))
		return;
	if (item->name)
		fuse_lowlevel_notify_inval_entry(
			mount->session, item->ino, item->name, strlen(item->name));
	else
		fuse_lowlevel_notify_inval_inode(mount->session, item->ino, -1, 0);
}

void notify_begin(struct mount *mount)
{
	struct tree *tree = &mount->tree;

	pthread_mutex_lock(&tree->lock);
	tree->stale.context = mount;
	tree->stale.tell = tell;
	pthread_mutex_unlock(&tree->lock);
}

void notify_end(struct mount *mount)
{
	struct tree *tree = &mount->tree;

	pthread_mutex_lock(&tree->lock);
	tree->stale.tell = NULL;
	pthread_mutex_unlock(&tree->lock);
	/* who is about to tell waits for the kernel, perhaps: he isn't waited for */
	atomic_store(&mount->ended, true);
}
