#include "document.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cleanup.h"
#include "media_type.h"
#include "registry/model/annotations_json.h"
#include "registry/model/descriptor_json.h"
#include "registry/model/document_json.h"

/* How many documents share what one was parsed into. */
struct document_shares {
	atomic_uint count;
};

static void members_free(struct document *document)
{
	free(document->media_type);
	free(document->artifact_type);
	descriptor_clear(&document->config);
	for (size_t i = 0; i < document->count; i++)
		descriptor_clear(&document->items[i]);
	free(document->items);
	descriptor_clear(&document->subject);
	annotations_clear(&document->annotations);
	free(document->json);
	free(document->shares);
}

void document_clear(struct document *document)
{
	struct document_shares *shares = document->shares;

	/* without shares it is one that couldn't be parsed to its end */
	if (!shares || atomic_fetch_sub(&shares->count, 1) == 1)
		members_free(document);
	*document = (struct document)DOCUMENT_INIT;
}

int document_copy(struct document *out, const struct document *from, struct error *err)
{
	(void)err;
	*out = (struct document)DOCUMENT_INIT;
	if (from->shares) {
		*out = *from;
		atomic_fetch_add(&out->shares->count, 1);
	}
	return 0;
}

/* Whether type, without its parameters, is name (RFC 6838 section 4.2: case doesn't count). */
static bool type_is(const char *type, const char *name)
{
	size_t len = strcspn(type, "; \t");

	return len == strlen(name) && strncasecmp(type, name, len) == 0;
}

bool media_type_is_index(const char *media_type)
{
	return type_is(media_type, MEDIA_TYPE_INDEX) || type_is(media_type, MEDIA_TYPE_DOCKER_LIST);
}

bool media_type_is_manifest(const char *media_type)
{
	return type_is(media_type, MEDIA_TYPE_MANIFEST) ||
	       type_is(media_type, MEDIA_TYPE_DOCKER_MANIFEST);
}

static bool type_known(const char *media_type)
{
	return media_type_is_index(media_type) || media_type_is_manifest(media_type);
}

const char *document_items_name(enum document_kind kind)
{
	return kind == DOCUMENT_INDEX ? "manifests" : "layers";
}

static int schema_check(
	const struct json_text *text, const struct json_object *object, struct error *err)
{
	const struct json_member *member = json_object_find(object, "schemaVersion");
	int64_t version;

	if (!member)
		return json_error(text, object->span.start, err, "there is no schemaVersion");
	if (json_integer_read(&version, text, member->value, INT32_MAX, "schemaVersion", err))
		return -1;
	if (version == 1)
		return json_error(text, member->value.start, err, "schema 1 is not supported");
	if (version != 2)
		return json_error(text, member->value.start, err, "schemaVersion must be 2");
	return 0;
}

/* A type that is no document's ("application/json", "application/octet-stream") says nothing: some
 * registries serve every document so. */
static int served_check(const struct json_text *text, const struct json_member *member,
	const char *own, const char *served, struct error *err)
{
	size_t len = served ? strcspn(served, "; \t") : 0;

	if (!type_known(own))
		return json_error(text, member->value.start, err,
			"\"%.128s\" is neither an index nor a manifest", own);
	if (served && type_known(served) &&
		(len != strcspn(own, "; \t") || strncasecmp(own, served, len) != 0))
		return json_error(text, member->value.start, err,
			"mediaType is \"%.128s\", but it was served as \"%.128s\"", own, served);
	return 0;
}

/* What it calls itself, else what it was served as; NULL where neither says. */
static int stated_type_read(char **out, const struct json_text *text,
	const struct json_object *object, const char *served, struct error *err)
{
	const struct json_member *member = json_object_value(object, text, "mediaType");
	cleanup_free char *own = NULL;

	*out = NULL;
	if (member && json_string_read(&own, text, member->value, "mediaType", err))
		return -1;
	if (own && *own) {
		if (served_check(text, member, own, served, err))
			return -1;
		*out = steal_ptr(own);
	} else if (served && type_known(served)) {
		*out = strndup(served, strcspn(served, "; \t"));
		if (!*out)
			return error_set_memory(err);
	}
	return 0;
}

/* The kind that a document without a mediaType has by its members. */
static int kind_guess(enum document_kind *out, const struct json_text *text,
	const struct json_object *object, struct error *err)
{
	bool manifests = json_object_find(object, "manifests") != NULL;
	bool layers = json_object_find(object, "layers") != NULL;

	if (!manifests && !layers)
		return json_error(
			text, object->span.start, err, "it has neither manifests nor layers");
	*out = !layers || json_object_value(object, text, "manifests") ? DOCUMENT_INDEX
								       : DOCUMENT_MANIFEST;
	return 0;
}

/* image-spec 1.1, image-index.md and manifest.md: a document that could be read as both is read
 * as neither. */
static int confusion_check(const struct json_text *text, const struct json_object *object,
	enum document_kind kind, struct error *err)
{
	static const char *const foreign[][2] = {
		[DOCUMENT_INDEX] = {"layers", "config"},
		[DOCUMENT_MANIFEST] = {"manifests", "manifests"},
	};

