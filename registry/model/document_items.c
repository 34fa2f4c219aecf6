/*
 * document_items.c - another list of descriptors in the place of the old one.
 *
 * Each new descriptor is matched with the old item of the same text, or with the one whose place it
 * takes, so that what stands between two items that were neighbours stays as it was.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "registry/model/document_json.h"

#define NO_MATCH SIZE_MAX

struct item_text {
	const char *bytes;
	size_t len;
	size_t index;
};

struct matching {
	const struct descriptor *items;
	size_t count;
	const struct json_edit *edit;
	struct json_array array; /* the old items */
	struct item_text *sorted; /* their texts */
	size_t *old; /* for each new item, the index of its old one, or NO_MATCH */
	bool *used; /* for each old item */
	bool *same; /* for each new item: its text is its old one's */
};

static void matching_free(struct matching *matching)
{
	json_array_clear(&matching->array);
	free(matching->sorted);
	free(matching->old);
	free(matching->used);
	free(matching->same);
}

static int text_compare(const void *a, const void *b)
{
	const struct item_text *first = a, *second = b;

	if (first->len != second->len)
		return first->len < second->len ? -1 : 1;
	return memcmp(first->bytes, second->bytes, first->len);
}

static struct item_text old_text(const struct matching *matching, size_t index)
{
	struct json_span span = matching->array.items[index];

	return (struct item_text){
		matching->edit->text.bytes + span.start, span.end - span.start, index};
}

/* The index of an old item with this text, or NO_MATCH. */
static size_t same_find(const struct matching *matching, const struct descriptor *item)
{
	struct item_text text = {item->json, item->json_len, 0};
	const struct item_text *found =
		bsearch(&text, matching->sorted, matching->array.count, sizeof(text), text_compare);

	return found ? found->index : NO_MATCH;
}

static bool same_place(const struct matching *matching, size_t i)
{
	struct item_text text = {matching->items[i].json, matching->items[i].json_len, 0}, old;

	if (i >= matching->array.count)
		return false;
	old = old_text(matching, i);
	return text_compare(&text, &old) == 0;
}

static void match(struct matching *matching, size_t i, size_t old)
{
	matching->old[i] = old;
	matching->used[old] = true;
}

/* Where items have the same text, those that haven't moved come first. */
static void same_match(struct matching *matching)
{
	for (size_t i = 0; i < matching->count; i++) {
		matching->old[i] = NO_MATCH;
		matching->same[i] = same_place(matching, i);
		if (matching->same[i])
			match(matching, i, i);
	}
	for (size_t i = 0; i < matching->count; i++) {
		size_t old =
			matching->same[i] ? NO_MATCH : same_find(matching, &matching->items[i]);

		if (old == NO_MATCH)
			continue;
		matching->same[i] = true;
		if (!matching->used[old])
			match(matching, i, old);
	}
}

/* An item without a match takes the place after the item before it, if nobody else is there. */
static void places_match(struct matching *matching)
{
	size_t place = 0;

	for (size_t i = 0; i < matching->count; i++) {
		if (matching->old[i] == NO_MATCH && place < matching->array.count &&
			!matching->used[place])
			match(matching, i, place);
		place = matching->old[i] == NO_MATCH ? SIZE_MAX : matching->old[i] + 1;
	}
}

static int matching_make(struct matching *matching, struct error *err)
{
	size_t old_count = matching->array.count;

	matching->sorted = calloc(old_count + 1, sizeof(*matching->sorted));
	matching->old = calloc(matching->count + 1, sizeof(*matching->old));
	matching->used = calloc(old_count + 1, sizeof(*matching->used));
	matching->same = calloc(matching->count + 1, sizeof(*matching->same));
	if (!matching->sorted || !matching->old || !matching->used || !matching->same)
		return error_set_memory(err);
	for (size_t i = 0; i < old_count; i++)
		matching->sorted[i] = old_text(matching, i);
	qsort(matching->sorted, old_count, sizeof(*matching->sorted), text_compare);
	same_match(matching);
	places_match(matching);
	return 0;
}

