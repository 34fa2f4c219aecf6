#include "document_check.h"

#include <stdint.h>
#include <strings.h>

#include "cleanup.h"
#include "document.h"
#include "media_type.h"
#include "registry/model/check.h"

static int check_schema_version(struct check *check, struct json_span span)
{
	int64_t version;

	if (json_integer_read(&version, &check->text, span, INT32_MAX, "it", check->err))
		return -1;
	return version == 2 ? 0 : check_error(check, span.start, "it must be 2");
}

static int check_document_type(struct check *check, struct json_span span)
{
	cleanup_free char *type = NULL;

	if (check_media_type(check, span) || check_string_read(&type, check, span))
		return -1;
	if (!media_type_is_index(type) && !media_type_is_manifest(type))
		return check_error(
			check, span.start, "\"%.128s\" is neither an index nor a manifest", type);
	return 0;
}

static int check_descriptors(struct check *check, struct json_span span)
{
	cleanup_with(json_array_clear) struct json_array array = JSON_ARRAY_INIT;

	if (json_array_read(&array, &check->text, span, "it", check->err))
		return -1;
	if (array.count > DOCUMENT_ITEMS_MAX)
		return check_error(
			check, span.start, "%zu are more than %d", array.count, DOCUMENT_ITEMS_MAX);
	return check_items(check, span, check_descriptor);
}

static int check_manifest_type(struct check *check, struct json_span span)
{
	cleanup_free char *type = NULL;

	if (check_string_read(&type, check, span))
		return -1;
	if (!media_type_is_index(type) && !media_type_is_manifest(type))
		return check_error(check, span.start,
			"a subject is a manifest or an index, not \"%.128s\"", type);
	return 0;
}

/* "A descriptor of another manifest". */
static int check_subject(struct check *check, struct json_span span)
{
	static const struct check_rule type = {"mediaType", true, check_manifest_type};
	cleanup_with(json_object_clear) struct json_object object = JSON_OBJECT_INIT;

	if (check_descriptor(check, span) ||
		json_object_read(&object, &check->text, span, "it", check->err))
		return -1;
	return check_member(check, &object, &type);
}

static const struct check_rule common_rules[] = {
	{"schemaVersion", true, check_schema_version},
	{"mediaType", false, check_document_type},
	{"artifactType", false, check_media_type},
	{"subject", false, check_subject},
	{"annotations", false, check_annotations},
};

static bool type_is_empty(const struct check *check, const struct json_object *object)
{
	const struct json_member *member = json_object_find(object, "mediaType");
	cleanup_free char *type = NULL;

	return member &&
	       json_string_read(&type, &check->text, member->value, "mediaType", NULL) == 0 &&
	       strcasecmp(type, MEDIA_TYPE_EMPTY) == 0;
}

/* manifest.md, "artifactType": an empty config says nothing of what the manifest is. */
static int artifact_type_needed(struct check *check, const struct json_object *object)
{
	static const struct check_rule type = {"artifactType", true, check_media_type};
	const struct json_member *member = json_object_find(object, "config");
	cleanup_with(json_object_clear) struct json_object config = JSON_OBJECT_INIT;

	if (json_object_read(&config, &check->text, member->value, "it", check->err))
		return -1;
	return type_is_empty(check, &config) ? check_member(check, object, &type) : 0;
}

static int index_check(struct check *check, const struct json_object *object)
{
	static const struct check_rule manifests = {"manifests", true, check_descriptors};

	if (check_absent(check, object, "layers", "an index has no layers") ||
		check_absent(check, object, "config", "an index has no config"))
		return -1;
	return check_member(check, object, &manifests);
}

static int manifest_check(struct check *check, const struct json_object *object)
{
	static const struct check_rule rules[] = {
		{"config", true, check_descriptor},
		{"layers", true, check_descriptors},
	};

	if (check_absent(check, object, "manifests", "a manifest has no manifests") ||
		check_members(check, object, rules, sizeof(rules) / sizeof(*rules)))
		return -1;
	return artifact_type_needed(check, object);
}

/* What it calls itself, else by its members. */
static bool is_index(const struct check *check, const struct json_object *object)
{
	const struct json_member *member = json_object_find(object, "mediaType");
	cleanup_free char *type = NULL;

	if (!member || json_string_read(&type, &check->text, member->value, "mediaType", NULL))
		return !json_object_find(object, "layers") && !json_object_find(object, "config");
	return media_type_is_index(type);
}

static int check_any(struct check *check, struct json_span span, enum document_expected expected)
{
	cleanup_with(json_object_clear) struct json_object object = JSON_OBJECT_INIT;
	bool index;

	if (json_object_read(&object, &check->text, span, "a document", check->err) ||
		check_members(
			check, &object, common_rules, sizeof(common_rules) / sizeof(*common_rules)))
		return -1;
	index = is_index(check, &object);
	if (expected == DOCUMENT_ONLY_INDEX && !index)
		return check_error(check, span.start, "it is a manifest, not an index");
	if (expected == DOCUMENT_ONLY_MANIFEST && index)
		return check_error(check, span.start, "it is an index, not a manifest");
	return index ? index_check(check, &object) : manifest_check(check, &object);
}

static int check_either(struct check *check, struct json_span span)
{
	return check_any(check, span, DOCUMENT_EITHER);
}

static int check_index(struct check *check, struct json_span span)
{
	return check_any(check, span, DOCUMENT_ONLY_INDEX);
}

static int check_manifest(struct check *check, struct json_span span)
{
	return check_any(check, span, DOCUMENT_ONLY_MANIFEST);
}

int document_check(const char *json, size_t len, enum document_expected expected, struct error *err)
{
	static check_judge *const judges[] = {
		[DOCUMENT_EITHER] = check_either,
		[DOCUMENT_ONLY_INDEX] = check_index,
		[DOCUMENT_ONLY_MANIFEST] = check_manifest,
	};

	return check_run(json, len, judges[expected], err);
}
