/*
 * merge_members.h - three JSON objects become one, member by member, in theirs' text.
 */
#ifndef INDEXFS_MODEL_MERGE_MEMBERS_H
#define INDEXFS_MODEL_MERGE_MEMBERS_H

#include "buf.h"
#include "registry/model/json.h"
#include "registry/model/merge_run.h"

struct merge_members {
	struct json_text sides[SIDE_COUNT]; /* a base without bytes: none */
	const char *const *ignored; /* names, up to NULL: these stay as theirs has them */
	const char *const *content; /* the members of the content, likewise, and what they are: */
	enum merge_pick content_pick; /* one side's altogether; PICK_CLASH: merged like others */
};

/* Appends the new text of theirs; nothing where it stays as it is. */
int merge_members(struct buf *out, struct merge_run *run, const struct merge_members *members,
	const struct merge_place *place, struct error *err);

#endif
