#include "descriptor.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "registry/model/annotations_json.h"
#include "registry/model/descriptor_json.h"

void descriptor_clear(struct descriptor *descriptor)
{
	free(descriptor->media_type);
	free(descriptor->artifact_type);
	platform_clear(&descriptor->platform);
	annotations_clear(&descriptor->annotations);
	free(descriptor->json);
	*descriptor = (struct descriptor)DESCRIPTOR_INIT;
}

/* The member that image-spec 1.1, descriptor.md "Properties" requires. */
static const struct json_member *required_find(const struct json_object *object,
	const struct json_text *text, const char *name, const char *what, struct error *err)
{
	const struct json_member *member = json_object_find(object, name);

	if (!member)
		json_error(text, object->span.start, err, "%s has no %s", what, name);
	return member;
}

int type_read(char **out, const struct json_text *text, struct json_span span, const char *what,
	struct error *err)
{
	cleanup_free char *type = NULL;

	*out = NULL;
	if (json_string_read(&type, text, span, what, err))
		return -1;
	if (!*type)
		return json_error(text, span.start, err, "%s is empty", what);
	for (const char *c = type; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return json_error(
				text, span.start, err, "%s has a control character", what);
	*out = steal_ptr(type);
	return 0;
}

static int digest_read(
	struct digest *out, const struct json_text *text, struct json_span span, struct error *err)
{
	cleanup_free char *digest = NULL;

	if (json_string_read(&digest, text, span, "digest", err))
		return -1;
	if (!digest_parse(out, digest))
		return json_error(text, span.start, err, "\"%.128s\" is not a digest", digest);
	return 0;
}

static int content_read(struct descriptor *out, const struct json_text *text,
	const struct json_object *object, const char *what, struct error *err)
{
	const struct json_member *type, *digest, *size;

	type = required_find(object, text, "mediaType", what, err);
	if (!type || type_read(&out->media_type, text, type->value, "mediaType", err))
		return -1;
	digest = required_find(object, text, "digest", what, err);
	if (!digest || digest_read(&out->digest, text, digest->value, err))
		return -1;
	size = required_find(object, text, "size", what, err);
	if (!size)
		return -1;
	return json_integer_read(&out->size, text, size->value, DESCRIPTOR_SIZE_MAX, "size", err);
}

static int options_read(struct descriptor *out, const struct json_text *text,
	const struct json_object *object, struct error *err)
{
	const struct json_member *type = json_object_value(object, text, "artifactType");
	const struct json_member *platform = json_object_value(object, text, "platform");
	const struct json_member *annotations = json_object_value(object, text, "annotations");

	if (type && json_string_read(&out->artifact_type, text, type->value, "artifactType", err))
		return -1;
	if (platform && platform_read(&out->platform, text, platform->value, err))
		return -1;
	out->has_platform = platform != NULL;
	if (!annotations)
		return 0;
	return annotations_read(&out->annotations, text, annotations->value, "annotations", err);
}

static int members_read(struct descriptor *out, const struct json_text *text, struct json_span span,
	const char *what, struct error *err)
{
	cleanup_with(json_object_clear) struct json_object object = JSON_OBJECT_INIT;

	if (json_object_read(&object, text, span, what, err) ||
		content_read(out, text, &object, what, err) ||
		options_read(out, text, &object, err))
		return -1;
	out->json_len = span.end - span.start;
	out->json = strndup(text->bytes + span.start, out->json_len);
	return out->json ? 0 : error_set_memory(err);
}

int descriptor_read(struct descriptor *out, const struct json_text *text, struct json_span span,
	const char *what, struct error *err)
{
	*out = (struct descriptor)DESCRIPTOR_INIT;
	if (members_read(out, text, span, what, err) == 0)
		return 0;
	descriptor_clear(out);
	return -1;
}

int descriptor_parse(struct descriptor *out, const char *json, size_t len, struct error *err)
{
	struct json_text text = {.len = len, .kind = ERROR_CORRUPT};
	cleanup_free char *copy = NULL;

	*out = (struct descriptor)DESCRIPTOR_INIT;
	if (len > JSON_SIZE_MAX)
		return error_set(err, ERROR_TOO_LARGE, "a descriptor of %zu bytes", len);
	copy = malloc(len + 1);
	if (!copy)
		return error_set_memory(err);
	memcpy(copy, json, len);
	copy[len] = '\0';
	text.bytes = copy;
	if (json_check(&text, err))
		return -1;
	return descriptor_read(out, &text, json_root(&text), "a descriptor", err);
}

static int create_text(struct buf *out, const char *media_type, const struct digest *digest,
	int64_t size, struct error *err)
{
	if (buf_append_text(out, "{\"mediaType\":"))
		return json_buf_error(err);
	if (json_string_write(out, media_type, err))
		return -1;
	if (buf_printf(out, ",\"digest\":\"%s\",\"size\":%lld}", digest->text, (long long)size))
		return json_buf_error(err);
	return 0;
}

int descriptor_create(struct descriptor *out, const char *media_type, const struct digest *digest,
	int64_t size, struct error *err)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(JSON_SIZE_MAX);

	*out = (struct descriptor)DESCRIPTOR_INIT;
	if (create_text(&text, media_type, digest, size, err))
		return -1;
	return descriptor_parse(out, text.data, text.len, err);
}

static char *copy_text(const char *text)
{
	return text ? strdup(text) : NULL;
}

static int members_copy(struct descriptor *out, const struct descriptor *from, struct error *err)
{
	out->digest = from->digest;
	out->size = from->size;
	out->json_len = from->json_len;
	out->media_type = copy_text(from->media_type);
	out->artifact_type = copy_text(from->artifact_type);
	out->json = from->json ? strndup(from->json, from->json_len) : NULL;
	if (!out->media_type != !from->media_type || !out->artifact_type != !from->artifact_type ||
		!out->json != !from->json)
		return error_set_memory(err);
	if (from->has_platform && platform_copy(&out->platform, &from->platform, err))
		return -1;
	out->has_platform = from->has_platform;
	return annotations_copy(&out->annotations, &from->annotations, err);
}

int descriptor_copy(struct descriptor *out, const struct descriptor *from, struct error *err)
{
	*out = (struct descriptor)DESCRIPTOR_INIT;
	if (members_copy(out, from, err) == 0)
		return 0;
	descriptor_clear(out);
	return -1;
}
