/*
 * json_read.c - spans and values of a text that json_check() has passed.
 */
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "cleanup.h"
#include "registry/model/array.h"
#include "registry/model/json.h"

struct json_span json_value_at(const struct json_text *text, size_t at)
{
	struct json_token token = json_next(text, at);
	struct json_span span = token.span;

	for (size_t depth = 0; token.type != JSON_END && token.type != JSON_BAD;
		token = json_next(text, token.span.end)) {
		depth += json_token_opens(token);
		depth -= json_token_closes(token) && depth > 0;
		span.end = token.span.end;
		if (depth == 0)
			break;
	}
	return span;
}

struct json_span json_root(const struct json_text *text)
{
	return json_value_at(text, 0);
}

static int member_add(struct json_object *object, const struct json_text *text,
	struct json_span key, struct json_span value, struct error *err)
{
	struct json_member *grown, member = {.key = key, .value = value};

	if (json_string_read(&member.name, text, key, "a key", err))
		return -1;
	grown = array_grow(object->members, object->count, sizeof(member));
	if (!grown) {
		free(member.name);
		return error_set_memory(err);
	}
	object->members = grown;
	object->members[object->count++] = member;
	return 0;
}

static int member_compare(const void *a, const void *b)
{
	const struct json_member *first = *(struct json_member *const *)a;
	const struct json_member *second = *(struct json_member *const *)b;
	int order = strcmp(first->name, second->name);

	return order ? order : first < second ? -1 : 1;
}

/* RFC 8259 section 4 leaves it open which of two equal names counts, so readers differ. */
static int duplicates_check(
	const struct json_object *object, const struct json_text *text, struct error *err)
{
	cleanup_free struct json_member **sorted = NULL;

	if (object->count < 2)
		return 0;
	sorted = malloc(object->count * sizeof(*sorted));
	if (!sorted)
		return error_set_memory(err);
	for (size_t i = 0; i < object->count; i++)
		sorted[i] = &object->members[i];
	qsort(sorted, object->count, sizeof(*sorted), member_compare);
	for (size_t i = 1; i < object->count; i++)
		if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0)
			return json_error(text, sorted[i]->key.start, err,
				"\"%.128s\" stands twice", sorted[i]->name);
	return 0;
}

static int members_read(struct json_object *out, const struct json_text *text, struct error *err)
{
	struct json_token token = json_next(text, out->span.start + 1);

	while (token.type == JSON_STRING) {
		struct json_token colon = json_next(text, token.span.end);
		struct json_span value = json_value_at(text, colon.span.end);

		if (member_add(out, text, token.span, value, err))
			return -1;
		token = json_next(text, value.end);
		if (token.mark == ',')
			token = json_next(text, token.span.end);
	}
	return duplicates_check(out, text, err);
}

int json_object_read(struct json_object *out, const struct json_text *text, struct json_span span,
	const char *what, struct error *err)
{
	*out = (struct json_object){.span = span};
	if (text->bytes[span.start] != '{')
		return json_error(text, span.start, err, "%s must be an object", what);
	if (members_read(out, text, err)) {
		json_object_clear(out);
		return -1;
	}
	return 0;
}

void json_object_clear(struct json_object *object)
{
	for (size_t i = 0; i < object->count; i++)
		free(object->members[i].name);
	free(object->members);
	*object = (struct json_object)JSON_OBJECT_INIT;
}

const struct json_member *json_object_find(const struct json_object *object, const char *name)
{
	for (size_t i = 0; i < object->count; i++)
		if (strcmp(object->members[i].name, name) == 0)
			return &object->members[i];
	return NULL;
}

const struct json_member *json_object_value(
	const struct json_object *object, const struct json_text *text, const char *name)
{
	const struct json_member *member = json_object_find(object, name);

	return member && text->bytes[member->value.start] != 'n' ? member : NULL;
}

int json_array_read(struct json_array *out, const struct json_text *text, struct json_span span,
	const char *what, struct error *err)
{
	size_t at = span.start + 1;

	*out = (struct json_array)JSON_ARRAY_INIT;
	if (text->bytes[span.start] != '[')
		return json_error(text, span.start, err, "%s must be an array", what);
	while (!json_token_closes(json_next(text, at))) {
		struct json_span *grown = array_grow(out->items, out->count, sizeof(*out->items));
		struct json_token after;

		if (!grown) {
			json_array_clear(out);
			return error_set_memory(err);
		}
		out->items = grown;
		out->items[out->count] = json_value_at(text, at);
		at = out->items[out->count++].end;
		after = json_next(text, at);
		if (after.mark == ',')
			at = after.span.end;
	}
	return 0;
}

void json_array_clear(struct json_array *array)
{
	free(array->items);
	*array = (struct json_array)JSON_ARRAY_INIT;
}

/* \u0000 to \u0001 in a string token: the same length, so nothing moves. */
static void nuls_replace(char *token)
{
	for (; *token; token++) {
		if (*token != '\\')
			continue;
		if (strncmp(token, "\\u0000", 6) == 0)
			token[5] = '1';
		token++;
	}
}

static char *string_decode(const char *token, size_t len)
{
	cleanup_free char *copy = NULL;
	char *decoded = NULL;
	cJSON *string;

	if (!memchr(token, '\\', len))
		return strndup(token + 1, len - 2);
	copy = strndup(token, len);
	if (!copy)
		return NULL;
	nuls_replace(copy);
	string = cJSON_ParseWithLength(copy, len);
	if (cJSON_IsString(string))
		decoded = strdup(string->valuestring);
	cJSON_Delete(string);
	return decoded;
}

int json_string_read(char **out, const struct json_text *text, struct json_span span,
	const char *what, struct error *err)
{
	*out = NULL;
	if (text->bytes[span.start] != '"')
		return json_error(text, span.start, err, "%s must be a string", what);
	*out = string_decode(text->bytes + span.start, span.end - span.start);
	return *out ? 0 : error_set_memory(err);
}

int json_integer_read(int64_t *out, const struct json_text *text, struct json_span span,
	int64_t max, const char *what, struct error *err)
{
	int64_t value = 0;

	for (size_t at = span.start; at < span.end; at++) {
		char digit = text->bytes[at];

		if (digit < '0' || digit > '9')
			return json_error(text, span.start, err, "%s must be a whole number", what);
		if (value > (max - (digit - '0')) / 10)
			return json_error(
				text, span.start, err, "%s is over %lld", what, (long long)max);
		value = value * 10 + (digit - '0');
	}
	*out = value;
	return 0;
}
