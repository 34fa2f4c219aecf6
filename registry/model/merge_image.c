/*
 * merge_image.c - the image config of which both sides have changed platform or layers.
 */
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "image_config.h"
#include "registry/model/array.h"
#include "registry/model/merge_document.h"
#include "registry/model/merge_items.h"

/* A side's config. */
struct config {
	const struct document *manifest;
	char *json;
	size_t len;
	struct platform platform;
	struct digest *diff_ids;
	size_t count;
};

struct configs {
	struct config side[SIDE_COUNT];
};

static void configs_clear(struct configs *configs)
{
	for (int i = 0; i < SIDE_COUNT; i++) {
		free(configs->side[i].json);
		platform_clear(&configs->side[i].platform);
		free(configs->side[i].diff_ids);
	}
}

bool merge_is_image(const struct merge_run *run, const struct merge_documents *documents)
{
	for (int i = 0; i < SIDE_COUNT; i++) {
		const struct document *manifest = documents->side[i];

		if (!manifest || !manifest->has_config ||
			!media_type_is_image_config(manifest->config.media_type))
			return false;
	}
	return run->input->config != NULL;
}

/* *usable: it says what an image's config has to, of each layer. */
static int config_read(
	bool *usable, struct config *out, const struct merge_input *input, struct error *err)
{
	*usable = false;
	if (input->config(input->context, &out->json, &out->len, &out->manifest->config, err))
		return -1;
	if (!out->json ||
		image_config_diff_ids(&out->diff_ids, &out->count, out->json, out->len, NULL))
		return 0;
	*usable = image_config_platform(&out->platform, out->json, out->len) &&
		  out->count == out->manifest->count;
	return 0;
}

static int configs_read(bool *usable, struct configs *out, const struct merge_input *input,
	const struct merge_documents *documents, struct error *err)
{
	*usable = true;
	for (int i = 0; i < SIDE_COUNT && *usable; i++) {
		out->side[i].manifest = documents->side[i];
		if (config_read(usable, &out->side[i], input, err))
			return -1;
	}
	return 0;
}

/* Whether a side has changed no more in the base's config than platform and layers. */
static int is_derived(
	bool *derived, const struct config *base, const struct config *side, struct error *err)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(DOCUMENT_SIZE_MAX);

	if (image_config_edit(&text, base->json, base->len, &side->platform, side->diff_ids,
		    side->count, err))
		return -1;
	*derived = text.len == side->len && memcmp(text.data, side->json, text.len) == 0;
	return 0;
}

static const struct digest *find_diff_id(
	const struct configs *configs, const struct descriptor *layer)
{
	for (int i = 0; i < SIDE_COUNT; i++) {
		const struct config *side = &configs->side[i];

		for (size_t k = 0; k < side->count; k++) {
			const struct descriptor *item = &side->manifest->items[k];

			if (digest_equal(&item->digest, &layer->digest) &&
				strcmp(item->media_type, layer->media_type) == 0)
				return &side->diff_ids[k];
		}
	}
	return NULL;
}

/* The config for the merged layers, made from that of one side. */
static int config_make(struct buf *out, const struct configs *configs, enum merge_side from,
	const struct document *manifest, struct error *err)
{
	const struct config *base = &configs->side[SIDE_BASE], *host = &configs->side[from];
	const struct config *other = &configs->side[from == SIDE_THEIRS ? SIDE_OURS : SIDE_THEIRS];
	bool moved = !platform_equal(&other->platform, &base->platform);
	cleanup_free struct digest *diff_ids = calloc(manifest->count + 1, sizeof(*diff_ids));

	if (!diff_ids)
		return error_set_memory(err);
	for (size_t i = 0; i < manifest->count; i++) {
		const struct digest *found = find_diff_id(configs, &manifest->items[i]);

		if (!found)
			return 0; /* a layer with one side's type and the other's content */
		diff_ids[i] = *found;
	}
	return image_config_edit(out, host->json, host->len,
		moved ? &other->platform : &host->platform, diff_ids, manifest->count, err);
}

/* Gives the config to the result. */
static int config_keep(
	struct merge_result *out, const struct digest *digest, struct buf *text, struct error *err)
{
	size_t len = text->len;
	struct merge_config *grown = array_grow(out->configs, out->config_count, sizeof(*grown));

	if (!grown)
		return error_set_memory(err);
	out->configs = grown;
	grown[out->config_count] = (struct merge_config){*digest, buf_steal(text), len};
	if (!grown[out->config_count].json)
		return error_set_memory(err);
	out->config_count++;
	return 0;
}

static int config_name(struct document *manifest, struct merge_run *run,
	const struct configs *configs, enum merge_side from, const struct merge_place *place,
	struct buf *text, struct error *err)
{
	cleanup_with(descriptor_clear) struct descriptor config = DESCRIPTOR_INIT;
	enum merge_pick pick = from == SIDE_OURS ? PICK_OURS : PICK_THEIRS;
	struct digest digest;
	struct merge_trio trio;

	for (int i = 0; i < SIDE_COUNT; i++)
		trio.side[i] = &configs->side[i].manifest->config;
	digest_of_bytes(&digest, text->data, text->len);
	if (!digest_is_set(&digest))
		return error_set_memory(err);
	if (merge_descriptor(&config, run, &trio, pick, place, err) ||
		descriptor_set_content(
			&config, config.media_type, &digest, (int64_t)text->len, err) ||
		document_set_config(manifest, &config, err))
		return -1;
	if (digest_equal(&digest, place->ours) || digest_equal(&digest, place->theirs))
		return 0;
	return config_keep(run->out, &digest, text, err);
}

/* From which side's config the merged one is made: that of theirs, unless only ours has more in it
 * than platform and layers, or where both have, that which is chosen. */
static int side_choose(enum merge_side *out, struct merge_run *run, const struct configs *configs,
	const struct merge_place *place, struct error *err)
{
	const struct config *base = &configs->side[SIDE_BASE];
	enum merge_pick pick = PICK_THEIRS;
	bool ours, theirs;

	if (is_derived(&ours, base, &configs->side[SIDE_OURS], err) ||
		is_derived(&theirs, base, &configs->side[SIDE_THEIRS], err))
		return -1;
	if (!ours && theirs)
		pick = PICK_OURS;
	else if (!ours && !digest_equal(place->ours, place->theirs) &&
		 merge_clash(&pick, run, place->content, place->ours, place->theirs, err))
		return -1;
	*out = pick == PICK_OURS ? SIDE_OURS : SIDE_THEIRS;
	return 0;
}

int merge_image_config(bool *done, struct document *manifest, struct merge_run *run,
	const struct merge_documents *documents, const struct merge_place *place, struct error *err)
{
	cleanup_with(configs_clear) struct configs configs = {.side = {{.manifest = NULL}}};
	cleanup_with(buf_free) struct buf text = BUF_INIT(DOCUMENT_SIZE_MAX);
	enum merge_side from;
	bool usable;

	*done = false;
	if (configs_read(&usable, &configs, run->input, documents, err))
		return -1;
	if (!usable)
		return 0;
	if (side_choose(&from, run, &configs, place, err) ||
		config_make(&text, &configs, from, manifest, err))
		return -1;
	*done = text.data != NULL;
	return *done ? config_name(manifest, run, &configs, from, place, &text, err) : 0;
}
