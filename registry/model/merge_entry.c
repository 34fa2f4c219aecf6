/*
 * merge_entry.c - an entry that both sides have changed: its descriptor, and its manifest where
 * both have changed that.
 */
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "layer_path.h"
#include "registry/model/array.h"
#include "registry/model/merge_document.h"
#include "registry/model/merge_entries.h"

/* The manifests that an entry names on the three sides. */
struct manifests {
	struct document loaded[SIDE_COUNT];
	struct merge_documents documents;
};

static void manifests_clear(struct manifests *manifests)
{
	for (int side = 0; side < SIDE_COUNT; side++)
		document_clear(&manifests->loaded[side]);
}

static const char *row_name(const struct merge_tags *tags, const struct merge_row *row)
{
	static const enum merge_side order[] = {SIDE_OURS, SIDE_THEIRS, SIDE_BASE};
	const char *unsure = PLATFORM_ANY;

	for (size_t n = 0; n < SIDE_COUNT; n++) {
		const struct merge_tag *tag = &tags->side[order[n]];

		/* A single manifest has no name of its own while its platform isn't known. */
		if (merge_row_has(row, order[n]) && (!tag->single || tag->own))
			return tag->names[row->at[order[n]]];
	}
	return unsure;
}

int merge_entry_place(
	void *tags, struct merge_place *out, const struct merge_row *row, struct error *err)
{
	return merge_place_entry(out, row_name(tags, row), err);
}

/* Whether what the entry names on each side, as far as it's there, is a manifest by its word. */
static bool are_manifests(const struct merge_trio *trio)
{
	for (int side = 0; side < SIDE_COUNT; side++)
		if (trio->side[side] && !media_type_is_manifest(trio->side[side]->media_type))
			return false;
	return true;
}

/* *same_kind: whether all of them are manifests in fact. */
static int manifests_load(bool *same_kind, struct manifests *out, const struct merge_tags *tags,
	const struct merge_trio *trio, struct error *err)
{
	const struct merge_input *input = tags->run->input;

	*same_kind = true;
	for (int side = 0; side < SIDE_COUNT; side++) {
		if (side == SIDE_BASE && !trio->side[side])
			continue;
		out->documents.side[side] = tags->side[side].root;
		if (!tags->side[side].single) {
			out->documents.side[side] = &out->loaded[side];
			if (input->manifest(
				    input->context, &out->loaded[side], trio->side[side], err))
				return -1;
		}
		if (out->documents.side[side]->kind != DOCUMENT_MANIFEST)
			*same_kind = false;
	}
	return 0;
}

/* Gives the manifest to the result, unless a side has it. */
static int manifest_keep(struct merge_result *out, struct document *manifest,
	const struct merge_trio *trio, struct error *err)
{
	struct document *grown;

	if (digest_equal(&manifest->digest, &trio->side[SIDE_OURS]->digest) ||
		digest_equal(&manifest->digest, &trio->side[SIDE_THEIRS]->digest)) {
		document_clear(manifest);
		return 0;
	}
	grown = array_grow(out->manifests, out->manifest_count, sizeof(*grown));
	if (!grown) {
		document_clear(manifest);
		return error_set_memory(err);
	}
	out->manifests = grown;
	grown[out->manifest_count++] = *manifest;
	*manifest = (struct document)DOCUMENT_INIT;
	return 0;
}

static bool same_text(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* An entry that tells its manifest's artifactType tells the new one's. */
static int entry_type(struct descriptor *entry, const struct document *theirs,
	const struct document *manifest, const struct descriptor *ours, struct error *err)
{
	bool told = same_text(entry->artifact_type, theirs->artifact_type);

	if (!manifest->artifact_type)
		return told ? descriptor_set_artifact_type(entry, ours->artifact_type, err) : 0;
	if (!entry->artifact_type && !ours->artifact_type)
		return 0;
	return descriptor_set_artifact_type(entry, manifest->artifact_type, err);
}

/* The entry with one side's content, or with content that isn't manifests. */
static int side_merge(struct descriptor *out, struct merge_run *run, const struct merge_trio *trio,
	const struct merge_place *place, struct error *err)
{
	enum merge_pick pick = merge_content_pick(trio);

	if (pick == PICK_CLASH &&
		merge_clash(&pick, run, place->content, place->ours, place->theirs, err))
		return -1;
	return merge_descriptor(out, run, trio, pick, place, err);
}

/* The entry that names the merged manifest. */
static int manifest_merge(struct descriptor *out, struct merge_run *run,
	const struct merge_trio *trio, const struct merge_documents *documents,
	const struct merge_place *place, struct error *err)
{
	cleanup_with(document_clear) struct document manifest = DOCUMENT_INIT;

	if (merge_manifest(&manifest, run, documents, place->content, err) ||
		merge_descriptor(out, run, trio, PICK_THEIRS, place, err))
		return -1;
	if (descriptor_set_content(out, manifest.media_type, &manifest.digest,
		    (int64_t)manifest.json_len, err) == 0 &&
		entry_type(out, documents->side[SIDE_THEIRS], &manifest, trio->side[SIDE_OURS],
			err) == 0 &&
		manifest_keep(run->out, &manifest, trio, err) == 0)
		return 0;
	descriptor_clear(out);
	return -1;
}

int merge_entry(void *context, struct descriptor *out, const struct merge_row *row,
	const struct merge_trio *trio, const struct merge_place *place, struct error *err)
{
	const struct merge_tags *tags = context;
	cleanup_with(manifests_clear) struct manifests manifests = {.loaded = {DOCUMENT_INIT}};
	bool mergeable = merge_content_pick(trio) == PICK_CLASH && are_manifests(trio);

	(void)row;
	if (mergeable && manifests_load(&mergeable, &manifests, tags, trio, err))
		return -1;
	return mergeable ? manifest_merge(out, tags->run, trio, &manifests.documents, place, err)
			 : side_merge(out, tags->run, trio, place, err);
}
