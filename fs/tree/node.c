#include "fs/tree/node.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "buf.h"
#include "cleanup.h"

static int compare_number(const void *a, const void *b)
{
	const struct node *left = a, *right = b;

	return (left->ino > right->ino) - (left->ino < right->ino);
}

static int compare_name(const void *a, const void *b)
{
	const struct node *left = a, *right = b;

	return strcmp(left->name, right->name);
}

struct node *node_new(struct inodes *inodes, enum node_kind kind, mode_t mode)
{
	struct node *node = calloc(1, sizeof *node);

	if (!node)
		return NULL;
	node->ino = ++inodes->next;
	node->kind = kind;
	node->mode = mode;
	node->pins = 1;
	if (!tsearch(node, &inodes->by_number, compare_number)) {
		free(node);
		return NULL;
	}
	return node;
}

struct node *node_find(const struct inodes *inodes, uint64_t ino)
{
	struct node key = {.ino = ino};
	struct node **found = tfind(&key, &inodes->by_number, compare_number);

	return found ? *found : NULL;
}

static void node_free(struct node *node)
{
	tag_free(node->tag);
	folder_free(node->folder);
	file_free(node->file);
	control_free(node->control);
	referrers_free(node->referrers);
	free(node->children.items);
	free(node->name);
	free(node);
}

static void node_release(struct inodes *inodes, struct node *node)
{
	if (node->parent || node->lookups || node->pins || node->ino == ROOT_INO)
		return;
	while (node->children.count)
		node_unlink(inodes, node->children.items[node->children.count - 1]);
	if (node->children.control) {
		struct node *control = steal_ptr(node->children.control);

		control->parent = NULL;
		node_release(inodes, control);
	}
	tdelete(node, &inodes->by_number, compare_number);
	node_free(node);
}

void node_pin(struct node *node)
{
	node->pins++;
}

void node_unpin(struct inodes *inodes, struct node *node)
{
	node->pins--;
	node_release(inodes, node);
}

void node_forget(struct inodes *inodes, struct node *node, uint64_t lookups)
{
	node->lookups -= lookups < node->lookups ? lookups : node->lookups;
	node_release(inodes, node);
}

static int directory_reserve(struct directory *directory, struct error *err)
{
	size_t capacity = directory->capacity ? directory->capacity * 2 : 8;
	struct node **items;

	if (directory->count < directory->capacity)
		return 0;
	items = reallocarray(directory->items, capacity, sizeof *items);
	if (!items)
		return error_set_memory(err);
	directory->items = items;
	directory->capacity = capacity;
	return 0;
}

static void directory_add(struct inodes *inodes, struct node *parent, struct node *node)
{
	struct directory *directory = &parent->children;

	node->cookie = ++inodes->next_cookie;
	node->parent = parent;
	directory->items[directory->count++] = node;
}

/* The index of the first child with a greater cookie. */
static size_t node_child_after(const struct node *parent, uint64_t cookie)
{
	size_t low = 0, high = parent->children.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (parent->children.items[middle]->cookie > cookie)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static void directory_remove(struct directory *directory, struct node *node)
{
	size_t at = node_child_after(node->parent, node->cookie) - 1;

	memmove(&directory->items[at], &directory->items[at + 1],
		(directory->count - at - 1) * sizeof directory->items[0]);
	directory->count--;
	tdelete(node, &directory->names, compare_name);
}

int node_move(struct inodes *inodes, struct node *node, struct node *parent, const char *name,
	struct error *err)
{
	cleanup_free char *new_name = strdup(name);
	struct node key = {.name = new_name};
	struct node **slot;

	if (!new_name)
		return error_set_memory(err);
	if (directory_reserve(&parent->children, err))
		return -1;
	if (!tsearch(&key, &parent->children.names, compare_name))
		return error_set_memory(err);
	if (node->parent)
		directory_remove(&node->parent->children, node);
	free(node->name);
	node->name = steal_ptr(new_name);
	slot = tfind(node, &parent->children.names, compare_name);
	*slot = node;
	directory_add(inodes, parent, node);
	return 0;
}

int node_link(struct inodes *inodes, struct node *parent, const char *name, struct node *node,
	struct error *err)
{
	return node_move(inodes, node, parent, name, err);
}

void node_unlink(struct inodes *inodes, struct node *node)
{
	directory_remove(&node->parent->children, node);
	node->parent = NULL;
	node_release(inodes, node);
}

struct node *node_child(const struct node *parent, const char *name)
{
	struct node key = {.name = (char *)name};
	struct node **found = tfind(&key, &parent->children.names, compare_name);

	return found ? *found : NULL;
}

bool node_is_directory(const struct node *node)
{
	return S_ISDIR(node->mode);
}

struct node *node_folder(struct node *node)
{
	/* what refers to a folder's manifest is no part of the folder */
	while (node && node->kind != NODE_FOLDER)
		node = node->kind == NODE_REFERRERS ? NULL : node->parent;
	return node;
}

struct node *node_tag(struct node *node)
{
	while (node && node->kind != NODE_TAG)
		node = node->parent;
	return node;
}

char *node_path(const struct node *node, const struct node *above)
{
	cleanup_with(buf_free) struct buf path = BUF_INIT(BUF_UNBOUNDED);
	const struct node *at;

	if (buf_append_text(&path, ""))
		return NULL;
	for (at = node; at != above && at && at->parent; at = at->parent) {
		if (path.len && buf_splice(&path, 0, 0, "/", 1))
			return NULL;
		if (buf_splice(&path, 0, 0, at->name, strlen(at->name)))
			return NULL;
	}
	return buf_steal(&path);
}

static void free_any(void *node)
{
	node_free(node);
}

static void drop_names(void *node)
{
	(void)node;
}

static void clear_names(const void *slot, VISIT visit, int depth)
{
	struct node *node = *(struct node *const *)slot;

	(void)depth;
	if (visit == preorder || visit == leaf) {
		tdestroy(node->children.names, drop_names);
		node->children.names = NULL;
	}
}

void inodes_clear(struct inodes *inodes)
{
	twalk(inodes->by_number, clear_names);
	tdestroy(inodes->by_number, free_any);
	inodes->by_number = NULL;
}
