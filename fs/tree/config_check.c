#include "fs/tree/config_check.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cleanup.h"
#include "image_config.h"
#include "json_value.h"
#include "media_type.h"
#include "platform.h"

/* RFC 6839, section 3.1. */
static bool is_json(const char *media_type)
{
	const char *suffix = strrchr(media_type, '+');

	return (suffix && !strcasecmp(suffix, "+json")) ||
	       !strcasecmp(media_type, "application/json");
}

int config_check(const struct document *manifest, const char *text, size_t len, struct error *err)
{
	const char *type = manifest->config.media_type;
	cleanup_with(json_value_freep) struct json_value *json = NULL;
	cleanup_with(platform_clear) struct platform platform = PLATFORM_INIT;
	cleanup_free struct digest *diff_ids = NULL;
	size_t count = 0;

	if (!strcasecmp(type, MEDIA_TYPE_EMPTY) && strcmp(text, EMPTY_JSON) != 0)
		return error_set(err, ERROR_INVALID,
			"the config's mediaType says that it is empty, which is {}: give it "
			"another mediaType in manifest.json first");
	if (is_json(type)) {
		json = json_value_parse(text, len, err);
		if (!json)
			return -1;
	}
	if (!media_type_is_image_config(type))
		return 0;
	if (!image_config_platform(&platform, text, len))
		return error_set(err, ERROR_INVALID,
			"an image config has to say architecture and os, as strings");
	if (image_config_diff_ids(&diff_ids, &count, text, len, err)) {
		err->kind = ERROR_INVALID;
		return -1;
	}
	if (count != manifest->count)
		return error_set(err, ERROR_INVALID,
			"rootfs.diff_ids: there are %zu, and %zu layers in the manifest", count,
			manifest->count);
	return 0;
}
