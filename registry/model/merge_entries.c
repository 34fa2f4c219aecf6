#include "registry/model/merge_entries.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "cleanup.h"
#include "image_config.h"
#include "layer_path.h"

#define NESTED_TEXT "index"

static int field_write(struct buf *out, const char *field)
{
	return field ? buf_printf(out, "%zu:%s", strlen(field), field) : buf_append_text(out, "-");
}

/* An entry whose os and architecture are empty is shown as one without a platform. */
static bool is_somewhere(const struct platform *platform)
{
	return platform && (*platform->os || *platform->architecture);
}

char *merge_platform_text(const struct platform *platform)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(BUF_UNBOUNDED);

	if (!is_somewhere(platform))
		return strdup(PLATFORM_ANY);
	if (field_write(&text, platform->os) || field_write(&text, platform->architecture) ||
		field_write(&text, platform->variant) || field_write(&text, platform->os_version))
		return NULL;
	for (size_t i = 0; i < platform->os_feature_count; i++)
		if (field_write(&text, platform->os_features[i]))
			return NULL;
	return buf_steal(&text);
}

static const struct platform *platform_of(const struct descriptor *entry)
{
	return entry->has_platform ? &entry->platform : NULL;
}

/* A nested index and an attestation (BuildKit's are for unknown/unknown) are what they contain. */
static enum merge_twins twins_of(const struct descriptor *entry)
{
	const struct platform *platform = platform_of(entry);

	if (media_type_is_index(entry->media_type))
		return TWINS_APART;
	if (!is_somewhere(platform))
		return TWINS_SOLE;
	return strcmp(platform->os, "unknown") == 0 &&
			       strcmp(platform->architecture, "unknown") == 0
		       ? TWINS_APART
		       : TWINS_NTH;
}

static int key_make(struct merge_tag *tag, size_t i, struct error *err)
{
	const struct descriptor *entry = &tag->items[i];
	bool nested = media_type_is_index(entry->media_type);

	tag->texts[i] = nested ? strdup(NESTED_TEXT) : merge_platform_text(platform_of(entry));
	if (!tag->texts[i])
		return error_set_memory(err);
	tag->keys.items[i] = (struct merge_key){tag->texts[i], entry->digest.text, twins_of(entry)};
	return 0;
}

static int tag_allocate(struct merge_tag *tag, size_t count, struct error *err)
{
	tag->texts = calloc(count + 1, sizeof(*tag->texts));
	tag->keys.items = calloc(count + 1, sizeof(*tag->keys.items));
	tag->keys.count = count;
	return tag->texts && tag->keys.items ? 0 : error_set_memory(err);
}

static int index_take(struct merge_tag *tag, struct error *err)
{
	tag->items = tag->root->items;
	if (tag_allocate(tag, tag->root->count, err))
		return -1;
	for (size_t i = 0; i < tag->root->count; i++)
		if (key_make(tag, i, err))
			return -1;
	return folder_names(&tag->names, tag->root, err);
}

/* folder_names() of the index that would hold just the bare entry. */
static int single_name(struct merge_tag *tag, struct error *err)
{
	struct document index = {.items = &tag->bare, .count = 1};

	return folder_names(&tag->names, &index, err);
}

static int single_take(struct merge_tag *tag, const struct platform *platform, struct error *err)
{
	const struct document *root = tag->root;

	tag->single = true;
	if (descriptor_create(
		    &tag->bare, root->media_type, &root->digest, (int64_t)root->json_len, err) ||
		descriptor_set_artifact_type(&tag->bare, root->artifact_type, err) ||
		descriptor_set_platform(&tag->bare, platform, err))
		return -1;
	if (platform || !media_type_is_image_config(root->config.media_type)) {
		tag->own = merge_platform_text(platform);
		if (!tag->own)
			return error_set_memory(err);
	}
	tag->items = &tag->bare;
	return tag_allocate(tag, 1, err) || single_name(tag, err) ? -1 : 0;
}

int merge_tags_take(struct merge_tags *out, struct merge_run *run, struct error *err)
{
	const struct merge_input *input = run->input;
	const struct platform *platforms[SIDE_COUNT] = {
		input->base_platform, input->ours_platform, input->theirs_platform};
	const struct document *roots[SIDE_COUNT] = {input->base, input->ours, input->theirs};

	out->run = run;
	for (int side = 0; side < SIDE_COUNT; side++) {
		struct merge_tag *tag = &out->side[side];

		tag->root = roots[side];
		if (tag->root && (tag->root->kind == DOCUMENT_INDEX
						 ? index_take(tag, err)
						 : single_take(tag, platforms[side], err)))
			return -1;
	}
	return 0;
}

static void tag_clear(struct merge_tag *tag)
{
	layer_paths_free(tag->names, tag->keys.count);
	layer_paths_free(tag->texts, tag->keys.count);
	free(tag->keys.items);
	free(tag->own);
	descriptor_clear(&tag->bare);
}

void merge_tags_clear(struct merge_tags *tags)
{
	for (int side = 0; side < SIDE_COUNT; side++)
		tag_clear(&tags->side[side]);
}

int merge_entries(bool *decided, struct merge_run *run, struct error *err)
{
	cleanup_with(merge_tags_clear) struct merge_tags tags = {.run = run};
	cleanup_with(merge_rows_clear) struct merge_rows rows = MERGE_ROWS_INIT;
	cleanup_with(merge_chosen_clear) struct merge_chosen chosen = MERGE_CHOSEN_INIT;
	struct merge_list list = {
		.place = merge_entry_place, .both = merge_entry, .context = &tags};
	struct merge_keys keys[SIDE_COUNT];

	if (merge_tags_take(&tags, run, err) || merge_singles_identify(decided, &tags, err))
		return -1;
	if (!*decided)
		return 0;
	for (int side = 0; side < SIDE_COUNT; side++) {
		keys[side] = tags.side[side].keys;
		list.items[side] = tags.side[side].items;
	}
	if (merge_rows_match(&rows, keys, err) || merge_singles_dress(&tags, &rows, err) ||
		merge_items(&chosen, run, &rows, &list, err))
		return -1;
	return merge_root(decided, &tags, &chosen, err);
}
