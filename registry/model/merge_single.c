/*
 * merge_single.c - tags that are a single manifest on one side and an index on another.
 *
 * Which entry of the index a single manifest is, its digest tells, else its platform. That is in
 * its config: where the caller hasn't read it, only an index can tell.
 */
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "registry/model/merge_entries.h"

/* The text of the key of the entry of any index with this digest, or NULL. */
static const char *told_text(const struct merge_tags *tags, const struct digest *digest)
{
	static const enum merge_side order[] = {SIDE_BASE, SIDE_THEIRS, SIDE_OURS};

	for (size_t n = 0; n < SIDE_COUNT; n++) {
		const struct merge_tag *tag = &tags->side[order[n]];

		for (size_t i = 0; !tag->single && i < tag->keys.count; i++)
			if (digest_equal(&tag->items[i].digest, digest))
				return tag->texts[i];
	}
	return NULL;
}

/* Whether two single manifests are states of one entry: of one platform, as far as that is known,
 * else because the tag was a single manifest before or because they have one config. */
static bool same_entry(
	const struct merge_tags *tags, const struct merge_tag *a, const struct merge_tag *b)
{
	if (a == b)
		return true;
	if (!a->single || !b->single)
		return false;
	if (a->own && b->own)
		return strcmp(a->own, b->own) == 0;
	return tags->side[SIDE_BASE].single ||
	       digest_equal(&a->root->config.digest, &b->root->config.digest);
}

/* What tells which entry this single manifest is: NULL where nothing does. Borrowed. */
static const char *single_text(const struct merge_tags *tags, const struct merge_tag *tag)
{
	const char *text = told_text(tags, &tag->root->digest);

	for (int side = 0; !text && side < SIDE_COUNT; side++)
		if (same_entry(tags, tag, &tags->side[side]))
			text = told_text(tags, &tags->side[side].root->digest);
	for (int side = 0; !text && side < SIDE_COUNT; side++)
		if (same_entry(tags, tag, &tags->side[side]))
			text = tags->side[side].own;
	return text;
}

static bool has_index(const struct merge_tags *tags)
{
	for (int side = 0; side < SIDE_COUNT; side++)
		if (tags->side[side].root && !tags->side[side].single)
			return true;
	return false;
}

/* Whether all single manifests that there are, are states of one entry. */
static bool singles_are_one(const struct merge_tags *tags)
{
	const struct merge_tag *first = NULL;

	for (int side = 0; side < SIDE_COUNT; side++) {
		const struct merge_tag *tag = &tags->side[side];

		if (tag->single && first && !same_entry(tags, first, tag))
			return false;
		if (tag->single && !first)
			first = tag;
	}
	return true;
}

int merge_singles_identify(bool *decided, struct merge_tags *tags, struct error *err)
{
	bool alone = !has_index(tags) && singles_are_one(tags);

	*decided = true;
	for (int side = 0; side < SIDE_COUNT; side++) {
		struct merge_tag *tag = &tags->side[side];
		const char *text = tag->single ? single_text(tags, tag) : NULL;

		if (!tag->single)
			continue;
		if (!text && !alone) {
			*decided = false;
			return 0;
		}
		tag->texts[0] = strdup(text ? text : PLATFORM_ANY);
		if (!tag->texts[0])
			return error_set_memory(err);
		tag->keys.items[0] =
			(struct merge_key){tag->texts[0], tag->bare.digest.text, TWINS_NTH};
	}
	return 0;
}

static const struct descriptor *told_entry(
	const struct merge_tags *tags, const struct merge_row *row, enum merge_side side)
{
	const struct merge_tag *tag = &tags->side[side];

	return !tag->single && merge_row_has(row, side) ? &tag->items[row->at[side]] : NULL;
}

/* Makes the bare entry like another, but for its content. */
static int dress(struct merge_tag *tag, const struct descriptor *like, bool with_annotations,
	struct error *err)
{
	cleanup_with(descriptor_clear) struct descriptor entry = DESCRIPTOR_INIT;
	const struct descriptor *bare = &tag->bare;
	struct annotations none = ANNOTATIONS_INIT;
	struct descriptor dressed;

	if (descriptor_copy(&entry, like, err) ||
		descriptor_set_content(&entry, bare->media_type, &bare->digest, bare->size, err) ||
		(!with_annotations && descriptor_set_annotations(&entry, &none, err)))
		return -1;
	dressed = entry;
	entry = tag->bare;
	tag->bare = dressed;
	/* Keys point to the digest, which stays in its place. */
	tag->dressed = true;
	return 0;
}

/* A base that both sides have made an entry of an index had no annotations there. */
static int row_dress(struct merge_tags *tags, const struct merge_row *row, struct error *err)
{
	const struct descriptor *base = told_entry(tags, row, SIDE_BASE);
	const struct descriptor *ours = told_entry(tags, row, SIDE_OURS);
	const struct descriptor *theirs = told_entry(tags, row, SIDE_THEIRS);
	const struct descriptor *any = theirs ? theirs : ours;

	for (int side = 0; side < SIDE_COUNT; side++) {
		const struct descriptor *like = base ? base : any;
		bool with_annotations = side != SIDE_BASE || !ours || !theirs;

		if (like && tags->side[side].single && merge_row_has(row, (enum merge_side)side) &&
			dress(&tags->side[side], like, with_annotations, err))
			return -1;
	}
	return 0;
}

int merge_singles_dress(struct merge_tags *tags, const struct merge_rows *rows, struct error *err)
{
	for (size_t i = 0; i < rows->count; i++)
		if (row_dress(tags, &rows->items[i], err))
			return -1;
	return 0;
}
