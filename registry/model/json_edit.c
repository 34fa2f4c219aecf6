#include "registry/model/json_edit.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "json_text.h"
#include "registry/base/utf8.h"
#include "registry/model/array.h"

static int edit_begin(struct json_edit *edit, struct json_span span, struct error *err)
{
	if (json_object_read(&edit->object, &edit->text, span, "the text", err))
		return -1;
	for (; edit->count < edit->object.count; edit->count++) {
		struct json_change *grown =
			array_grow(edit->changes, edit->count, sizeof(*edit->changes));

		if (!grown)
			return error_set_memory(err);
		edit->changes = grown;
		edit->changes[edit->count] = (struct json_change){.action = JSON_KEEP};
	}
	return 0;
}

int json_edit_open(struct json_edit *out, const char *text, size_t len, struct error *err)
{
	struct json_span root;

	*out = (struct json_edit)JSON_EDIT_INIT;
	out->text = (struct json_text){.bytes = text, .len = len, .kind = ERROR_CORRUPT};
	root = json_root(&out->text);
	json_style_find(&out->style, &out->text, root);
	return edit_begin(out, root, err);
}

int json_edit_open_member(
	struct json_edit *out, const struct json_edit *outer, const char *name, struct error *err)
{
	const struct json_member *member = json_object_value(&outer->object, &outer->text, name);
	struct json_span span = {0, 2};

	*out = (struct json_edit)JSON_EDIT_INIT;
	out->text = (struct json_text){.bytes = "{}", .len = 2, .kind = ERROR_CORRUPT};
	out->style = outer->style;
	out->level = outer->level + 1;
	if (member) {
		out->text = outer->text;
		span = member->value;
	}
	return edit_begin(out, span, err);
}

void json_edit_close(struct json_edit *edit)
{
	json_object_clear(&edit->object);
	free(edit->changes);
	buf_free(&edit->values);
	*edit = (struct json_edit)JSON_EDIT_INIT;
}

static int value_keep(struct json_edit *edit, struct json_span *out, const char *value, size_t len,
	struct error *err)
{
	out->start = edit->values.len;
	if (buf_append(&edit->values, value, len))
		return json_buf_error(err);
	out->end = edit->values.len;
	return 0;
}

int json_edit_replace(
	struct json_edit *edit, size_t i, const char *value, size_t len, struct error *err)
{
	struct json_change *change = &edit->changes[i];

	if (value_keep(edit, &change->value, value, len, err))
		return -1;
	change->action = JSON_REPLACE;
	return 0;
}

int json_edit_add(
	struct json_edit *edit, const char *name, const char *value, size_t len, struct error *err)
{
	struct json_change change = {.action = JSON_ADD}, *grown;

	change.name.start = edit->values.len;
	if (json_string_write(&edit->values, name, err))
		return -1;
	change.name.end = edit->values.len;
	if (value_keep(edit, &change.value, value, len, err))
		return -1;
	grown = array_grow(edit->changes, edit->count, sizeof(change));
	if (!grown)
		return error_set_memory(err);
	edit->changes = grown;
	edit->changes[edit->count++] = change;
	return 0;
}

int json_edit_set(
	struct json_edit *edit, const char *name, const char *value, size_t len, struct error *err)
{
	const struct json_member *member = json_object_find(&edit->object, name);

	if (!member)
		return json_edit_add(edit, name, value, len, err);
	return json_edit_replace(edit, (size_t)(member - edit->object.members), value, len, err);
}

int json_edit_set_string(
	struct json_edit *edit, const char *name, const char *value, struct error *err)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(JSON_SIZE_MAX);

	if (json_string_write(&text, value, err))
		return -1;
	return json_edit_set(edit, name, text.data, text.len, err);
}

void json_edit_remove(struct json_edit *edit, const char *name)
{
	const struct json_member *member = json_object_find(&edit->object, name);

	if (member)
		edit->changes[member - edit->object.members].action = JSON_REMOVE;
}

int json_string_write(struct buf *out, const char *text, struct error *err)
{
	if (!utf8_valid(text))
		return error_set(err, ERROR_INVALID, "\"%.128s\" isn't UTF-8", text);
	return json_append_string(out, text) ? json_buf_error(err) : 0;
}
