#include "image_config.h"

#include <cjson/cJSON.h>
#include <string.h>
#include <strings.h>

#include "media_type.h"

bool media_type_is_image_config(const char *media_type)
{
	return !strcasecmp(media_type, MEDIA_TYPE_IMAGE_CONFIG) ||
	       !strcasecmp(media_type, MEDIA_TYPE_DOCKER_CONFIG);
}

static char *member(const cJSON *object, const char *name)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);

	if (!cJSON_IsString(value) || !*value->valuestring)
		return NULL;
	return value->valuestring;
}

bool image_config_platform(struct platform *out, const char *json, size_t len)
{
	cJSON *config = cJSON_ParseWithLength(json, len);
	struct platform borrowed = {
		.os = member(config, "os"),
		.architecture = member(config, "architecture"),
		.variant = member(config, "variant"),
		.os_version = member(config, "os.version"),
	};
	bool found = borrowed.os && borrowed.architecture && !platform_copy(out, &borrowed, NULL);

	cJSON_Delete(config);
	return found;
}