	for (size_t i = 0; i < 2; i++) {
		const struct json_member *member =
			json_object_value(object, text, foreign[kind][i]);

		if (member)
			return json_error(text, member->key.start, err, "%s has \"%s\"",
				kind == DOCUMENT_INDEX ? "an index" : "a manifest", member->name);
	}
	return 0;
}

static int kind_read(struct document *out, const struct json_text *text,
	const struct json_object *object, const char *served, struct error *err)
{
	if (stated_type_read(&out->media_type, text, object, served, err))
		return -1;
	if (out->media_type) {
		out->kind =
			media_type_is_index(out->media_type) ? DOCUMENT_INDEX : DOCUMENT_MANIFEST;
	} else {
		if (kind_guess(&out->kind, text, object, err))
			return -1;
		out->media_type = strdup(
			out->kind == DOCUMENT_INDEX ? MEDIA_TYPE_INDEX : MEDIA_TYPE_MANIFEST);
		if (!out->media_type)
			return error_set_memory(err);
	}
	return confusion_check(text, object, out->kind, err);
}

/* Go writes an empty array as null where nobody made it, so null is taken. */
static int items_read(struct document *out, const struct json_text *text,
	const struct json_object *object, struct error *err)
{
	const char *name = document_items_name(out->kind);
	const struct json_member *member = json_object_find(object, name);
	cleanup_with(json_array_clear) struct json_array array = JSON_ARRAY_INIT;
	char what[64];

	if (!member)
		return json_error(text, object->span.start, err, "there is no %s", name);
	if (text->bytes[member->value.start] == 'n')
		return 0;
	if (json_array_read(&array, text, member->value, name, err))
		return -1;
	if (array.count > DOCUMENT_ITEMS_MAX)
		return error_set(err, ERROR_TOO_LARGE, "%zu %s", array.count, name);
	out->items = calloc(array.count + 1, sizeof(*out->items));
	if (!out->items)
		return error_set_memory(err);
	for (size_t i = 0; i < array.count; i++) {
		snprintf(what, sizeof(what), "%s[%zu]", name, i);
		if (descriptor_read(&out->items[i], text, array.items[i], what, err))
			return -1;
		out->count++;
	}
	return 0;
}

static int config_read(struct document *out, const struct json_text *text,
	const struct json_object *object, struct error *err)
{
	const struct json_member *config = json_object_value(object, text, "config");

	if (out->kind == DOCUMENT_INDEX)
		return 0;
	if (!config)
		return json_error(text, object->span.start, err, "there is no config");
	out->has_config = true;
	return descriptor_read(&out->config, text, config->value, "config", err);
}

static int options_read(struct document *out, const struct json_text *text,
	const struct json_object *object, struct error *err)
{
	const struct json_member *type = json_object_value(object, text, "artifactType");
	const struct json_member *subject = json_object_value(object, text, "subject");
	const struct json_member *annotations = json_object_value(object, text, "annotations");

	if (type && json_string_read(&out->artifact_type, text, type->value, "artifactType", err))
		return -1;
	if (subject && descriptor_read(&out->subject, text, subject->value, "subject", err))
		return -1;
	out->has_subject = subject != NULL;
	if (!annotations)
		return 0;
	return annotations_read(&out->annotations, text, annotations->value, "annotations", err);
}

static int members_read(struct document *out, const char *served, struct error *err)
{
	struct json_text text = {out->json, out->json_len, ERROR_CORRUPT};
	cleanup_with(json_object_clear) struct json_object object = JSON_OBJECT_INIT;

	if (json_check(&text, err) ||
		json_object_read(&object, &text, json_root(&text), "a document", err) ||
		schema_check(&text, &object, err) || kind_read(out, &text, &object, served, err) ||
		config_read(out, &text, &object, err) || items_read(out, &text, &object, err))
		return -1;
	return options_read(out, &text, &object, err);
}

static int shares_make(struct document *out, struct error *err)
{
	out->shares = malloc(sizeof(*out->shares));
	if (!out->shares)
		return error_set_memory(err);
	atomic_init(&out->shares->count, 1);
	return 0;
}

int document_parse(struct document *out, const char *media_type, const char *json, size_t len,
	struct error *err)
{
	*out = (struct document)DOCUMENT_INIT;
	if (len > DOCUMENT_SIZE_MAX)
		return error_set(err, ERROR_TOO_LARGE, "a document of %zu bytes, over %zu", len,
			DOCUMENT_SIZE_MAX);
	out->json = malloc(len + 1);
	if (!out->json)
		return error_set_memory(err);
	memcpy(out->json, json, len);
	out->json[len] = '\0';
	out->json_len = len;
	digest_of_bytes(&out->digest, json, len);
	if (!digest_is_set(&out->digest)
			? error_set_memory(err)
			: members_read(out, media_type, err) || shares_make(out, err)) {
		document_clear(out);
		return -1;
	}
	return 0;
}
