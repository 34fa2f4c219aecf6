/*
 * merge_order.c - the order of what a merge keeps.
 */
#include <stdlib.h>

#include "cleanup.h"
#include "registry/model/merge_rows.h"

/* The row of each place of a side; the caller's to free. */
static size_t *rows_by_place(const struct merge_rows *rows, enum merge_side side)
{
	size_t *by_place = calloc(rows->side_count[side] + 1, sizeof(*by_place));

	for (size_t i = 0; by_place && i < rows->count; i++)
		if (merge_row_has(&rows->items[i], side))
			by_place[rows->items[i].at[side]] = i;
	return by_place;
}

/* Whether theirs has something that we have removed, and that is kept: it keeps its place. */
static bool is_put_back(const struct merge_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		if (rows->items[i].kept && !merge_row_has(&rows->items[i], SIDE_OURS) &&
			merge_row_has(&rows->items[i], SIDE_BASE))
			return true;
	return false;
}

/* Whether the side has exactly the things of the base, in its order. */
static bool side_is_as_base(const struct merge_rows *rows, enum merge_side side)
{
	if (rows->side_count[side] != rows->side_count[SIDE_BASE])
		return false;
	for (size_t i = 0; i < rows->count; i++)
		if (rows->items[i].at[SIDE_BASE] != rows->items[i].at[side] &&
			merge_row_has(&rows->items[i], SIDE_BASE))
			return false;
	return true;
}

static bool side_has_moved(
	const struct merge_rows *rows, const size_t *by_place, enum merge_side side)
{
	size_t last = 0;

	for (size_t i = 0; i < rows->side_count[side]; i++) {
		const struct merge_row *row = &rows->items[by_place[i]];

		if (!merge_row_has(row, SIDE_BASE))
			continue;
		if (row->at[SIDE_BASE] < last)
			return true;
		last = row->at[SIDE_BASE];
	}
	return false;
}

/* Appends what is kept of a side, in its order, but for what the other side has as well. */
static void side_append(size_t *order, size_t *count, const struct merge_rows *rows,
	const size_t *by_place, enum merge_side side, enum merge_side unless)
{
	for (size_t i = 0; i < rows->side_count[side]; i++) {
		const struct merge_row *row = &rows->items[by_place[i]];

		if (row->kept && (side == unless || !merge_row_has(row, unless)))
			order[(*count)++] = by_place[i];
	}
}

static bool row_is_common(const struct merge_row *row)
{
	return row->kept && merge_row_has(row, SIDE_OURS) && merge_row_has(row, SIDE_THEIRS);
}

/* Among the places of what both sides have, our order. */
static void common_reorder(
	size_t *order, size_t count, const struct merge_rows *rows, const size_t *by_ours)
{
	size_t next = 0;

	for (size_t i = 0; i < count; i++) {
		if (!row_is_common(&rows->items[order[i]]))
			continue;
		while (!row_is_common(&rows->items[by_ours[next]]))
			next++;
		order[i] = by_ours[next++];
	}
}

int merge_rows_order(size_t **out, size_t *count, const struct merge_rows *rows, struct error *err)
{
	cleanup_free size_t *by_ours = rows_by_place(rows, SIDE_OURS);
	cleanup_free size_t *by_theirs = rows_by_place(rows, SIDE_THEIRS);
	size_t *order = malloc((rows->count + 1) * sizeof(*order));

	*out = order;
	*count = 0;
	if (!by_ours || !by_theirs || !order) {
		free(order);
		*out = NULL;
		return error_set_memory(err);
	}
	if (side_is_as_base(rows, SIDE_THEIRS) && !is_put_back(rows)) {
		side_append(order, count, rows, by_ours, SIDE_OURS, SIDE_OURS);
		return 0;
	}
	side_append(order, count, rows, by_theirs, SIDE_THEIRS, SIDE_THEIRS);
	if (side_has_moved(rows, by_ours, SIDE_OURS) &&
		!side_has_moved(rows, by_theirs, SIDE_THEIRS))
		common_reorder(order, *count, rows, by_ours);
	side_append(order, count, rows, by_ours, SIDE_OURS, SIDE_THEIRS);
	return 0;
}
