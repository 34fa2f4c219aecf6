#include <string.h>

#include "cleanup.h"
#include "registry/model/json_equal.h"
#include "registry/model/merge_items.h"
#include "registry/model/merge_members.h"

/* image-spec 1.1, descriptor.md "Properties". */
static const char *const content_members[] = {
	"mediaType", "digest", "size", "urls", "data", "artifactType", NULL};
static const char *const apart[] = {"annotations", NULL};

static bool same_content(const struct descriptor *a, const struct descriptor *b)
{
	return a && b && a->size == b->size && digest_equal(&a->digest, &b->digest) &&
	       strcmp(a->media_type, b->media_type) == 0;
}

enum merge_pick merge_content_pick(const struct merge_trio *trio)
{
	const struct descriptor *base = trio->side[SIDE_BASE];
	const struct descriptor *ours = trio->side[SIDE_OURS];
	const struct descriptor *theirs = trio->side[SIDE_THEIRS];

	return merge_pick(
		same_content(base, ours), same_content(base, theirs), same_content(ours, theirs));
}

static struct json_text text_of(const struct descriptor *descriptor)
{
	return descriptor
		       ? (struct json_text){descriptor->json, descriptor->json_len, ERROR_CORRUPT}
		       : (struct json_text){NULL, 0, ERROR_CORRUPT};
}

int merge_descriptor_same(
	bool *same, const struct descriptor *a, const struct descriptor *b, struct error *err)
{
	struct json_text first = text_of(a), second = text_of(b);

	*same = !a && !b;
	if (!a || !b || !same_content(a, b))
		return 0;
	return json_equal(same, &first, json_root(&first), &second, json_root(&second), err);
}

static int members_merge(struct descriptor *out, struct merge_run *run,
	const struct merge_trio *trio, enum merge_pick content, const struct merge_place *place,
	struct error *err)
{
	bool alike = same_content(trio->side[SIDE_OURS], trio->side[SIDE_THEIRS]);
	struct merge_members members = {.ignored = apart,
		.content = content_members,
		.content_pick = alike ? PICK_CLASH : content};
	cleanup_with(buf_free) struct buf text = BUF_INIT(JSON_SIZE_MAX);

	for (int side = 0; side < SIDE_COUNT; side++)
		members.sides[side] = text_of(trio->side[side]);
	if (merge_members(&text, run, &members, place, err))
		return -1;
	return text.data ? descriptor_parse(out, text.data, text.len, err)
			 : descriptor_copy(out, trio->side[SIDE_THEIRS], err);
}

int merge_descriptor(struct descriptor *out, struct merge_run *run, const struct merge_trio *trio,
	enum merge_pick content, const struct merge_place *place, struct error *err)
{
	cleanup_with(annotations_clear) struct annotations notes = ANNOTATIONS_INIT;
	const struct annotations *sides[SIDE_COUNT];

	for (int side = 0; side < SIDE_COUNT; side++)
		sides[side] = trio->side[side] ? &trio->side[side]->annotations : NULL;
	*out = (struct descriptor)DESCRIPTOR_INIT;
	if (members_merge(out, run, trio, content, place, err))
		return -1;
	if (merge_annotations(&notes, run, sides, place, err) == 0 &&
		descriptor_set_annotations(out, &notes, err) == 0)
		return 0;
	descriptor_clear(out);
	return -1;
}
