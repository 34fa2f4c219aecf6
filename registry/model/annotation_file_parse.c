#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "registry/model/annotation_file_json.h"
#include "registry/model/annotations_json.h"

static int layer_read(struct annotation_file *file, const struct json_text *text,
	const struct json_member *member, struct error *err)
{
	const char *title = member->name;
	struct annotations *layer;
	const char *own;

	if (annotation_file_dollar(title))
		title += strlen("./");
	layer = annotation_file_layer_append(file, title, err);
	if (!layer || annotations_read(layer, text, member->value, "a layer's annotations", err))
		return -1;
	own = annotations_get(layer, ANNOTATION_TITLE);
	if (own && strcmp(own, title) != 0)
		return json_error(text, member->key.start, err,
			"\"%.128s\" can't have another %s: rename the file", title,
			ANNOTATION_TITLE);
	annotations_remove(layer, ANNOTATION_TITLE);
	return 0;
}

static int part_read(struct annotation_file *file, const struct json_text *text,
	const struct json_member *member, struct error *err)
{
	struct annotations *part = NULL;

	if (strcmp(member->name, "$descriptor") == 0)
		part = &file->descriptor;
	else if (strcmp(member->name, "$manifest") == 0)
		part = &file->manifest;
	else if (strcmp(member->name, "$config") == 0)
		part = &file->config;
	if (part)
		return annotations_read(part, text, member->value, member->name, err);
	if (member->name[0] == '$')
		return json_error(text, member->key.start, err,
			"\"%.128s\" is unknown: there are $descriptor, $manifest and $config",
			member->name);
	return layer_read(file, text, member, err);
}

static bool all_strings(const struct json_object *object, const struct json_text *text)
{
	for (size_t i = 0; i < object->count; i++)
		if (text->bytes[object->members[i].value.start] != '"')
			return false;
	return true;
}

static int file_read(struct annotation_file *out, const struct json_text *text, struct error *err)
{
	cleanup_with(json_object_clear) struct json_object object = JSON_OBJECT_INIT;
	struct json_span root = json_root(text);

	if (json_object_read(&object, text, root, "the text", err))
		return -1;
	if (all_strings(&object, text))
		return annotations_read(&out->descriptor, text, root, "the text", err);
	for (size_t i = 0; i < object.count; i++)
		if (part_read(out, text, &object.members[i], err))
			return -1;
	return 0;
}

/* Where in the string token at span an escaped NUL stands; span.end where there is none. */
static size_t nul_find(const struct json_text *text, struct json_span span)
{
	size_t at = span.start;

	for (; at < span.end; at++) {
		if (text->bytes[at] != '\\')
			continue;
		if (strncmp(text->bytes + at, "\\u0000", 6) == 0)
			break;
		at++;
	}
	return at;
}

/* json_string_read() can't keep a NUL: such a draft would be published as something else. */
static int nuls_refuse(const struct json_text *text, struct error *err)
{
	struct json_token token = json_next(text, 0);

	for (; token.type != JSON_END; token = json_next(text, token.span.end)) {
		size_t at = token.type == JSON_STRING ? nul_find(text, token.span) : token.span.end;

		if (at < token.span.end)
			return json_error(text, at, err, "a NUL in a string");
	}
	return 0;
}

/* A checked copy of the text with a NUL behind it, without the byte-order mark that some editors
 * write (RFC 8259 section 8.1 allows a reader to ignore it). NULL on failure. */
static char *text_take(struct json_text *out, const char *text, size_t len, struct error *err)
{
	cleanup_free char *copy = NULL;

	if (len > ANNOTATION_FILE_MAX) {
		error_set(err, ERROR_TOO_LARGE, "%zu bytes of annotations, over %zu", len,
			ANNOTATION_FILE_MAX);
		return NULL;
	}
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	copy = malloc(len + 1);
	if (!copy) {
		error_set_memory(err);
		return NULL;
	}
	memcpy(copy, text, len);
	copy[len] = '\0';
	*out = (struct json_text){copy, len, ERROR_INVALID};
	return json_check(out, err) || nuls_refuse(out, err) ? NULL : steal_ptr(copy);
}

int annotation_file_parse(
	struct annotation_file *out, const char *text, size_t len, struct error *err)
{
	struct json_text taken;
	cleanup_free char *copy = text_take(&taken, text, len, err);

	*out = (struct annotation_file)ANNOTATION_FILE_INIT;
	if (!copy)
		return -1;
	if (file_read(out, &taken, err)) {
		annotation_file_clear(out);
		return -1;
	}
	return 0;
}

int index_annotations_parse(
	struct annotations *out, const char *text, size_t len, struct error *err)
{
	struct json_text taken;
	cleanup_free char *copy = text_take(&taken, text, len, err);

	*out = (struct annotations)ANNOTATIONS_INIT;
	if (!copy)
		return -1;
	return annotations_read(out, &taken, json_root(&taken), "the text", err);
}
