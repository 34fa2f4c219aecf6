#include <string.h>

#include "cleanup.h"
#include "descriptor.h"
#include "registry/model/annotations_json.h"
#include "registry/model/descriptor_json.h"

/* Makes the descriptor what the edit says; on failure it stays what it was. */
static int edit_adopt(struct descriptor *descriptor, struct json_edit *edit, struct error *err)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(JSON_SIZE_MAX);
	struct descriptor edited;

	if (json_edit_write_text(edit, &text, err))
		return -1;
	if (text.len == descriptor->json_len && memcmp(text.data, descriptor->json, text.len) == 0)
		return 0;
	if (descriptor_parse(&edited, text.data, text.len, err))
		return -1;
	descriptor_clear(descriptor);
	*descriptor = edited;
	return 0;
}

static int size_set(struct json_edit *edit, int64_t size, struct error *err)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(JSON_SIZE_MAX);

	if (buf_printf(&text, "%lld", (long long)size))
		return json_buf_error(err);
	return json_edit_set(edit, "size", text.data, text.len, err);
}

int descriptor_set_content(struct descriptor *descriptor, const char *media_type,
	const struct digest *digest, int64_t size, struct error *err)
{
	cleanup_with(json_edit_close) struct json_edit edit = JSON_EDIT_INIT;
	bool same_type = strcmp(descriptor->media_type, media_type) == 0;
	bool same_digest = digest_equal(&descriptor->digest, digest);

	if (same_type && same_digest && descriptor->size == size)
		return 0;
	if (json_edit_open(&edit, descriptor->json, descriptor->json_len, err))
		return -1;
	if (!same_type && json_edit_set_string(&edit, "mediaType", media_type, err))
		return -1;
	if (!same_digest && json_edit_set_string(&edit, "digest", digest->text, err))
		return -1;
	if (descriptor->size != size && size_set(&edit, size, err))
		return -1;
	json_edit_remove(&edit, "data");
	json_edit_remove(&edit, "urls");
	return edit_adopt(descriptor, &edit, err);
}

int descriptor_set_artifact_type(
	struct descriptor *descriptor, const char *artifact_type, struct error *err)
{
	cleanup_with(json_edit_close) struct json_edit edit = JSON_EDIT_INIT;
	const char *now = descriptor->artifact_type;

	if (now == artifact_type || (now && artifact_type && strcmp(now, artifact_type) == 0))
		return 0;
	if (json_edit_open(&edit, descriptor->json, descriptor->json_len, err))
		return -1;
	if (!artifact_type)
		json_edit_remove(&edit, "artifactType");
	else if (json_edit_set_string(&edit, "artifactType", artifact_type, err))
		return -1;
	return edit_adopt(descriptor, &edit, err);
}

int descriptor_set_platform(
	struct descriptor *descriptor, const struct platform *platform, struct error *err)
{
	cleanup_with(json_edit_close) struct json_edit edit = JSON_EDIT_INIT;
	const struct platform *now = descriptor->has_platform ? &descriptor->platform : NULL;

	if (!platform && !now)
		return 0;
	if (platform && now && platform_equal(platform, now))
		return 0;
	if (json_edit_open(&edit, descriptor->json, descriptor->json_len, err))
		return -1;
	if (!platform)
		json_edit_remove(&edit, "platform");
	else if (platform_edit(&edit, now, platform, err))
		return -1;
	return edit_adopt(descriptor, &edit, err);
}

int descriptor_set_annotations(
	struct descriptor *descriptor, const struct annotations *want, struct error *err)
{
	cleanup_with(json_edit_close) struct json_edit edit = JSON_EDIT_INIT;

	if (annotations_equal(&descriptor->annotations, want))
		return 0;
	if (json_edit_open(&edit, descriptor->json, descriptor->json_len, err) ||
		annotations_edit(&edit, &descriptor->annotations, want, err))
		return -1;
	return edit_adopt(descriptor, &edit, err);
}
