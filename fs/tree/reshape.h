/*
 * reshape.h - the folders of a tag, from one version's entries to another's: what becomes of each,
 * and then the doing. For adopt.c, under the lock.
 */
#ifndef INDEXFS_FS_TREE_RESHAPE_H
#define INDEXFS_FS_TREE_RESHAPE_H

#include <stdbool.h>
#include <stddef.h>

#include "descriptor.h"
#include "document.h"
#include "error.h"
#include "fs/tree/tree.h"
#include "fs/tree/version.h"

/* What becomes of an entry of either version. */
enum reshape_act {
	RESHAPE_KEEP, /* the base keeps its old entry: something was changed here */
	RESHAPE_STAY, /* the same entry, at another place perhaps */
	RESHAPE_CHANGE, /* the folder shows the other manifest */
	RESHAPE_RENEW, /* the folder is loaded anew when it's needed */
	RESHAPE_ADD,
	RESHAPE_HIDE, /* something here has its name: the base doesn't have it */
	RESHAPE_LOSE, /* nobody has it any more */
};

struct reshape_row {
	enum reshape_act act;
	const struct descriptor *item; /* what the base has of it; borrowed */
	const char *name;
	struct node *node; /* the folder here; NULL: removed here, or not there yet */
	struct node *fresh; /* made of the new entry, for CHANGE, RENEW, ADD */
	struct document manifest; /* for CHANGE */
};

struct reshape {
	struct tree *tree;
	struct node *tag;
	struct entry_list old, new;
	struct node **nodes; /* of the old entries */
	bool *matched; /* the old entries */
	struct reshape_row *rows; /* the new entries in order, and the old ones that they lack */
	size_t count;
};

/* Judges what becomes of each entry. Borrows the tag's base and the other version. */
int reshape_judge(struct reshape *out, struct tree *tree, struct node *tag,
	const struct version *to, struct error *err);
void reshape_clear(struct reshape *reshape);

/* Whether the row needs a manifest that isn't here. */
bool reshape_wants(const struct reshape_row *row);

/* Makes what is needed. find() gives the manifest of that digest, or NULL: then the folder stays on
 * its old entry, as it does where something here is in the manifest's way. */
int reshape_prepare(struct reshape *reshape,
	const struct document *(*find)(const void *context, const struct digest *digest),
	const void *context, struct error *err);

/* Whether the base has the row's item. */
bool reshape_has_item(const struct reshape_row *row);

/* Changes the folders. On failure nothing is changed. */
int reshape_apply(struct reshape *reshape, struct error *err);

/* Folders that are only here get the places that their names have in the new base, if any. */
void reshape_place(struct tree *tree, struct node *tag, const struct version *base);

#endif
