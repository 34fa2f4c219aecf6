/*
 * referrers.h - lists of what refers to a manifest (distribution-spec 1.1, "Listing Referrers"),
 * and the tag that keeps such a list where a registry makes none itself ("Referrers Tag Schema").
 */
#ifndef INDEXFS_MODEL_REFERRERS_H
#define INDEXFS_MODEL_REFERRERS_H

#include <stdbool.h>
#include <stddef.h>

#include "document.h"
#include "reference.h"

/* The tag of the list of subject's referrers. */
void referrers_tag(char out[static TAG_MAX + 1], const struct digest *subject);

/* How a document stands in the list of its subject's referrers: its artifactType is, for a manifest
 * that has none, its config's media type; its annotations are the document's. */
int referrers_entry(struct descriptor *out, const struct document *document, struct error *err);

/* Appends the entry to the list, unless a descriptor of its digest is there: then the list stays as
 * it is. */
int referrers_add(struct document *list, const struct descriptor *entry, struct error *err);

/* Whether a header OCI-Filters-Applied names artifactType; value may be NULL. */
bool referrers_filtered(const char *value);

/* Entries collected from the pages of a list, each digest once. */
struct referrers {
	struct descriptor *items;
	size_t count;
	size_t bytes; /* of their texts: no more than a document may have */
};

#define REFERRERS_INIT                                                                             \
	{                                                                                          \
		.items = NULL                                                                      \
	}

void referrers_clear(struct referrers *referrers);

/* Takes an index's entries of this artifact type, or (NULL) all of them. ERROR_TOO_LARGE. */
int referrers_take(struct referrers *referrers, const struct document *page,
	const char *artifact_type, struct error *err);

/* A new index of the entries, in the order in which they came. */
int referrers_index(struct document *out, struct referrers *referrers, struct error *err);

#endif
