/*
 * merge_entries.h - a tag as a list of entries, also where it's a single manifest.
 */
#ifndef INDEXFS_MODEL_MERGE_ENTRIES_H
#define INDEXFS_MODEL_MERGE_ENTRIES_H

#include "registry/model/merge_items.h"

/* One side of a tag. A single manifest is a list of one bare entry: one that has only what the
 * manifest itself tells, until an index tells more. */
struct merge_tag {
	const struct document *root; /* NULL: the tag doesn't exist */
	const struct descriptor *items;
	struct merge_keys keys;
	char **texts; /* of the keys */
	char **names; /* of the folders */
	/* Of a single manifest: */
	bool single;
	char *own; /* the text of its key; NULL where its platform isn't known */
	struct descriptor bare;
	bool dressed; /* bare has been told */
};

struct merge_tags {
	struct merge_run *run;
	struct merge_tag side[SIDE_COUNT];
};

int merge_tags_take(struct merge_tags *out, struct merge_run *run, struct error *err);
void merge_tags_clear(struct merge_tags *tags);

/* The text of a platform's key, or of an entry without one; the caller's to free. NULL when out of
 * memory. */
char *merge_platform_text(const struct platform *platform);

/* The texts of single manifests' keys, which an index that names them may tell. *decided: whether
 * all are known. */
int merge_singles_identify(bool *decided, struct merge_tags *tags, struct error *err);

/* Makes bare entries what the index of another side says of them. */
int merge_singles_dress(struct merge_tags *tags, const struct merge_rows *rows, struct error *err);

/* What both sides have changed in an entry; merge_list.both, for which tags is the context. */
int merge_entry(void *tags, struct descriptor *out, const struct merge_row *row,
	const struct merge_trio *trio, const struct merge_place *place, struct error *err);
int merge_entry_place(
	void *tags, struct merge_place *out, const struct merge_row *row, struct error *err);

/* The root of the result from its entries. *decided: false where an entry would have to be told its
 * platform first. */
int merge_root(bool *decided, struct merge_tags *tags, const struct merge_chosen *entries,
	struct error *err);

/* The whole merge of a tag that ours and theirs have. *decided as above. */
int merge_entries(bool *decided, struct merge_run *run, struct error *err);

#endif
