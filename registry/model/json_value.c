#include "json_value.h"

#include <errno.h>

#include <cjson/cJSON.h>

#include "registry/model/json.h"

/* A json_value is cJSON's node under another name. */
static const cJSON *node_of(const struct json_value *value)
{
	return (const cJSON *)value;
}

static const struct json_value *value_of(const cJSON *node)
{
	return (const struct json_value *)node;
}

struct json_value *json_value_parse(const char *text, size_t len, struct error *err)
{
	struct json_text checked = {.bytes = text, .len = len, .kind = ERROR_INVALID};
	cJSON *tree;

	if (json_check(&checked, err))
		return NULL;
	tree = cJSON_ParseWithLength(text, len);
	if (!tree)
		error_set_memory(err);
	return (struct json_value *)tree;
}

void json_value_free(struct json_value *value)
{
	int saved = errno;

	cJSON_Delete((cJSON *)value);
	errno = saved;
}

const struct json_value *json_value_member(const struct json_value *value, const char *name)
{
	return value_of(cJSON_GetObjectItemCaseSensitive(node_of(value), name));
}

const struct json_value *json_value_first(const struct json_value *value)
{
	return cJSON_IsArray(node_of(value)) ? value_of(node_of(value)->child) : NULL;
}

const struct json_value *json_value_next(const struct json_value *item)
{
	return item ? value_of(node_of(item)->next) : NULL;
}

const char *json_value_text(const struct json_value *value)
{
	return cJSON_GetStringValue(node_of(value));
}

int64_t json_value_number(const struct json_value *value, int64_t other)
{
	double number;

	if (!cJSON_IsNumber(node_of(value)))
		return other;
	number = node_of(value)->valuedouble;
	if (number >= 9223372036854775807.0)
		return INT64_MAX;
	return number <= -9223372036854775808.0 ? INT64_MIN : (int64_t)number;
}
