/*
 * referrers.h - .oci/referrers of a tag or a folder: what refers to its document, each a read-only
 * folder in the shape of a platform folder, by the name that referrer_name.h makes.
 *
 * It is listed when somebody looks (distribution-spec 1.1, "Listing Referrers"), anew when the
 * document is another one, and in the background when it was listed as long ago as a tag is asked
 * again (refresh=). What is only here, a folder that is about to be attached, is among them and
 * needs no list; see attach.h.
 */
#ifndef INDEXFS_FS_TREE_REFERRERS_H
#define INDEXFS_FS_TREE_REFERRERS_H

#include <stdbool.h>
#include <stdint.h>

#include "document.h"
#include "error.h"
#include "fs/tree/tree.h"

#define REFERRERS_NAME "referrers"

struct referrers {
	struct digest listed; /* what the list is of; unset: there was no document */
	int64_t asked_ms; /* by the monotonic clock */
	uint64_t generation; /* of the list: the order of the folders that are in it */
	bool asking; /* in the background */
	bool unasked; /* it could not be asked the last time */
};

/* The directory for a folder .oci. One pin, no parent; NULL when out of memory. */
struct node *referrers_new(struct tree *tree);

/* The directory of a tag or folder; NULL where nobody has looked for it yet. */
struct node *referrers_of(const struct node *owner);

/* Whose referrers they are: the tag or folder; NULL where that has gone. */
struct node *referrers_owner(const struct node *referrers);

/* Whether the list is here, of what the document is now. */
bool referrers_are_listed(const struct node *referrers);

/* Asks the store; takes the lock. subject: what it was asked of. ERROR_TOO_LARGE. */
int referrers_fetch(struct tree *tree, struct node *referrers, struct document *out,
	struct digest *subject, struct error *err);
/* Shows what was fetched: folders of what was there already stay. The lock is held. */
int referrers_show(struct tree *tree, struct node *referrers, const struct document *list,
	const struct digest *subject, struct error *err);

/* Somebody looks at it: where that is due it is asked again, on the pool. Takes the lock. */
void referrers_touch(struct tree *tree, struct node *referrers);

#endif
