/*
 * merge_items.h - descriptors: one from three, and a list from three lists.
 */
#ifndef INDEXFS_MODEL_MERGE_ITEMS_H
#define INDEXFS_MODEL_MERGE_ITEMS_H

#include "registry/model/merge_run.h"

/* One thing on the three sides; NULL where it's absent. */
struct merge_trio {
	const struct descriptor *side[SIDE_COUNT];
};

/* Which side's mediaType, digest and size hold. Ours and theirs are there. */
enum merge_pick merge_content_pick(const struct merge_trio *trio);

/* Whether they say the same, however it's written: *same. NULL is an absent one. */
int merge_descriptor_same(
	bool *same, const struct descriptor *a, const struct descriptor *b, struct error *err);

/* The descriptor of a thing that ours and theirs have, with the content that is picked. What
 * belongs to the content (data, urls, artifactType) follows it. *out is empty on failure. */
int merge_descriptor(struct descriptor *out, struct merge_run *run, const struct merge_trio *trio,
	enum merge_pick content, const struct merge_place *place, struct error *err);

struct merge_list {
	const struct descriptor *items[SIDE_COUNT];
	/* How the thing of a row is called. */
	int (*place)(void *context, struct merge_place *out, const struct merge_row *row,
		struct error *err);
	/* Merges what both sides have changed. *out is empty on failure. */
	int (*both)(void *context, struct descriptor *out, const struct merge_row *row,
		const struct merge_trio *trio, const struct merge_place *place, struct error *err);
	void *context;
};

/* What a list becomes. The descriptors are those of the sides, borrowed, but for the merged. */
struct merge_chosen {
	struct descriptor *items;
	size_t count;
	struct descriptor *merged; /* one for each row, most of them empty */
	size_t row_count;
};

#define MERGE_CHOSEN_INIT                                                                          \
	{                                                                                          \
		.items = NULL                                                                      \
	}

int merge_items(struct merge_chosen *out, struct merge_run *run, struct merge_rows *rows,
	const struct merge_list *list, struct error *err);
void merge_chosen_clear(struct merge_chosen *chosen);

#endif
