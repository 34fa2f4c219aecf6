#include "registry/model/annotations_json.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

static int members_take(struct annotations *out, const struct json_text *text,
	const struct json_object *object, struct error *err)
{
	for (size_t i = 0; i < object->count; i++) {
		const struct json_member *member = &object->members[i];
		cleanup_free char *value = NULL;

		if (json_string_read(&value, text, member->value, "an annotation's value", err) ||
			annotations_append(out, member->name, value, err))
			return -1;
	}
	return 0;
}

int annotations_read(struct annotations *out, const struct json_text *text, struct json_span span,
	const char *what, struct error *err)
{
	cleanup_with(json_object_clear) struct json_object object = JSON_OBJECT_INIT;

	*out = (struct annotations)ANNOTATIONS_INIT;
	if (json_object_read(&object, text, span, what, err))
		return -1;
	if (members_take(out, text, &object, err)) {
		annotations_clear(out);
		return -1;
	}
	return 0;
}

/* A wanted pair while it waits for its member: sorted by key, so that many pairs stay cheap. */
struct wanted {
	const struct annotation *pair;
	bool *found; /* by the pair's place in want */
};

static int wanted_compare(const void *a, const void *b)
{
	return strcmp(((const struct wanted *)a)->pair->key, ((const struct wanted *)b)->pair->key);
}

static int member_edit(struct json_edit *edit, size_t i, const struct annotation *now,
	const struct wanted *want, struct error *err)
{
	cleanup_with(buf_free) struct buf value = BUF_INIT(JSON_SIZE_MAX);

	if (!want) {
		edit->changes[i].action = JSON_REMOVE;
		return 0;
	}
	*want->found = true;
	if (strcmp(now->value, want->pair->value) == 0)
		return 0;
	if (json_string_write(&value, want->pair->value, err))
		return -1;
	return json_edit_replace(edit, i, value.data, value.len, err);
}

static int pair_add(struct json_edit *edit, const struct annotation *pair, struct error *err)
{
	cleanup_with(buf_free) struct buf value = BUF_INIT(JSON_SIZE_MAX);

	if (json_string_write(&value, pair->value, err))
		return -1;
	return json_edit_add(edit, pair->key, value.data, value.len, err);
}

/* now has exactly the members of the object that is being edited, in their order. */
static int pairs_edit(struct json_edit *edit, const struct annotations *now,
	const struct annotations *want, struct error *err)
{
	cleanup_free struct wanted *sorted = calloc(want->count, sizeof(*sorted));
	cleanup_free bool *found = calloc(want->count, sizeof(*found));

	if (!sorted || !found)
		return error_set_memory(err);
	for (size_t i = 0; i < want->count; i++)
		sorted[i] = (struct wanted){.pair = &want->items[i], .found = &found[i]};
	qsort(sorted, want->count, sizeof(*sorted), wanted_compare);
	for (size_t i = 0; i < now->count; i++) {
		struct wanted key = {.pair = &now->items[i]};
		const struct wanted *match =
			bsearch(&key, sorted, want->count, sizeof(key), wanted_compare);

		if (member_edit(edit, i, &now->items[i], match, err))
			return -1;
	}
	for (size_t i = 0; i < want->count; i++)
		if (!found[i] && pair_add(edit, &want->items[i], err))
			return -1;
	return 0;
}

int annotations_edit(struct json_edit *edit, const struct annotations *now,
	const struct annotations *want, struct error *err)
{
	cleanup_with(json_edit_close) struct json_edit inner = JSON_EDIT_INIT;
	cleanup_with(buf_free) struct buf text = BUF_INIT(JSON_SIZE_MAX);

	if (want->count == 0) {
		if (now->count > 0)
			json_edit_remove(edit, "annotations");
		return 0;
	}
	if (json_edit_open_member(&inner, edit, "annotations", err) ||
		pairs_edit(&inner, now, want, err) || json_edit_write(&inner, &text, err))
		return -1;
	return json_edit_set(edit, "annotations", text.data, text.len, err);
}
