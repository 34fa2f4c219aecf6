#include "registry/model/merge_document.h"

#include "cleanup.h"
#include "registry/model/merge_members.h"

/* What the document with this text is read as: its own word counts, else that of theirs. *out is
 * NULL or borrowed. */
static int served_type(
	const char **out, const struct buf *text, const struct document *theirs, struct error *err)
{
	struct json_text json = {text->data, text->len, ERROR_CORRUPT};
	cleanup_with(json_object_clear) struct json_object object = JSON_OBJECT_INIT;

	if (json_object_read(&object, &json, json_root(&json), "a document", err))
		return -1;
	*out = json_object_value(&object, &json, "mediaType") ? NULL : theirs->media_type;
	return 0;
}

static int members_merge(struct document *out, struct merge_run *run,
	const struct merge_documents *documents, const struct merge_place *place, struct error *err)
{
	static const char *const apart[] = {"manifests", "layers", "config", "annotations", NULL};
	const struct document *theirs = documents->side[SIDE_THEIRS];
	struct merge_members members = {.ignored = apart};
	cleanup_with(buf_free) struct buf text = BUF_INIT(DOCUMENT_SIZE_MAX);
	const char *served;

	for (int side = 0; side < SIDE_COUNT; side++) {
		const struct document *document = documents->side[side];

		if (side != SIDE_BASE || document)
			members.sides[side] = (struct json_text){
				document->json, document->json_len, ERROR_CORRUPT};
	}
	if (merge_members(&text, run, &members, place, err))
		return -1;
	if (!text.data)
		return document_copy(out, theirs, err);
	if (served_type(&served, &text, theirs, err))
		return -1;
	return document_parse(out, served, text.data, text.len, err);
}

int merge_document(struct document *out, struct merge_run *run,
	const struct merge_documents *documents, const struct merge_place *place, struct error *err)
{
	cleanup_with(annotations_clear) struct annotations notes = ANNOTATIONS_INIT;
	const struct annotations *sides[SIDE_COUNT];

	for (int side = 0; side < SIDE_COUNT; side++)
		sides[side] = side == SIDE_BASE && !documents->side[side]
				      ? NULL
				      : &documents->side[side]->annotations;
	*out = (struct document)DOCUMENT_INIT;
	if (members_merge(out, run, documents, place, err))
		return -1;
	if (merge_annotations(&notes, run, sides, place, err) == 0 &&
		document_set_annotations(out, &notes, err) == 0)
		return 0;
	document_clear(out);
	return -1;
}
