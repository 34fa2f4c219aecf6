/*
 * json_edit_write.c - the new text of an edited object.
 */
#include <string.h>

#include "registry/model/json_edit.h"

static int span_append(struct buf *out, const char *bytes, size_t start, size_t end)
{
	return buf_append(out, bytes + start, end - start);
}

/* Appends the members up to last, without those that go; each that goes takes the comma and the
 * white space after it along. */
static int members_write(struct json_edit *edit, struct buf *out, size_t last)
{
	const struct json_member *members = edit->object.members;
	size_t at = edit->object.span.start;

	for (size_t i = 0; i <= last; i++) {
		const struct json_change *change = &edit->changes[i];
		bool goes = change->action == JSON_REMOVE;

		if (change->action == JSON_KEEP)
			continue;
		if (span_append(out, edit->text.bytes, at,
			    goes ? members[i].key.start : members[i].value.start))
			return -1;
		if (!goes &&
			span_append(out, edit->values.data, change->value.start, change->value.end))
			return -1;
		at = goes ? members[i + 1].key.start : members[i].value.end;
	}
	return span_append(out, edit->text.bytes, at, members[last].value.end);
}

/* What stands between two members, taken from before member like. */
static int separator_write(struct json_edit *edit, struct buf *out, size_t like)
{
	const struct json_member *members = edit->object.members;
	size_t start = edit->object.span.start + 1;

	if (like > 0)
		return span_append(out, edit->text.bytes, members[like - 1].value.end,
			members[like].key.start);
	if (buf_append(out, ",", 1))
		return -1;
	if (members[0].key.start > start)
		return span_append(out, edit->text.bytes, start, members[0].key.start);
	return buf_append_text(out, edit->style.gap);
}

static int addition_write(struct json_edit *edit, struct buf *out, const struct json_change *change,
	const char *colon, size_t colon_len)
{
	return span_append(out, edit->values.data, change->name.start, change->name.end) ||
			       buf_append(out, colon, colon_len) ||
			       span_append(out, edit->values.data, change->value.start,
				       change->value.end)
		       ? -1
		       : 0;
}

/* After at least one member that stays. */
static int additions_write(struct json_edit *edit, struct buf *out, size_t last)
{
	const struct json_member *member = &edit->object.members[last];
	const char *colon = edit->text.bytes + member->key.end;
	size_t colon_len = member->value.start - member->key.end;

	for (size_t i = edit->object.count; i < edit->count; i++)
		if (separator_write(edit, out, last) ||
			addition_write(edit, out, &edit->changes[i], colon, colon_len))
			return -1;
	return 0;
}

/* An object of which nothing is left but what is added. */
static int fresh_write(struct json_edit *edit, struct buf *out)
{
	const struct json_style *style = &edit->style;
	size_t first = edit->object.count;

	if (buf_append(out, "{", 1))
		return -1;
	for (size_t i = first; i < edit->count; i++) {
		if (i > first && (buf_append(out, ",", 1) ||
					 (!style->pretty && buf_append_text(out, style->gap))))
			return -1;
		if (json_style_break(out, style, edit->level + 1) ||
			addition_write(
				edit, out, &edit->changes[i], style->colon, strlen(style->colon)))
			return -1;
	}
	if (edit->count > first && json_style_break(out, style, edit->level))
		return -1;
	return buf_append(out, "}", 1);
}

static int object_write(struct json_edit *edit, struct buf *out)
{
	const struct json_object *object = &edit->object;
	size_t kept = object->count;

	while (kept > 0 && edit->changes[kept - 1].action == JSON_REMOVE)
		kept--;
	if (object->count == 0 && edit->count == 0)
		return span_append(out, edit->text.bytes, object->span.start, object->span.end);
	if (kept == 0)
		return fresh_write(edit, out);
	if (members_write(edit, out, kept - 1) || additions_write(edit, out, kept - 1))
		return -1;
	return span_append(out, edit->text.bytes, object->members[object->count - 1].value.end,
		object->span.end);
}

int json_edit_write(struct json_edit *edit, struct buf *out, struct error *err)
{
	return object_write(edit, out) ? json_buf_error(err) : 0;
}

int json_edit_write_text(struct json_edit *edit, struct buf *out, struct error *err)
{
	const struct json_text *text = &edit->text;

	if (span_append(out, text->bytes, 0, edit->object.span.start) || object_write(edit, out) ||
		span_append(out, text->bytes, edit->object.span.end, text->len))
		return json_buf_error(err);
	return 0;
}
