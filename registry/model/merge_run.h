/*
 * merge_run.h - what the parts of a merge share: the run, and what a clash is called.
 */
#ifndef INDEXFS_MODEL_MERGE_RUN_H
#define INDEXFS_MODEL_MERGE_RUN_H

#include "merge.h"
#include "registry/model/merge_rows.h"

#define MERGE_WHOLE "." /* the path of a clash of the whole tag */

struct merge_run {
	const struct merge_input *input;
	struct merge_result *out;
};

/* What the parts of one thing are called in conflicts, and its two digests (NULL: none). */
struct merge_place {
	char *content;
	char *notes; /* of an annotation, before ": KEY" */
	char *members; /* of members that this program doesn't know */
	char *control; /* the folder of artifact-type and subject; NULL for a descriptor */
	const struct digest *ours, *theirs;
};

#define MERGE_PLACE_INIT                                                                           \
	{                                                                                          \
		.content = NULL                                                                    \
	}

int merge_place_index(struct merge_place *out, struct error *err);
int merge_place_entry(struct merge_place *out, const char *folder, struct error *err);
int merge_place_manifest(struct merge_place *out, const char *folder, struct error *err);
int merge_place_config(struct merge_place *out, const char *folder, struct error *err);
int merge_place_layer(
	struct merge_place *out, const char *folder, const char *path, struct error *err);
void merge_place_clear(struct merge_place *place);

/* Asks what to do about a clash: *pick. Where nobody settles it, it becomes a conflict of the
 * result, and the merge goes on with theirs. */
int merge_clash(enum merge_pick *pick, struct merge_run *run, const char *path,
	const struct digest *ours, const struct digest *theirs, struct error *err);

/* The same for the annotation key of place. */
int merge_clash_note(enum merge_pick *pick, struct merge_run *run, const struct merge_place *place,
	const char *key, struct error *err);

/* The same for a member of place. */
int merge_clash_member(enum merge_pick *pick, struct merge_run *run,
	const struct merge_place *place, const char *name, struct error *err);

/* Three-way by key, into an empty map; a side may be NULL for an empty one. */
int merge_annotations(struct annotations *out, struct merge_run *run,
	const struct annotations *const sides[static SIDE_COUNT], const struct merge_place *place,
	struct error *err);

#endif
