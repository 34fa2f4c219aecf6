#include "image_config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cleanup.h"
#include "media_type.h"
#include "registry/model/descriptor_json.h"

bool media_type_is_image_config(const char *media_type)
{
	return !strcasecmp(media_type, MEDIA_TYPE_IMAGE_CONFIG) ||
	       !strcasecmp(media_type, MEDIA_TYPE_DOCKER_CONFIG);
}

/* Copies the text, so that a NUL is after it, and judges the copy, which is the caller's. */
static int text_take(
	struct json_text *out, char **copy, const char *json, size_t len, struct error *err)
{
	*out = (struct json_text){.len = len, .kind = ERROR_CORRUPT};
	*copy = NULL;
	if (len > JSON_SIZE_MAX)
		return error_set(err, ERROR_TOO_LARGE, "a config of %zu bytes", len);
	*copy = malloc(len + 1);
	if (!*copy)
		return error_set_memory(err);
	memcpy(*copy, json, len);
	(*copy)[len] = '\0';
	out->bytes = *copy;
	return json_check(out, err);
}

bool image_config_platform(struct platform *out, const char *json, size_t len)
{
	cleanup_free char *copy = NULL;
	struct json_text text;

	*out = (struct platform)PLATFORM_INIT;
	if (text_take(&text, &copy, json, len, NULL) ||
		platform_read(out, &text, json_root(&text), NULL))
		return false;
	if (*out->os && *out->architecture)
		return true;
	platform_clear(out);
	return false;
}

static int diff_id_read(
	struct digest *out, const struct json_text *text, struct json_span span, struct error *err)
{
	cleanup_free char *digest = NULL;

	if (json_string_read(&digest, text, span, "a diff_id", err))
		return -1;
	if (!digest_parse(out, digest))
		return json_error(text, span.start, err, "\"%.128s\" is not a digest", digest);
	return 0;
}

/* The array that is the member diff_ids of the object rootfs. */
static int diff_ids_read(struct digest **out, size_t *count, const struct json_text *text,
	const struct json_object *rootfs, struct error *err)
{
	const struct json_member *member = json_object_value(rootfs, text, "diff_ids");
	cleanup_with(json_array_clear) struct json_array array = JSON_ARRAY_INIT;
	cleanup_free struct digest *digests = NULL;

	if (!member)
		return 0;
	if (json_array_read(&array, text, member->value, "diff_ids", err))
		return -1;
	digests = calloc(array.count + 1, sizeof(*digests));
	if (!digests)
		return error_set_memory(err);
	for (size_t i = 0; i < array.count; i++)
		if (diff_id_read(&digests[i], text, array.items[i], err))
			return -1;
	*out = steal_ptr(digests);
	*count = array.count;
	return 0;
}

int image_config_diff_ids(
	struct digest **out, size_t *count, const char *json, size_t len, struct error *err)
{
	cleanup_with(json_object_clear) struct json_object object = JSON_OBJECT_INIT;
	cleanup_with(json_object_clear) struct json_object rootfs = JSON_OBJECT_INIT;
	const struct json_member *member;
	cleanup_free char *copy = NULL;
	struct json_text text;

	*out = NULL;
	*count = 0;
	if (text_take(&text, &copy, json, len, err) ||
		json_object_read(&object, &text, json_root(&text), "an image config", err))
		return -1;
	member = json_object_value(&object, &text, "rootfs");
	if (!member)
		return 0;
	if (json_object_read(&rootfs, &text, member->value, "rootfs", err))
		return -1;
	return diff_ids_read(out, count, &text, &rootfs, err);
}
