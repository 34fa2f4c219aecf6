/*
 * publish.h - the two pipelines over a store.
 *
 *     write   blobs -> manifests by digest -> index -> tag
 *     read    tag -> index -> manifest (-> blob, through the cache)
 */
#ifndef INDEXFS_PUBLISH_H
#define INDEXFS_PUBLISH_H

#include "store.h"

struct publish_blob {
	struct digest digest;
	struct store_source source;
};

/* What a commit makes of a tag. All of it is borrowed for the time of the call. */
struct publication {
	const char *tag;
	struct digest base; /* what the tag names, as far as is known; unset: no such tag */
	const struct publish_blob *blobs; /* each at most once */
	size_t blob_count;
	bool blobs_sent; /* they are there: set by publish(), which then asks for them no more */
	const struct document *manifests; /* those that the index names and that are new */
	size_t manifest_count;
	const struct document *root; /* the index, or the single manifest, that the tag gets */
	/* Called around the last look at the tag, its change and its being read back: those who can
	 * know of each other come one after the other. NULL: there is nobody. */
	int (*turn_begin)(void *turn, struct cancel *cancel, struct error *err);
	void (*turn_end)(void *turn);
	void *turn;
};

/* Publishes: all or nothing for a reader of the tag. ERROR_CONFLICT where the tag isn't at base
 * any more, and nothing has been tagged then; every error of the store. Uploads up to store->jobs
 * blobs at a time. A tag that is at root already, as after a push whose answer was lost, is done.
 * An index among the manifests comes after those that it names.
 *
 * *found is what the tag names afterwards: root, unless somebody who writes at the same time has
 * moved it on (unset: removed it) before it was read back. */
int publish(struct store *store, struct publication *publication, struct digest *found,
	struct cancel *cancel, struct error *err);

/* Reads what a reference names: its tag or its digest. ERROR_NOT_FOUND. */
int resolve_root(struct store *store, struct document *out, const struct reference *reference,
	struct cancel *cancel, struct error *err);

/* Reads the document that an entry of an index names; its digest, size and media type must agree
 * with the entry: ERROR_CORRUPT. */
int resolve_entry(struct store *store, struct document *out, const struct descriptor *entry,
	struct cancel *cancel, struct error *err);

#endif
