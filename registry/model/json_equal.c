#include "registry/model/json_equal.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "registry/model/array.h"

/* A member, its name not decoded: a name with an escaped NUL is one like any other here. */
struct named {
	const struct json_text *text;
	struct json_span key, value;
};

struct names {
	struct named *items;
	size_t count;
};

static void names_free(struct names *names)
{
	free(names->items);
}

static int named_compare(const void *a, const void *b)
{
	const struct named *first = a, *second = b;
	int order = json_string_compare(first->text, first->key, second->text, second->key);

	if (order)
		return order;
	return (first->key.start > second->key.start) - (first->key.start < second->key.start);
}

/* The members of the object at span, by name. */
static int names_read(
	struct names *out, const struct json_text *text, struct json_span span, struct error *err)
{
	struct json_token token = json_next(text, span.start + 1);

	while (token.type == JSON_STRING) {
		struct json_token colon = json_next(text, token.span.end);
		struct json_span value = json_value_at(text, colon.span.end);
		struct named *grown = array_grow(out->items, out->count, sizeof(*grown));

		if (!grown)
			return error_set_memory(err);
		out->items = grown;
		out->items[out->count++] = (struct named){text, token.span, value};
		token = json_next(text, value.end);
		if (token.mark == ',')
			token = json_next(text, token.span.end);
	}
	if (out->count > 1)
		qsort(out->items, out->count, sizeof(*out->items), named_compare);
	return 0;
}

static int objects_equal(bool *same, const struct json_text *a, struct json_span a_span,
	const struct json_text *b, struct json_span b_span, struct error *err)
{
	cleanup_with(names_free) struct names first = {NULL, 0}, second = {NULL, 0};

	if (names_read(&first, a, a_span, err) || names_read(&second, b, b_span, err))
		return -1;
	*same = first.count == second.count;
	for (size_t i = 0; *same && i < first.count; i++) {
		const struct named *one = &first.items[i], *other = &second.items[i];

		*same = json_string_compare(a, one->key, b, other->key) == 0;
		if (*same && json_equal(same, a, one->value, b, other->value, err))
			return -1;
	}
	return 0;
}

/* The next item after offset at, or a token that closes; past a comma. */
static struct json_token item_next(const struct json_text *text, size_t at)
{
	struct json_token token = json_next(text, at);

	return token.mark == ',' ? json_next(text, token.span.end) : token;
}

static int arrays_equal(bool *same, const struct json_text *a, struct json_span a_span,
	const struct json_text *b, struct json_span b_span, struct error *err)
{
	struct json_token first = item_next(a, a_span.start + 1);
	struct json_token second = item_next(b, b_span.start + 1);

	*same = true;
	while (*same && !json_token_closes(first) && !json_token_closes(second)) {
		struct json_span one = json_value_at(a, first.span.start);
		struct json_span other = json_value_at(b, second.span.start);

		if (json_equal(same, a, one, b, other, err))
			return -1;
		first = item_next(a, one.end);
		second = item_next(b, other.end);
	}
	*same = *same && json_token_closes(first) && json_token_closes(second);
	return 0;
}

static bool bytes_equal(const struct json_text *a, struct json_span a_span,
	const struct json_text *b, struct json_span b_span)
{
	size_t len = a_span.end - a_span.start;

	return len == b_span.end - b_span.start &&
	       memcmp(a->bytes + a_span.start, b->bytes + b_span.start, len) == 0;
}

int json_equal(bool *same, const struct json_text *a, struct json_span a_span,
	const struct json_text *b, struct json_span b_span, struct error *err)
{
	struct json_token first = json_next(a, a_span.start), second = json_next(b, b_span.start);

	*same = bytes_equal(a, a_span, b, b_span);
	if (*same || first.type != second.type)
		return 0;
	if (first.type == JSON_STRING) {
		*same = json_string_compare(a, a_span, b, b_span) == 0;
		return 0;
	}
	if (first.type == JSON_SCALAR) {
		*same = json_number_equal(a, a_span, b, b_span);
		return 0;
	}
	if (first.mark != second.mark)
		return 0;
	return first.mark == '{' ? objects_equal(same, a, a_span, b, b_span, err)
				 : arrays_equal(same, a, a_span, b, b_span, err);
}
