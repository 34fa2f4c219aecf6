#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "layer_path.h"
#include "registry/model/merge_document.h"
#include "registry/model/merge_items.h"

/* The layers of the three sides. */
struct layers {
	struct merge_run *run;
	const struct merge_documents *documents;
	const char *folder;
	struct merge_keys keys[SIDE_COUNT];
	char **paths[SIDE_COUNT]; /* of ours and theirs */
};

static void layers_clear(struct layers *layers)
{
	for (int side = 0; side < SIDE_COUNT; side++) {
		const struct document *manifest = layers->documents->side[side];

		free(layers->keys[side].items);
		layer_paths_free(layers->paths[side], manifest ? manifest->count : 0);
	}
}

static struct merge_key layer_key(const struct descriptor *layer)
{
	const char *title = annotations_get(&layer->annotations, ANNOTATION_TITLE);

	if (!title || !*title)
		return (struct merge_key){"", layer->digest.text, TWINS_APART};
	return (struct merge_key){title, layer->digest.text, TWINS_NTH};
}

static int keys_make(struct merge_keys *out, const struct document *manifest, struct error *err)
{
	size_t count = manifest ? manifest->count : 0;

	out->items = calloc(count + 1, sizeof(*out->items));
	if (!out->items)
		return error_set_memory(err);
	for (; out->count < count; out->count++)
		out->items[out->count] = layer_key(&manifest->items[out->count]);
	return 0;
}

static int layers_take(struct layers *layers, struct error *err)
{
	for (int side = 0; side < SIDE_COUNT; side++) {
		const struct document *manifest = layers->documents->side[side];

		if (keys_make(&layers->keys[side], manifest, err) ||
			(side != SIDE_BASE && layer_paths(&layers->paths[side], manifest, err)))
			return -1;
	}
	return 0;
}

static int layer_place(
	void *context, struct merge_place *out, const struct merge_row *row, struct error *err)
{
	const struct layers *layers = context;
	enum merge_side side = merge_row_has(row, SIDE_OURS) ? SIDE_OURS : SIDE_THEIRS;

	return merge_place_layer(out, layers->folder, layers->paths[side][row->at[side]], err);
}

/* The content of a layer or config is one side's: there is nothing in it to merge. */
static int content_merge(struct descriptor *out, struct merge_run *run,
	const struct merge_trio *trio, const struct merge_place *place, struct error *err)
{
	enum merge_pick pick = merge_content_pick(trio);

	if (pick == PICK_CLASH &&
		merge_clash(&pick, run, place->content, place->ours, place->theirs, err))
		return -1;
	return merge_descriptor(out, run, trio, pick, place, err);
}

static int layer_merge(void *context, struct descriptor *out, const struct merge_row *row,
	const struct merge_trio *trio, const struct merge_place *place, struct error *err)
{
	const struct layers *layers = context;

	(void)row;
	return content_merge(out, layers->run, trio, place, err);
}

static int layers_merge(struct document *out, struct merge_run *run,
	const struct merge_documents *documents, const char *folder, struct error *err)
{
	cleanup_with(layers_clear) struct layers layers = {
		.run = run, .documents = documents, .folder = folder};
	cleanup_with(merge_rows_clear) struct merge_rows rows = MERGE_ROWS_INIT;
	cleanup_with(merge_chosen_clear) struct merge_chosen chosen = MERGE_CHOSEN_INIT;
	struct merge_list list = {.place = layer_place, .both = layer_merge, .context = &layers};

	for (int side = 0; side < SIDE_COUNT; side++)
		list.items[side] = documents->side[side] ? documents->side[side]->items : NULL;
	if (layers_take(&layers, err) || merge_rows_match(&rows, layers.keys, err) ||
		merge_items(&chosen, run, &rows, &list, err))
		return -1;
	return document_set_items(out, chosen.items, chosen.count, err);
}

static bool same_layers(const struct document *a, const struct document *b)
{
	if (!b || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!digest_equal(&a->items[i].digest, &b->items[i].digest) ||
			strcmp(a->items[i].media_type, b->items[i].media_type) != 0)
			return false;
	return true;
}

/* Whether the config of one side is that of the merged layers, too. */
static bool is_in_step(const struct document *merged, const struct merge_documents *documents,
	enum merge_pick pick)
{
	enum merge_side side = pick == PICK_OURS ? SIDE_OURS : SIDE_THEIRS;

	return pick != PICK_CLASH && same_layers(merged, documents->side[side]);
}

static int config_merge(struct document *out, struct merge_run *run,
	const struct merge_documents *documents, const char *folder, struct error *err)
{
	cleanup_with(descriptor_clear) struct descriptor config = DESCRIPTOR_INIT;
	cleanup_with(merge_place_clear) struct merge_place place = MERGE_PLACE_INIT;
	struct merge_trio trio;
	bool done = false;

	for (int side = 0; side < SIDE_COUNT; side++)
		trio.side[side] = documents->side[side] ? &documents->side[side]->config : NULL;
	if (merge_place_config(&place, folder, err))
		return -1;
	place.ours = &trio.side[SIDE_OURS]->digest;
	place.theirs = &trio.side[SIDE_THEIRS]->digest;
	if (merge_is_image(run, documents) &&
		!is_in_step(out, documents, merge_content_pick(&trio)) &&
		merge_image_config(&done, out, run, documents, &place, err))
		return -1;
	if (done)
		return 0;
	if (content_merge(&config, run, &trio, &place, err))
		return -1;
	if (strcmp(config.json, out->config.json) == 0)
		return 0;
	return document_set_config(out, &config, err);
}

/* The config of an image follows its layers; any other comes first, also where conflicts are told.
 */
static int parts_merge(struct document *out, struct merge_run *run,
	const struct merge_documents *documents, const char *folder, struct error *err)
{
	bool image = merge_is_image(run, documents);

	if ((image && layers_merge(out, run, documents, folder, err)) ||
		config_merge(out, run, documents, folder, err))
		return -1;
	return image ? 0 : layers_merge(out, run, documents, folder, err);
}

int merge_manifest(struct document *out, struct merge_run *run,
	const struct merge_documents *documents, const char *folder, struct error *err)
{
	cleanup_with(merge_place_clear) struct merge_place place = MERGE_PLACE_INIT;

	*out = (struct document)DOCUMENT_INIT;
	if (merge_place_manifest(&place, folder, err))
		return -1;
	place.ours = &documents->side[SIDE_OURS]->digest;
	place.theirs = &documents->side[SIDE_THEIRS]->digest;
	if (merge_document(out, run, documents, &place, err))
		return -1;
	if (parts_merge(out, run, documents, folder, err) == 0)
		return 0;
	document_clear(out);
	return -1;
}