static bool set_alike(const struct json_text *a, struct json_span a_span, const struct json_text *b,
	struct json_span b_span)
{
	struct json_style a_style, b_style;

	json_style_find(&a_style, a, a_span);
	json_style_find(&b_style, b, b_span);
	return json_style_equal(&a_style, &b_style);
}

int document_descriptor_write(struct buf *out, const struct json_edit *edit,
	const struct json_span *old, const struct descriptor *descriptor, size_t level,
	struct error *err)
{
	struct json_text text = {descriptor->json, descriptor->json_len, ERROR_CORRUPT};
	struct json_span span = json_root(&text);
	bool fits = old && set_alike(&edit->text, *old, &text, span);

	if (fits ? buf_append(out, text.bytes, text.len)
		 : json_layout(out, &text, span, &edit->style, level))
		return json_buf_error(err);
	return 0;
}

/* What stands between new item i and the one before it. */
static int between_write(struct buf *out, const struct matching *matching, size_t i)
{
	const struct json_edit *edit = matching->edit;
	const struct json_array *array = &matching->array;
	size_t before = matching->old[i - 1], after = before + 1;

	if (before == NO_MATCH || matching->old[i] != after) {
		before = 0;
		after = 1;
	}
	if (array->count > after)
		return buf_append(out, edit->text.bytes + array->items[before].end,
			array->items[after].start - array->items[before].end);
	if (buf_append(out, ",", 1))
		return -1;
	return edit->style.pretty ? json_style_break(out, &edit->style, edit->level + 2)
				  : buf_append_text(out, edit->style.gap);
}

static int item_write(struct buf *out, const struct matching *matching, size_t i, struct error *err)
{
	const struct descriptor *item = &matching->items[i];
	const struct json_span *old = NULL;

	if (matching->same[i])
		return buf_append(out, item->json, item->json_len) ? json_buf_error(err) : 0;
	if (matching->old[i] != NO_MATCH)
		old = &matching->array.items[matching->old[i]];
	return document_descriptor_write(
		out, matching->edit, old, item, matching->edit->level + 2, err);
}

static int array_begin(struct buf *out, const struct matching *matching, size_t start)
{
	const struct json_edit *edit = matching->edit;

	if (matching->array.count > 0)
		return buf_append(
			out, edit->text.bytes + start, matching->array.items[0].start - start);
	if (buf_append(out, "[", 1))
		return -1;
	return json_style_break(out, &edit->style, edit->level + 2);
}

static int array_end(struct buf *out, const struct matching *matching, size_t end)
{
	const struct json_edit *edit = matching->edit;
	const struct json_array *array = &matching->array;

	if (array->count > 0)
		return buf_append(out, edit->text.bytes + array->items[array->count - 1].end,
			end - array->items[array->count - 1].end);
	if (json_style_break(out, &edit->style, edit->level + 1))
		return -1;
	return buf_append(out, "]", 1);
}

static int array_write(
	struct buf *out, const struct matching *matching, struct json_span span, struct error *err)
{
	if (array_begin(out, matching, span.start))
		return json_buf_error(err);
	for (size_t i = 0; i < matching->count; i++) {
		if (i > 0 && between_write(out, matching, i))
			return json_buf_error(err);
		if (item_write(out, matching, i, err))
			return -1;
	}
	return array_end(out, matching, span.end) ? json_buf_error(err) : 0;
}

int document_items_write(struct buf *out, const struct json_edit *edit, const char *name,
	const struct descriptor *items, size_t count, struct error *err)
{
	cleanup_with(matching_free) struct matching matching = {
		.items = items, .count = count, .edit = edit};
	const struct json_member *member = json_object_value(&edit->object, &edit->text, name);
	struct json_span span = {0, 0};

	if (count == 0)
		return buf_append(out, "[]", 2) ? json_buf_error(err) : 0;
	if (member) {
		span = member->value;
		if (json_array_read(&matching.array, &edit->text, span, name, err))
			return -1;
	}
	if (matching_make(&matching, err))
		return -1;
	return array_write(out, &matching, span, err);
}
