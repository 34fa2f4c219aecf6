/*
 * merge_root.c - what the tag names after a merge: an index, or a single manifest.
 */
#include <string.h>

#include "cleanup.h"
#include "registry/model/json_edit.h"
#include "registry/model/json_equal.h"
#include "registry/model/merge_document.h"
#include "registry/model/merge_entries.h"

/* Whether the result is a single manifest as far as the sides go: three-way, like all else. */
static bool single_is_picked(const struct merge_tags *tags)
{
	bool ours = tags->side[SIDE_OURS].single, theirs = tags->side[SIDE_THEIRS].single;
	const struct merge_tag *base = &tags->side[SIDE_BASE];

	if (ours == theirs)
		return ours;
	return base->root && !base->single;
}

/* Appends the index without its entries. */
static int shell_write(struct buf *out, const struct document *index, struct error *err)
{
	cleanup_with(json_edit_close) struct json_edit edit = JSON_EDIT_INIT;

	if (json_edit_open(&edit, index->json, index->json_len, err))
		return -1;
	json_edit_remove(&edit, "manifests");
	return json_edit_write(&edit, out, err);
}

static int shell_same(
	bool *same, const struct document *a, const struct document *b, struct error *err)
{
	cleanup_with(buf_free) struct buf first = BUF_INIT(JSON_SIZE_MAX);
	cleanup_with(buf_free) struct buf second = BUF_INIT(JSON_SIZE_MAX);
	struct json_text a_text, b_text;

	if (shell_write(&first, a, err) || shell_write(&second, b, err))
		return -1;
	a_text = (struct json_text){first.data, first.len, ERROR_CORRUPT};
	b_text = (struct json_text){second.data, second.len, ERROR_CORRUPT};
	return json_equal(same, &a_text, json_root(&a_text), &b_text, json_root(&b_text), err);
}

/* Whether a single manifest would lose nothing: what one side made of the index beside its entries
 * is nothing. */
static int shell_is_needless(bool *out, const struct merge_tags *tags, struct error *err)
{
	const struct merge_tag *base = &tags->side[SIDE_BASE];
	const struct merge_tag *ours = &tags->side[SIDE_OURS];
	const struct merge_tag *theirs = &tags->side[SIDE_THEIRS];

	*out = true;
	if (!ours->single)
		return shell_same(out, base->root, ours->root, err);
	if (!theirs->single)
		return shell_same(out, base->root, theirs->root, err);
	return 0;
}

/* The manifest of the one entry, where it's at hand: copied, or taken from the result's. */
static int manifest_take(struct merge_run *run, const struct merge_tags *tags,
	const struct digest *digest, struct error *err)
{
	struct merge_result *out = run->out;

	for (int side = SIDE_OURS; side < SIDE_COUNT; side++)
		if (tags->side[side].single && digest_equal(&tags->side[side].root->digest, digest))
			return document_copy(&out->root, tags->side[side].root, err);
	for (size_t i = 0; i < out->manifest_count; i++) {
		if (!digest_equal(&out->manifests[i].digest, digest))
			continue;
		out->root = out->manifests[i];
		out->manifests[i] = out->manifests[--out->manifest_count];
		return 0;
	}
	return 0;
}

/* The root stays empty where it has to be an index. */
static int single_try(
	struct merge_tags *tags, const struct merge_chosen *entries, struct error *err)
{
	bool needless;

	if (!single_is_picked(tags) || entries->count != 1 ||
		entries->items[0].annotations.count > 0)
		return 0;
	if (shell_is_needless(&needless, tags, err))
		return -1;
	return needless ? manifest_take(tags->run, tags, &entries->items[0].digest, err) : 0;
}

/* Whether an entry is a manifest of which nobody has told the platform. */
static bool has_unknown(const struct merge_tags *tags, const struct merge_chosen *entries)
{
	for (int side = SIDE_OURS; side < SIDE_COUNT; side++) {
		const struct merge_tag *tag = &tags->side[side];

		for (size_t i = 0; tag->single && !tag->dressed && !tag->own && i < entries->count;
			i++)
			if (digest_equal(&entries->items[i].digest, &tag->bare.digest))
				return true;
	}
	return false;
}

static int shell_create(struct merge_tags *tags, struct error *err)
{
	const struct document *theirs = tags->side[SIDE_THEIRS].root;
	bool pretty = memchr(theirs->json, '\n', theirs->json_len) != NULL;

	return document_create(&tags->run->out->root, DOCUMENT_INDEX, NULL,
		pretty ? DOCUMENT_PRETTY : DOCUMENT_COMPACT, err);
}

static int shell_merge(struct merge_tags *tags, struct error *err)
{
	struct document *out = &tags->run->out->root;
	const struct merge_tag *base = &tags->side[SIDE_BASE];
	const struct merge_tag *ours = &tags->side[SIDE_OURS];
	const struct merge_tag *theirs = &tags->side[SIDE_THEIRS];
	struct merge_documents documents = {
		.side = {base->single ? NULL : base->root, ours->root, theirs->root}};
	cleanup_with(merge_place_clear) struct merge_place place = MERGE_PLACE_INIT;

	if (theirs->single)
		return ours->single ? shell_create(tags, err) : document_copy(out, ours->root, err);
	if (ours->single)
		return document_copy(out, theirs->root, err);
	if (merge_place_index(&place, err))
		return -1;
	place.ours = &ours->root->digest;
	place.theirs = &theirs->root->digest;
	return merge_document(out, tags->run, &documents, &place, err);
}

int merge_root(bool *decided, struct merge_tags *tags, const struct merge_chosen *entries,
	struct error *err)
{
	struct document *out = &tags->run->out->root;

	*decided = true;
	if (single_try(tags, entries, err))
		return -1;
	if (out->json)
		return 0;
	*decided = !has_unknown(tags, entries);
	if (!*decided)
		return 0;
	if (shell_merge(tags, err))
		return -1;
	return document_set_items(out, entries->items, entries->count, err);
}
