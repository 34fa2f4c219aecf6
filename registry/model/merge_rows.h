/*
 * merge_rows.h - which things of base, ours and theirs are the same thing, and in what order they
 * end up. Knows keys and places only: entries, layers, annotations and members are all merged by
 * it.
 */
#ifndef INDEXFS_MODEL_MERGE_ROWS_H
#define INDEXFS_MODEL_MERGE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

enum merge_side { SIDE_BASE, SIDE_OURS, SIDE_THEIRS, SIDE_COUNT };

#define MERGE_ABSENT SIZE_MAX

/* How things of one text are matched where their contents differ. */
enum merge_twins {
	TWINS_APART, /* never: the content is the identity */
	TWINS_SOLE, /* with the base, where there is just one on each side */
	TWINS_NTH, /* the n-th with the n-th */
};

struct merge_key {
	const char *text;
	const char *content; /* of one text, those of one content are matched first */
	enum merge_twins twins;
};

struct merge_keys {
	struct merge_key *items;
	size_t count;
};

enum merge_pick { PICK_THEIRS, PICK_OURS, PICK_CLASH };

struct merge_row {
	size_t at[SIDE_COUNT]; /* its place on each side, or MERGE_ABSENT */
	/* For who decides what becomes of it: */
	enum merge_pick pick;
	bool kept;
};

struct merge_rows {
	struct merge_row *items;
	size_t count;
	size_t side_count[SIDE_COUNT];
};

#define MERGE_ROWS_INIT                                                                            \
	{                                                                                          \
		.items = NULL                                                                      \
	}

/* A row for each thing that any side has. */
int merge_rows_match(
	struct merge_rows *out, const struct merge_keys keys[static SIDE_COUNT], struct error *err);
void merge_rows_clear(struct merge_rows *rows);

/* The rows that are kept, in the order of the result: an array of indices, the caller's to free.
 * The one side that added, removed or moved anything has its order; else theirs, in which what we
 * moved and they didn't changes places among itself, and then what we have added. */
int merge_rows_order(size_t **out, size_t *count, const struct merge_rows *rows, struct error *err);

/* What becomes of a thing: ours_same, theirs_same: as in the base; alike: to each other. */
static inline enum merge_pick merge_pick(bool ours_same, bool theirs_same, bool alike)
{
	if (alike || ours_same)
		return PICK_THEIRS;
	return theirs_same ? PICK_OURS : PICK_CLASH;
}

static inline bool merge_row_has(const struct merge_row *row, enum merge_side side)
{
	return row->at[side] != MERGE_ABSENT;
}

#endif
