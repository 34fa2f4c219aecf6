#include "fs/tree/stale.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fs/tree/tree.h"

static void add(struct stale *stale, uint64_t ino, char *name)
{
	size_t capacity = stale->capacity ? stale->capacity * 2 : 16;
	struct stale_item *items = stale->items;

	if (stale->count == stale->capacity) {
		items = reallocarray(items, capacity, sizeof *items);
		if (!items) {
			free(name);
			return;
		}
		stale->items = items;
		stale->capacity = capacity;
	}
	items[stale->count++] = (struct stale_item){.ino = ino, .name = name};
}

void stale_name(struct tree *tree, const struct node *directory, const char *name)
{
	char *copy = tree->stale.tell ? strdup(name) : NULL;

	if (copy)
		add(&tree->stale, directory->ino, copy);
	stale_attributes(tree, directory);
}

void stale_attributes(struct tree *tree, const struct node *node)
{
	if (tree->stale.tell)
		add(&tree->stale, node->ino, NULL);
}

static void free_items(struct stale_item *items, size_t count)
{
	while (count-- > 0)
		free(items[count].name);
	free(items);
}

void stale_clear(struct stale *stale)
{
	free_items(stale->items, stale->count);
	stale->items = NULL;
	stale->count = stale->capacity = 0;
}

static void tell(void *context)
{
	struct stale *stale = context;
	size_t i;

	for (i = 0; i < stale->count; i++)
		stale->tell(stale->context, &stale->items[i]);
	stale_clear(stale);
	free(stale);
}

void stale_tell(struct tree *tree)
{
	bool anything = tree->stale.count && tree->stale.tell;
	struct stale *told = anything ? malloc(sizeof *told) : NULL;

	if (told) {
		*told = tree->stale;
		tree->stale.items = NULL;
		tree->stale.count = tree->stale.capacity = 0;
		if (pool_submit(tree->pool, tell, told, NULL) == 0)
			return;
		stale_clear(told);
		free(told);
	}
	stale_clear(&tree->stale);
}
