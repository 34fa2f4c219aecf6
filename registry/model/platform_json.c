#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "json_text.h"
#include "registry/model/array.h"
#include "registry/model/descriptor_json.h"

/* The string, NULL where there is none or something that isn't one. */
static int field_read(char **out, const struct json_text *text, const struct json_object *object,
	const char *name, struct error *err)
{
	const struct json_member *member = json_object_find(object, name);

	*out = NULL;
	if (!member || text->bytes[member->value.start] != '"')
		return 0;
	return json_string_read(out, text, member->value, name, err);
}

static int required_read(char **out, const struct json_text *text, const struct json_object *object,
	const char *name, struct error *err)
{
	if (field_read(out, text, object, name, err))
		return -1;
	if (!*out)
		*out = strdup("");
	return *out ? 0 : error_set_memory(err);
}

static int optional_read(char **out, const struct json_text *text, const struct json_object *object,
	const char *name, struct error *err)
{
	if (field_read(out, text, object, name, err))
		return -1;
	if (*out && !**out) {
		free(*out);
		*out = NULL;
	}
	return 0;
}

static int features_read(struct platform *out, const struct json_text *text,
	const struct json_object *object, struct error *err)
{
	const struct json_member *member = json_object_value(object, text, "os.features");
	cleanup_with(json_array_clear) struct json_array array = JSON_ARRAY_INIT;

	if (!member)
		return 0;
	if (json_array_read(&array, text, member->value, "os.features", err))
		return -1;
	out->os_features = calloc(array.count + 1, sizeof(*out->os_features));
	if (!out->os_features)
		return error_set_memory(err);
	for (size_t i = 0; i < array.count; i++) {
		if (json_string_read(
			    &out->os_features[i], text, array.items[i], "an OS feature", err))
			return -1;
		out->os_feature_count++;
	}
	return 0;
}

int platform_read(struct platform *out, const struct json_text *text, struct json_span span,
	struct error *err)
{
	cleanup_with(json_object_clear) struct json_object object = JSON_OBJECT_INIT;

	*out = (struct platform)PLATFORM_INIT;
	if (json_object_read(&object, text, span, "platform", err))
		return -1;
	if (required_read(&out->os, text, &object, "os", err) ||
		required_read(&out->architecture, text, &object, "architecture", err) ||
		optional_read(&out->variant, text, &object, "variant", err) ||
		optional_read(&out->os_version, text, &object, "os.version", err) ||
		features_read(out, text, &object, err)) {
		platform_clear(out);
		return -1;
	}
	return 0;
}

int platform_field_edit(struct json_edit *edit, const char *name, const char *now, const char *want,
	struct error *err)
{
	if (want && now && strcmp(now, want) == 0)
		return 0;
	if (want && *want)
		return json_edit_set_string(edit, name, want, err);
	if (now)
		json_edit_remove(edit, name);
	return 0;
}

static bool features_equal(const struct platform *a, const struct platform *b)
{
	if (a->os_feature_count != b->os_feature_count)
		return false;
	for (size_t i = 0; i < a->os_feature_count; i++)
		if (strcmp(a->os_features[i], b->os_features[i]) != 0)
			return false;
	return true;
}

int platform_features_edit(struct json_edit *edit, const struct platform *now,
	const struct platform *want, struct error *err)
{
	cleanup_with(buf_free) struct buf array = BUF_INIT(JSON_SIZE_MAX);
	cleanup_with(buf_free) struct buf set = BUF_INIT(JSON_SIZE_MAX);
	struct json_text text = {.kind = ERROR_INVALID};

	if (features_equal(now, want))
		return 0;
	if (want->os_feature_count == 0) {
		json_edit_remove(edit, "os.features");
		return 0;
	}
	for (size_t i = 0; i < want->os_feature_count; i++) {
		if (buf_append(&array, i ? "," : "[", 1))
			return json_buf_error(err);
		if (json_string_write(&array, want->os_features[i], err))
			return -1;
	}
	if (buf_append(&array, "]", 1))
		return json_buf_error(err);
	text.bytes = array.data;
	text.len = array.len;
	if (json_layout(&set, &text, json_root(&text), &edit->style, edit->level + 1))
		return json_buf_error(err);
	return json_edit_set(edit, "os.features", set.data, set.len, err);
}

/* In the order of Go's struct, which most tools write. */
int platform_edit(struct json_edit *edit, const struct platform *now, const struct platform *want,
	struct error *err)
{
	static const struct platform none = PLATFORM_INIT;
	cleanup_with(json_edit_close) struct json_edit inner = JSON_EDIT_INIT;
	cleanup_with(buf_free) struct buf text = BUF_INIT(JSON_SIZE_MAX);

	if (!now)
		now = &none;
	if (json_edit_open_member(&inner, edit, "platform", err) ||
		platform_field_edit(
			&inner, "architecture", now->architecture, want->architecture, err) ||
		platform_field_edit(&inner, "os", now->os, want->os, err) ||
		platform_field_edit(&inner, "os.version", now->os_version, want->os_version, err) ||
		platform_features_edit(&inner, now, want, err) ||
		platform_field_edit(&inner, "variant", now->variant, want->variant, err) ||
		json_edit_write(&inner, &text, err))
		return -1;
	return json_edit_set(edit, "platform", text.data, text.len, err);
}
