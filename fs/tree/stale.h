/*
 * stale.h - what the kernel believes and isn't so any more, because somebody else has changed the
 * tag: gathered under the lock, told afterwards on the pool.
 *
 * The kernel takes the lock of a directory to forget a name in it, and holds that lock itself while
 * it waits for an fsync of the directory: whoever answers requests must not tell.
 */
#ifndef INDEXFS_FS_TREE_STALE_H
#define INDEXFS_FS_TREE_STALE_H

#include <stddef.h>
#include <stdint.h>

struct tree;
struct node;

struct stale_item {
	uint64_t ino; /* a directory where there is a name, else what has other attributes */
	char *name;
};

struct stale {
	struct stale_item *items;
	size_t count, capacity;
	/* Tells the kernel; NULL while there is none. No lock is held. */
	void (*tell)(void *context, const struct stale_item *item);
	void *context;
};

/* The lock is held in all of these. What can't be noted for want of memory the kernel finds out
 * within a second. */
void stale_name(struct tree *tree, const struct node *directory, const char *name);
void stale_attributes(struct tree *tree, const struct node *node);

/* Has all of it told soon. */
void stale_tell(struct tree *tree);

void stale_clear(struct stale *stale);

#endif
