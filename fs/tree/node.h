/*
 * node.h - inodes: what the kernel holds by number, and how they hang together.
 *
 * A node is in the tree as long as it has a parent (or is the root); it is freed once it is in no
 * directory, the kernel has forgotten it and nothing pins it. Numbers are never used twice. All of
 * a node is guarded by the tree's lock, but for what file.h says of contents.
 */
#ifndef INDEXFS_FS_TREE_NODE_H
#define INDEXFS_FS_TREE_NODE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "error.h"

enum node_kind {
	NODE_TAG, /* a tag: a folder for each platform */
	NODE_NESTED, /* an index within an index: the same shape, read-only */
	NODE_FOLDER, /* a platform folder: an entry of the index */
	NODE_DIRECTORY, /* a directory in a platform folder: a part of titles */
	NODE_FILE, /* a layer, a scratch file, annotations.json */
	NODE_CONTROL, /* .oci and what is in it */
	NODE_REFERRERS, /* .oci/referrers: a folder for each that refers to what is above it */
};

struct tag;
struct folder;
struct file;
struct control;
struct referrers;
struct node;

/* The children of a directory: in the order in which they came, and by name. */
struct directory {
	struct node **items; /* ascending by cookie */
	size_t count, capacity;
	void *names; /* tsearch() */
	struct node *control; /* .oci, once it was asked for; not among the items */
};

struct node {
	uint64_t ino;
	uint64_t lookups; /* the kernel's lookup count */
	unsigned pins; /* open handles and requests under way */
	enum node_kind kind;
	struct node *parent;
	char *name;
	uint64_t cookie; /* place among its siblings; grows */
	uint64_t order; /* place in its document: entries of an index, layers of a manifest */
	mode_t mode; /* with the type */
	struct timespec mtime, ctime;
	struct directory children;
	struct tag *tag; /* NODE_TAG; owned */
	struct folder *folder; /* NODE_FOLDER, NODE_NESTED, NODE_REFERRERS; owned */
	struct file *file; /* NODE_FILE; owned */
	struct control *control; /* NODE_CONTROL; owned */
	struct referrers *referrers; /* NODE_REFERRERS; owned */
};

#define ROOT_INO 1
#define ORDER_NEW ((uint64_t)1 << 32) /* orders of what no document has yet begin here */

/* The nodes of one mount by number. */
struct inodes {
	void *by_number; /* tsearch() */
	uint64_t next;
	uint64_t next_cookie;
};

/* A node in no directory yet, with one pin. NULL when out of memory. */
struct node *node_new(struct inodes *inodes, enum node_kind kind, mode_t mode);

struct node *node_find(const struct inodes *inodes, uint64_t ino);

/* A pin keeps a node until it is taken away. */
void node_pin(struct node *node);
void node_unpin(struct inodes *inodes, struct node *node);
void node_forget(struct inodes *inodes, struct node *node, uint64_t lookups);

/* Puts a node into a directory that has no such name, as its last child. ERROR_MEMORY. */
int node_link(struct inodes *inodes, struct node *parent, const char *name, struct node *node,
	struct error *err);
/* Takes it out of its directory; it may be freed. */
void node_unlink(struct inodes *inodes, struct node *node);
/* Takes it out and puts it elsewhere under a free name, without a moment between in which it could
 * be lost: on failure it stands where it stood. */
int node_move(struct inodes *inodes, struct node *node, struct node *parent, const char *name,
	struct error *err);

struct node *node_child(const struct node *parent, const char *name);

bool node_is_directory(const struct node *node);
/* The nearest platform folder, or tag, at or above it; NULL where there is none any more. */
struct node *node_folder(struct node *node);
struct node *node_tag(struct node *node);

/* The path below an ancestor, with slashes. The caller frees it; NULL when out of memory. */
char *node_path(const struct node *node, const struct node *above);

/* Frees every node of a mount that ends. */
void inodes_clear(struct inodes *inodes);

/* What the kinds own, released with their node (folder.c, file.c, tag.c, control.c,
 * referrers.c). */
void tag_free(struct tag *tag);
void folder_free(struct folder *folder);
void file_free(struct file *file);
void control_free(struct control *control);
void referrers_free(struct referrers *referrers);

#endif
