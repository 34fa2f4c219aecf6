#include "annotations.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "registry/model/annotations_json.h"
#include "registry/model/array.h"

void annotations_clear(struct annotations *annotations)
{
	for (size_t i = 0; i < annotations->count; i++) {
		free(annotations->items[i].key);
		free(annotations->items[i].value);
	}
	free(annotations->items);
	*annotations = (struct annotations)ANNOTATIONS_INIT;
}

int annotations_append(
	struct annotations *annotations, const char *key, const char *value, struct error *err)
{
	cleanup_free char *own_key = strdup(key);
	cleanup_free char *own_value = strdup(value);
	struct annotation *grown;

	if (!own_key || !own_value)
		return error_set_memory(err);
	grown = array_grow(annotations->items, annotations->count, sizeof(*grown));
	if (!grown)
		return error_set_memory(err);
	annotations->items = grown;
	annotations->items[annotations->count++] =
		(struct annotation){.key = steal_ptr(own_key), .value = steal_ptr(own_value)};
	return 0;
}

int annotations_copy(struct annotations *out, const struct annotations *from, struct error *err)
{
	*out = (struct annotations)ANNOTATIONS_INIT;
	for (size_t i = 0; i < from->count; i++) {
		if (annotations_append(out, from->items[i].key, from->items[i].value, err)) {
			annotations_clear(out);
			return -1;
		}
	}
	return 0;
}

static struct annotation *find(const struct annotations *annotations, const char *key)
{
	for (size_t i = 0; i < annotations->count; i++)
		if (strcmp(annotations->items[i].key, key) == 0)
			return &annotations->items[i];
	return NULL;
}

const char *annotations_get(const struct annotations *annotations, const char *key)
{
	const struct annotation *found = find(annotations, key);

	return found ? found->value : NULL;
}

int annotations_set(
	struct annotations *annotations, const char *key, const char *value, struct error *err)
{
	struct annotation *found = find(annotations, key);
	char *copy;

	if (!found)
		return annotations_append(annotations, key, value, err);
	copy = strdup(value);
	if (!copy)
		return error_set_memory(err);
	free(found->value);
	found->value = copy;
	return 0;
}

bool annotations_remove(struct annotations *annotations, const char *key)
{
	struct annotation *found = find(annotations, key);
	size_t after;

	if (!found)
		return false;
	free(found->key);
	free(found->value);
	after = (size_t)(annotations->items + annotations->count - (found + 1));
	memmove(found, found + 1, after * sizeof(*found));
	annotations->count--;
	return true;
}

bool annotations_equal(const struct annotations *a, const struct annotations *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->items[i].key, b->items[i].key) != 0 ||
			strcmp(a->items[i].value, b->items[i].value) != 0)
			return false;
	return true;
}
