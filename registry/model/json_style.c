/*
 * json_style.c - how a text is set, and other text set like it.
 */
#include <string.h>

#include "registry/model/json_edit.h"

/* Copies the bytes of a span, fewer where they don't fit. */
static void span_copy(char *out, size_t size, const struct json_text *text, struct json_span span)
{
	size_t len = span.end > span.start ? span.end - span.start : 0;

	if (len > size - 1)
		len = size - 1;
	memcpy(out, text->bytes + span.start, len);
	out[len] = '\0';
}

/* The indent in a stretch of white space: what follows its last line break. False where it has no
 * line break. */
static bool indent_find(
	struct json_span *out, const struct json_text *text, size_t start, size_t end)
{
	size_t at = end;

	while (at > start && text->bytes[at - 1] != '\n')
		at--;
	*out = (struct json_span){at, end};
	return at > start;
}

static void indents_find(struct json_style *out, const struct json_text *text,
	struct json_span object, struct json_span inner)
{
	struct json_span base;
	size_t closing = object.end - 1, len;

	while (closing > object.start && strchr(" \t\r\n", text->bytes[closing - 1]))
		closing--;
	if (indent_find(&base, text, closing, object.end - 1))
		span_copy(out->base, sizeof(out->base), text, base);
	len = strlen(out->base);
	if (inner.end - inner.start >= len &&
		memcmp(text->bytes + inner.start, out->base, len) == 0)
		inner.start += len;
	else
		out->base[0] = '\0';
	span_copy(out->unit, sizeof(out->unit), text, inner);
	if (memchr(text->bytes + object.start, '\r', inner.start - object.start))
		strcpy(out->newline, "\r\n");
}

void json_style_find(struct json_style *out, const struct json_text *text, struct json_span object)
{
	struct json_token key = json_next(text, object.start + 1), value, comma, next;
	struct json_span inner, colon, gap;

	*out = (struct json_style)JSON_STYLE_COMPACT;
	if (key.type != JSON_STRING)
		return;
	value = json_next(text, json_next(text, key.span.end).span.end);
	colon = (struct json_span){key.span.end, value.span.start};
	if (colon.end - colon.start < sizeof(out->colon))
		span_copy(out->colon, sizeof(out->colon), text, colon);
	strcpy(out->gap, strchr(out->colon, ' ') ? " " : "");
	out->pretty = indent_find(&inner, text, object.start + 1, key.span.start);
	if (out->pretty) {
		indents_find(out, text, object, inner);
		return;
	}
	comma = json_next(text, json_value_at(text, value.span.start).end);
	next = json_next(text, comma.span.end);
	gap = (struct json_span){comma.span.end, next.span.start};
	if (comma.mark == ',' && gap.end - gap.start < sizeof(out->gap))
		span_copy(out->gap, sizeof(out->gap), text, gap);
}

bool json_style_equal(const struct json_style *a, const struct json_style *b)
{
	return a->pretty == b->pretty && strcmp(a->colon, b->colon) == 0 &&
	       strcmp(a->gap, b->gap) == 0 &&
	       (!a->pretty ||
		       (strcmp(a->newline, b->newline) == 0 && strcmp(a->base, b->base) == 0 &&
			       strcmp(a->unit, b->unit) == 0));
}

int json_style_break(struct buf *out, const struct json_style *style, size_t level)
{
	if (!style->pretty)
		return 0;
	if (buf_append_text(out, style->newline) || buf_append_text(out, style->base))
		return -1;
	for (size_t i = 0; i < level; i++)
		if (buf_append_text(out, style->unit))
			return -1;
	return 0;
}

/* What goes before a token, by the one before it. */
static int space_append(struct buf *out, const struct json_style *style, char before,
	struct json_token token, size_t level)
{
	bool opened = before == '{' || before == '[';

	if (json_token_closes(token))
		return opened ? 0 : json_style_break(out, style, level);
	if (opened || (before == ',' && style->pretty))
		return json_style_break(out, style, level);
	return before == ',' ? buf_append_text(out, style->gap) : 0;
}

int json_layout(struct buf *out, const struct json_text *text, struct json_span span,
	const struct json_style *style, size_t level)
{
	struct json_token token;
	char before = 0;
	int failed;

	for (size_t at = span.start; at < span.end; at = token.span.end) {
		token = json_next(text, at);
		if (token.type == JSON_END || token.type == JSON_BAD)
			break;
		level -= json_token_closes(token) && level > 0;
		failed = space_append(out, style, before, token, level);
		if (failed == 0)
			failed = token.mark == ':' ? buf_append_text(out, style->colon)
						   : buf_append(out, text->bytes + token.span.start,
							     token.span.end - token.span.start);
		if (failed)
			return -1;
		level += json_token_opens(token);
		before = token.mark;
	}
	return 0;
}
