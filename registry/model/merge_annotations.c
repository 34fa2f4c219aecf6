#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "registry/model/annotations_json.h"
#include "registry/model/merge_run.h"

struct note_keys {
	struct merge_keys sides[SIDE_COUNT];
};

static void note_keys_free(struct note_keys *keys)
{
	for (int side = 0; side < SIDE_COUNT; side++)
		free(keys->sides[side].items);
}

static int note_keys_make(
	struct note_keys *out, const struct annotations *const *sides, struct error *err)
{
	for (int side = 0; side < SIDE_COUNT; side++) {
		struct merge_keys *keys = &out->sides[side];
		size_t count = sides[side] ? sides[side]->count : 0;

		keys->items = calloc(count + 1, sizeof(*keys->items));
		if (!keys->items)
			return error_set_memory(err);
		for (; keys->count < count; keys->count++)
			keys->items[keys->count] = (struct merge_key){
				sides[side]->items[keys->count].key, "", TWINS_NTH};
	}
	return 0;
}

static const struct annotation *note_at(
	const struct annotations *const *sides, const struct merge_row *row, enum merge_side side)
{
	return merge_row_has(row, side) ? &sides[side]->items[row->at[side]] : NULL;
}

static bool same_value(const struct annotation *a, const struct annotation *b)
{
	return a && b ? strcmp(a->value, b->value) == 0 : a == b;
}

static int row_decide(struct merge_row *row, struct merge_run *run,
	const struct annotations *const *sides, const struct merge_place *place, struct error *err)
{
	const struct annotation *base = note_at(sides, row, SIDE_BASE);
	const struct annotation *ours = note_at(sides, row, SIDE_OURS);
	const struct annotation *theirs = note_at(sides, row, SIDE_THEIRS);

	row->pick = merge_pick(
		same_value(base, ours), same_value(base, theirs), same_value(ours, theirs));
	if (row->pick == PICK_CLASH &&
		merge_clash_note(&row->pick, run, place, ours ? ours->key : theirs->key, err))
		return -1;
	row->kept = merge_row_has(row, row->pick == PICK_OURS ? SIDE_OURS : SIDE_THEIRS);
	return 0;
}

static int rows_collect(struct annotations *out, const struct merge_rows *rows,
	const struct annotations *const *sides, struct error *err)
{
	cleanup_free size_t *order = NULL;
	size_t count;

	if (merge_rows_order(&order, &count, rows, err))
		return -1;
	for (size_t i = 0; i < count; i++) {
		const struct merge_row *row = &rows->items[order[i]];
		const struct annotation *note =
			note_at(sides, row, row->pick == PICK_OURS ? SIDE_OURS : SIDE_THEIRS);

		if (annotations_append(out, note->key, note->value, err))
			return -1;
	}
	return 0;
}

int merge_annotations(struct annotations *out, struct merge_run *run,
	const struct annotations *const sides[static SIDE_COUNT], const struct merge_place *place,
	struct error *err)
{
	cleanup_with(note_keys_free) struct note_keys keys = {.sides = {{NULL, 0}}};
	cleanup_with(merge_rows_clear) struct merge_rows rows = MERGE_ROWS_INIT;

	*out = (struct annotations)ANNOTATIONS_INIT;
	if (note_keys_make(&keys, sides, err) || merge_rows_match(&rows, keys.sides, err))
		return -1;
	for (size_t i = 0; i < rows.count; i++)
		if (row_decide(&rows.items[i], run, sides, place, err))
			return -1;
	if (rows_collect(out, &rows, sides, err) == 0)
		return 0;
	annotations_clear(out);
	return -1;
}
