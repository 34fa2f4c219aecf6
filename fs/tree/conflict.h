/*
 * conflict.h - what was changed both here and by others, and how it is to be settled.
 */
#ifndef INDEXFS_FS_TREE_CONFLICT_H
#define INDEXFS_FS_TREE_CONFLICT_H

#include <stddef.h>

#include "buf.h"
#include "error.h"
#include "merge.h"

struct choice {
	enum merge_choice which;
	char *path; /* as in merge_conflict: it and all below it */
};

struct conflicts {
	struct merge_conflict *items; /* of the last commit that has met any */
	size_t count;
	struct choice *choices; /* of the user, for the next commit */
	size_t choice_count;
};

void conflicts_clear(struct conflicts *conflicts);

/* These, which are taken over, are the conflicts now. */
void conflicts_take(struct conflicts *conflicts, struct merge_result *result);

/* Takes "ours PATH" or "theirs PATH": what is at or below that path of the tag ("." is all of it),
 * and notes of it, is to be settled so; a later choice outweighs those before. ERROR_INVALID. */
int conflicts_choose(struct conflicts *conflicts, const char *text, size_t len, struct error *err);

/* What the user has chosen for the conflict of that path. */
enum merge_choice conflicts_choice(const struct conflicts *conflicts, const char *path);

/* As a JSON array, for status. 0 or -1 as buf_append(). */
int conflicts_format(const struct conflicts *conflicts, struct buf *out);

#endif
