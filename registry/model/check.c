#include "registry/model/check.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "media_type.h"

int check_error(struct check *check, size_t at, const char *format, ...)
{
	char message[512];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	return json_error(&check->text, at, check->err, "%s", message);
}

static size_t path_append(struct check *check, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Returns the length of the path before. */
static size_t path_append(struct check *check, const char *format, ...)
{
	size_t before = check->path_len, room = sizeof(check->path) - before;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(check->path + before, room, format, args);
	va_end(args);
	if (len > 0)
		check->path_len += (size_t)len < room ? (size_t)len : room - 1;
	return before;
}

static bool plain_name(const char *name)
{
	for (const char *c = name; *c; c++)
		if (!isascii((unsigned char)*c) || (!isalnum((unsigned char)*c) && *c != '_'))
			return false;
	return *name != '\0';
}

static size_t path_enter_member(struct check *check, const char *name)
{
	if (!plain_name(name))
		return path_append(check, "[\"%.100s\"]", name);
	return path_append(check, "%s%s", check->path_len ? "." : "", name);
}

static void path_leave(struct check *check, size_t before)
{
	check->path_len = before;
	check->path[before] = '\0';
}

static int value_judge(
	struct check *check, const char *name, struct json_span span, check_judge *judge)
{
	size_t before = path_enter_member(check, name);

	if (judge(check, span))
		return -1;
	path_leave(check, before);
	return 0;
}

int check_member(
	struct check *check, const struct json_object *object, const struct check_rule *rule)
{
	const struct json_member *member = json_object_find(object, rule->name);

	if (member)
		return value_judge(check, rule->name, member->value, rule->judge);
	if (!rule->required)
		return 0;
	path_enter_member(check, rule->name);
	return check_error(check, object->span.start, "it is missing");
}

int check_members(struct check *check, const struct json_object *object,
	const struct check_rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (check_member(check, object, &rules[i]))
			return -1;
	return 0;
}

int check_absent(struct check *check, const struct json_object *object, const char *name,
	const char *message)
{
	const struct json_member *member = json_object_find(object, name);

	if (!member)
		return 0;
	path_enter_member(check, name);
	return check_error(check, member->key.start, "%s", message);
}

int check_items(struct check *check, struct json_span span, check_judge *judge)
{
	cleanup_with(json_array_clear) struct json_array array = JSON_ARRAY_INIT;

	if (json_array_read(&array, &check->text, span, "it", check->err))
		return -1;
	for (size_t i = 0; i < array.count; i++) {
		size_t before = path_append(check, "[%zu]", i);

		if (judge(check, array.items[i]))
			return -1;
		path_leave(check, before);
	}
	return 0;
}

int check_string_read(char **out, struct check *check, struct json_span span)
{
	return json_string_read(out, &check->text, span, "it", check->err);
}

int check_string(struct check *check, struct json_span span)
{
	cleanup_free char *string = NULL;

	return check_string_read(&string, check, span);
}

int check_strings(struct check *check, struct json_span span)
{
	return check_items(check, span, check_string);
}

int check_media_type(struct check *check, struct json_span span)
{
	cleanup_free char *type = NULL;

	if (check_string_read(&type, check, span))
		return -1;
	if (!media_type_valid(type))
		return check_error(check, span.start, "\"%.128s\" is not a media type", type);
	return 0;
}

/* annotations.md, "Rules": that no key stands twice has been judged. */
int check_annotations(struct check *check, struct json_span span)
{
	cleanup_with(json_object_clear) struct json_object object = JSON_OBJECT_INIT;

	if (json_object_read(&object, &check->text, span, "it", check->err))
		return -1;
	for (size_t i = 0; i < object.count; i++)
		if (value_judge(
			    check, object.members[i].name, object.members[i].value, check_string))
			return -1;
	return 0;
}

/* json_object_read() refuses what stands twice; the depth is bounded by json_check(). */
static int check_tree(struct check *check, struct json_span span)
{
	cleanup_with(json_object_clear) struct json_object object = JSON_OBJECT_INIT;
	char mark = check->text.bytes[span.start];

	if (mark == '[')
		return check_items(check, span, check_tree);
	if (mark != '{')
		return 0;
	if (json_object_read(&object, &check->text, span, "it", check->err))
		return -1;
	for (size_t i = 0; i < object.count; i++)
		if (value_judge(check, object.members[i].name, object.members[i].value, check_tree))
			return -1;
	return 0;
}

int check_run(const char *json, size_t len, check_judge *judge, struct error *err)
{
	struct check check = {.text = {.len = len, .kind = ERROR_INVALID}, .err = err};
	cleanup_free char *copy = NULL;
	struct json_span root;

	if (len > JSON_SIZE_MAX)
		return error_set(err, ERROR_TOO_LARGE, "it has %zu bytes, more than %zu MiB", len,
			JSON_SIZE_MAX >> 20);
	copy = malloc(len + 1);
	if (!copy)
		return error_set_memory(err);
	memcpy(copy, json, len);
	copy[len] = '\0';
	check.text.bytes = copy;
	if (json_check(&check.text, err))
		return -1;
	root = json_root(&check.text);
	if (check_tree(&check, root) == 0 && judge(&check, root) == 0)
		return 0;
	return check.path_len ? error_prefix(err, "%s", check.path) : -1;
}
