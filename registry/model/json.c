#include "registry/model/json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

int json_error(const struct json_text *text, size_t at, struct error *err, const char *format, ...)
{
	size_t line = 1, column = 1;
	char message[512];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	for (size_t i = 0; i < at && i < text->len; i++) {
		if (text->bytes[i] == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)text->bytes[i] & 0xc0) != 0x80) {
			column++;
		}
	}
	return error_set(err, text->kind, "line %zu, column %zu: %s", line, column, message);
}

int json_buf_error(struct error *err)
{
	if (errno == EFBIG)
		return error_set(err, ERROR_TOO_LARGE, "the document would be over %zu MiB",
			JSON_SIZE_MAX >> 20);
	return error_set_memory(err);
}

static int tokens_check(const struct json_text *text, struct error *err)
{
	size_t depth = 0, count = 0;
	struct json_token token;

	for (size_t at = 0;; at = token.span.end) {
		token = json_next(text, at);
		if (token.type == JSON_END)
			return 0;
		if (token.type == JSON_BAD)
			return json_error(text, token.span.start, err, "%s", token.problem);
		if (++count > JSON_TOKENS_MAX)
			return json_error(text, token.span.start, err, "too many values");
		if (json_token_opens(token) && ++depth > JSON_DEPTH_MAX)
			return json_error(text, token.span.start, err,
				"nested deeper than %d levels", JSON_DEPTH_MAX);
		if (json_token_closes(token) && depth > 0)
			depth--;
	}
}

/* Whether a token can't follow, in any object or array, the one before it. */
static bool token_misplaced(char before, struct json_token token)
{
	if (before == '{')
		return token.type != JSON_STRING && token.mark != '}';
	return before == ',' && strchr("}],:", token.mark);
}

/* cJSON stopped at offset end: one byte too far where it wanted a key, and never beyond the last
 * byte. */
static int syntax_error(const struct json_text *text, size_t end, struct error *err)
{
	struct json_token token = json_next(text, 0);
	size_t depth = 0, last = 0, place = end;
	char before = 0;

	for (; token.type != JSON_END; token = json_next(text, last)) {
		if (token_misplaced(before, token) && token.span.start + 1 == end)
			place = token.span.start;
		depth += json_token_opens(token);
		depth -= json_token_closes(token) && depth > 0;
		before = token.mark;
		last = token.span.end;
	}
	if (depth > 0 && last <= end + 1)
		return json_error(text, last, err, "the text ends too early");
	return json_error(text, place, err, "not JSON");
}

int json_check(const struct json_text *text, struct error *err)
{
	const char *end = text->bytes;
	struct json_token rest;
	cJSON *tree;

	if (tokens_check(text, err))
		return -1;
	rest = json_next(text, 0);
	if (rest.type == JSON_END)
		return json_error(text, text->len, err, "there is no JSON here");
	errno = 0;
	tree = cJSON_ParseWithLengthOpts(text->bytes, text->len, &end, false);
	if (!tree && errno == ENOMEM)
		return error_set_memory(err);
	if (!tree)
		return syntax_error(text, (size_t)(end - text->bytes), err);
	cJSON_Delete(tree);
	rest = json_next(text, (size_t)(end - text->bytes));
	if (rest.type != JSON_END)
		return json_error(text, rest.span.start, err, "something after the end");
	return 0;
}
