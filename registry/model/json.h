/*
 * json.h - where things stand in a JSON text (RFC 8259).
 *
 * cJSON judges the grammar and decodes strings; what it is lenient about is refused before. The
 * readers give spans, offsets into the text, so that an edit can leave every other byte alone.
 */
#ifndef INDEXFS_MODEL_JSON_H
#define INDEXFS_MODEL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define JSON_SIZE_MAX ((size_t)4 << 20)
#define JSON_DEPTH_MAX 64
#define JSON_TOKENS_MAX ((size_t)1 << 20) /* bounds the tree that cJSON makes while it judges */

struct json_span {
	size_t start, end;
};

struct json_text {
	const char *bytes; /* bytes[len] is a NUL: cJSON 1.7.15 reads one byte too far */
	size_t len;
	enum error_kind kind; /* of the errors that it gives rise to */
};

enum json_token_type {
	JSON_END,
	JSON_BAD,
	JSON_PUNCTUATION, /* one of {}[],: */
	JSON_STRING,
	JSON_SCALAR, /* number, true, false, null */
};

struct json_token {
	enum json_token_type type;
	char mark; /* the byte that it begins with; 0 at the end */
	struct json_span span; /* a string's with its quotes; of JSON_BAD, start is the place */
	const char *problem; /* of JSON_BAD */
};

/* The token at or after offset at. */
struct json_token json_next(const struct json_text *text, size_t at);

static inline bool json_token_opens(struct json_token token)
{
	return token.mark == '{' || token.mark == '[';
}

static inline bool json_token_closes(struct json_token token)
{
	return token.mark == '}' || token.mark == ']';
}

/* Refuses what isn't exactly one JSON value: whatever RFC 8259 refuses, nesting deeper than
 * JSON_DEPTH_MAX, too many tokens. The readers below want a text that passed. */
int json_check(const struct json_text *text, struct error *err);

/* Fails with text->kind and "line L, column C: " (from 1, in characters) before the message. */
int json_error(const struct json_text *text, size_t at, struct error *err, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* For a failed buf call: ERROR_MEMORY, or ERROR_TOO_LARGE for its ceiling. */
int json_buf_error(struct error *err);

/* Where the text's one value stands, without the white space around it. */
struct json_span json_root(const struct json_text *text);

/* The value at or after offset at. */
struct json_span json_value_at(const struct json_text *text, size_t at);

struct json_member {
	char *name; /* decoded */
	struct json_span key, value;
};

struct json_object {
	struct json_span span; /* with its braces */
	struct json_member *members;
	size_t count;
};

#define JSON_OBJECT_INIT                                                                           \
	{                                                                                          \
		.members = NULL                                                                    \
	}

/* Reads the object at span; fails where it's something else or has a member twice. what names it
 * in messages. */
int json_object_read(struct json_object *out, const struct json_text *text, struct json_span span,
	const char *what, struct error *err);
void json_object_clear(struct json_object *object);

/* NULL where absent. */
const struct json_member *json_object_find(const struct json_object *object, const char *name);
/* The same, and a member that is null counts as absent, as Go's readers take it. */
const struct json_member *json_object_value(
	const struct json_object *object, const struct json_text *text, const char *name);

struct json_array {
	struct json_span *items;
	size_t count;
};

#define JSON_ARRAY_INIT                                                                            \
	{                                                                                          \
		.items = NULL                                                                      \
	}

int json_array_read(struct json_array *out, const struct json_text *text, struct json_span span,
	const char *what, struct error *err);
void json_array_clear(struct json_array *array);

/* The decoded string, the caller's to free. An escaped NUL reads as U+0001: a C string can't hold
 * it, and it stays a control character that nobody takes for a good name. */
int json_string_read(char **out, const struct json_text *text, struct json_span span,
	const char *what, struct error *err);

/* A whole number from 0 to max, in plain digits. */
int json_integer_read(int64_t *out, const struct json_text *text, struct json_span span,
	int64_t max, const char *what, struct error *err);

#endif
