#include "registry/model/merge_items.h"

#include <stdlib.h>

#include "cleanup.h"

static struct merge_trio trio_at(const struct merge_list *list, const struct merge_row *row)
{
	struct merge_trio trio;

	for (int side = 0; side < SIDE_COUNT; side++)
		trio.side[side] = merge_row_has(row, (enum merge_side)side)
					  ? &list->items[side][row->at[side]]
					  : NULL;
	return trio;
}

static int trio_pick(enum merge_pick *pick, const struct merge_trio *trio, struct error *err)
{
	const struct descriptor *base = trio->side[SIDE_BASE];
	const struct descriptor *ours = trio->side[SIDE_OURS];
	const struct descriptor *theirs = trio->side[SIDE_THEIRS];
	bool ours_same, theirs_same, alike;

	if (merge_descriptor_same(&ours_same, base, ours, err) ||
		merge_descriptor_same(&theirs_same, base, theirs, err) ||
		merge_descriptor_same(&alike, ours, theirs, err))
		return -1;
	*pick = merge_pick(ours_same, theirs_same, alike);
	return 0;
}

static const struct digest *digest_of(const struct descriptor *descriptor)
{
	return descriptor ? &descriptor->digest : NULL;
}

/* What both sides have changed: merged, or one of them where the other has removed it. */
static int clash_settle(struct descriptor *merged, struct merge_run *run,
	const struct merge_list *list, struct merge_row *row, const struct merge_trio *trio,
	struct error *err)
{
	cleanup_with(merge_place_clear) struct merge_place place = MERGE_PLACE_INIT;
	const struct descriptor *ours = trio->side[SIDE_OURS];
	const struct descriptor *theirs = trio->side[SIDE_THEIRS];

	if (list->place(list->context, &place, row, err))
		return -1;
	place.ours = digest_of(ours);
	place.theirs = digest_of(theirs);
	if (!ours || !theirs)
		return merge_clash(&row->pick, run, place.content, place.ours, place.theirs, err);
	return list->both(list->context, merged, row, trio, &place, err);
}

static int row_decide(struct descriptor *merged, struct merge_run *run,
	const struct merge_list *list, struct merge_row *row, struct error *err)
{
	struct merge_trio trio = trio_at(list, row);

	if (trio_pick(&row->pick, &trio, err))
		return -1;
	if (row->pick == PICK_CLASH && clash_settle(merged, run, list, row, &trio, err))
		return -1;
	row->kept = merged->json || trio.side[row->pick == PICK_OURS ? SIDE_OURS : SIDE_THEIRS];
	return 0;
}

static int chosen_collect(struct merge_chosen *out, const struct merge_rows *rows,
	const struct merge_list *list, struct error *err)
{
	cleanup_free size_t *order = NULL;

	if (merge_rows_order(&order, &out->count, rows, err))
		return -1;
	out->items = calloc(out->count + 1, sizeof(*out->items));
	if (!out->items)
		return error_set_memory(err);
	for (size_t i = 0; i < out->count; i++) {
		const struct merge_row *row = &rows->items[order[i]];
		enum merge_side side = row->pick == PICK_OURS ? SIDE_OURS : SIDE_THEIRS;

		out->items[i] = out->merged[order[i]].json ? out->merged[order[i]]
							   : list->items[side][row->at[side]];
	}
	return 0;
}

int merge_items(struct merge_chosen *out, struct merge_run *run, struct merge_rows *rows,
	const struct merge_list *list, struct error *err)
{
	*out = (struct merge_chosen){.row_count = rows->count};
	out->merged = calloc(rows->count + 1, sizeof(*out->merged));
	if (!out->merged)
		return error_set_memory(err);
	for (size_t i = 0; i < rows->count; i++)
		if (row_decide(&out->merged[i], run, list, &rows->items[i], err))
			return -1;
	return chosen_collect(out, rows, list, err);
}

void merge_chosen_clear(struct merge_chosen *chosen)
{
	for (size_t i = 0; chosen->merged && i < chosen->row_count; i++)
		descriptor_clear(&chosen->merged[i]);
	free(chosen->merged);
	free(chosen->items);
	*chosen = (struct merge_chosen)MERGE_CHOSEN_INIT;
}
