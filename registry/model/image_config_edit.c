/*
 * image_config_edit.c - image configs from nothing and from others.
 */
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "image_config.h"
#include "registry/model/descriptor_json.h"

static int platform_members_edit(struct json_edit *edit, const struct platform *now,
	const struct platform *want, struct error *err)
{
	if (platform_field_edit(edit, "architecture", now->architecture, want->architecture, err) ||
		platform_field_edit(edit, "os", now->os, want->os, err) ||
		platform_field_edit(edit, "os.version", now->os_version, want->os_version, err) ||
		platform_field_edit(edit, "variant", now->variant, want->variant, err))
		return -1;
	return platform_features_edit(edit, now, want, err);
}

static int diff_ids_write(struct buf *out, const struct json_edit *rootfs,
	const struct digest *diff_ids, size_t count, struct error *err)
{
	cleanup_with(buf_free) struct buf array = BUF_INIT(JSON_SIZE_MAX);
	struct json_text text = {.kind = ERROR_INVALID};

	if (buf_append(&array, "[", 1))
		return json_buf_error(err);
	for (size_t i = 0; i < count; i++)
		if (buf_printf(&array, "%s\"%s\"", i ? "," : "", diff_ids[i].text))
			return json_buf_error(err);
	if (buf_append(&array, "]", 1))
		return json_buf_error(err);
	text.bytes = array.data;
	text.len = array.len;
	if (json_layout(out, &text, json_root(&text), &rootfs->style, rootfs->level + 1))
		return json_buf_error(err);
	return 0;
}

static int rootfs_edit(
	struct json_edit *edit, const struct digest *diff_ids, size_t count, struct error *err)
{
	cleanup_with(json_edit_close) struct json_edit rootfs = JSON_EDIT_INIT;
	cleanup_with(buf_free) struct buf array = BUF_INIT(JSON_SIZE_MAX);
	cleanup_with(buf_free) struct buf text = BUF_INIT(JSON_SIZE_MAX);

	if (json_edit_open_member(&rootfs, edit, "rootfs", err))
		return -1;
	if (!json_object_value(&rootfs.object, &rootfs.text, "type") &&
		json_edit_set_string(&rootfs, "type", "layers", err))
		return -1;
	if (diff_ids_write(&array, &rootfs, diff_ids, count, err) ||
		json_edit_set(&rootfs, "diff_ids", array.data, array.len, err) ||
		json_edit_write(&rootfs, &text, err))
		return -1;
	return json_edit_set(edit, "rootfs", text.data, text.len, err);
}

/* What a config says of the two things that are set here. */
struct known {
	struct platform platform;
	struct digest *diff_ids;
	size_t count;
};

static void known_clear(struct known *known)
{
	platform_clear(&known->platform);
	free(known->diff_ids);
}

static bool diff_ids_equal(const struct known *now, const struct digest *want, size_t count)
{
	if (now->count != count || !now->diff_ids)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!digest_equal(&now->diff_ids[i], &want[i]))
			return false;
	return true;
}

static int config_edit(struct json_edit *edit, const struct known *now,
	const struct platform *platform, const struct digest *diff_ids, size_t count,
	struct error *err)
{
	if (platform_members_edit(edit, &now->platform, platform, err))
		return -1;
	if (diff_ids_equal(now, diff_ids, count))
		return 0;
	if (now->count != count)
		json_edit_remove(edit, "history");
	return rootfs_edit(edit, diff_ids, count, err);
}

/* Where a config says of no platform, or of half of one, none of it stays. */
static void platform_members_remove(struct json_edit *edit)
{
	static const char *const members[] = {
		"architecture", "os", "os.version", "variant", "os.features"};

	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		json_edit_remove(edit, members[i]);
}

int image_config_create(struct buf *out, const struct platform *platform,
	const struct digest *diff_ids, size_t count, enum document_style style, struct error *err)
{
	static const struct json_style compact = JSON_STYLE_COMPACT, pretty = JSON_STYLE_PRETTY;
	static const struct known nothing = {.platform = PLATFORM_INIT};
	cleanup_with(json_edit_close) struct json_edit edit = JSON_EDIT_INIT;

	if (json_edit_open(&edit, "{}", 2, err))
		return -1;
	edit.style = style == DOCUMENT_PRETTY ? pretty : compact;
	if (config_edit(&edit, &nothing, platform, diff_ids, count, err))
		return -1;
	return json_edit_write_text(&edit, out, err);
}

int image_config_edit(struct buf *out, const char *json, size_t len,
	const struct platform *platform, const struct digest *diff_ids, size_t count,
	struct error *err)
{
	cleanup_with(json_edit_close) struct json_edit edit = JSON_EDIT_INIT;
	cleanup_with(known_clear) struct known now = {.diff_ids = NULL};
	cleanup_free char *copy = NULL;

	/* What reading takes has passed json_check(). */
	if (image_config_diff_ids(&now.diff_ids, &now.count, json, len, err))
		return -1;
	copy = strndup(json, len);
	if (!copy)
		return error_set_memory(err);
	if (json_edit_open(&edit, copy, len, err))
		return -1;
	if (!image_config_platform(&now.platform, json, len))
		platform_members_remove(&edit);
	if (config_edit(&edit, &now, platform, diff_ids, count, err))
		return -1;
	return json_edit_write_text(&edit, out, err);
}
