#include <string.h>

#include "cleanup.h"
#include "registry/model/annotations_json.h"
#include "registry/model/document_json.h"

/* Makes the document what the edit says; on failure it stays what it was. */
static int edit_adopt(struct document *document, struct json_edit *edit, struct error *err)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(DOCUMENT_SIZE_MAX);
	struct document edited;

	if (json_edit_write_text(edit, &text, err))
		return -1;
	if (text.len == document->json_len && memcmp(text.data, document->json, text.len) == 0)
		return 0;
	if (document_parse(&edited, document->media_type, text.data, text.len, err))
		return -1;
	document_clear(document);
	*document = edited;
	return 0;
}

int document_set_items(
	struct document *document, const struct descriptor *items, size_t count, struct error *err)
{
	const char *name = document_items_name(document->kind);
	cleanup_with(json_edit_close) struct json_edit edit = JSON_EDIT_INIT;
	cleanup_with(buf_free) struct buf array = BUF_INIT(DOCUMENT_SIZE_MAX);

	if (count == 0 && document->count == 0)
		return 0;
	if (json_edit_open(&edit, document->json, document->json_len, err) ||
		document_items_write(&array, &edit, name, items, count, err) ||
		json_edit_set(&edit, name, array.data, array.len, err))
		return -1;
	return edit_adopt(document, &edit, err);
}

int document_set_annotations(
	struct document *document, const struct annotations *want, struct error *err)
{
	cleanup_with(json_edit_close) struct json_edit edit = JSON_EDIT_INIT;

	if (annotations_equal(&document->annotations, want))
		return 0;
	if (json_edit_open(&edit, document->json, document->json_len, err) ||
		annotations_edit(&edit, &document->annotations, want, err))
		return -1;
	return edit_adopt(document, &edit, err);
}

static int descriptor_member_set(struct document *document, const char *name,
	const struct descriptor *descriptor, struct error *err)
{
	cleanup_with(json_edit_close) struct json_edit edit = JSON_EDIT_INIT;
	cleanup_with(buf_free) struct buf text = BUF_INIT(DOCUMENT_SIZE_MAX);
	const struct json_member *old;

	if (json_edit_open(&edit, document->json, document->json_len, err))
		return -1;
	old = json_object_value(&edit.object, &edit.text, name);
	if (!descriptor) {
		json_edit_remove(&edit, name);
		return edit_adopt(document, &edit, err);
	}
	if (document_descriptor_write(&text, &edit, old ? &old->value : NULL, descriptor, 1, err) ||
		json_edit_set(&edit, name, text.data, text.len, err))
		return -1;
	return edit_adopt(document, &edit, err);
}

int document_set_config(
	struct document *document, const struct descriptor *config, struct error *err)
{
	if (document->kind == DOCUMENT_INDEX)
		return error_set(err, ERROR_INVALID, "an index has no config");
	return descriptor_member_set(document, "config", config, err);
}

int document_set_subject(
	struct document *document, const struct descriptor *subject, struct error *err)
{
	if (!subject && !document->has_subject)
		return 0;
	return descriptor_member_set(document, "subject", subject, err);
}

int document_set_artifact_type(
	struct document *document, const char *artifact_type, struct error *err)
{
	cleanup_with(json_edit_close) struct json_edit edit = JSON_EDIT_INIT;
	const char *now = document->artifact_type;

	if (now == artifact_type || (now && artifact_type && strcmp(now, artifact_type) == 0))
		return 0;
	if (json_edit_open(&edit, document->json, document->json_len, err))
		return -1;
	if (!artifact_type)
		json_edit_remove(&edit, "artifactType");
	else if (json_edit_set_string(&edit, "artifactType", artifact_type, err))
		return -1;
	return edit_adopt(document, &edit, err);
}
