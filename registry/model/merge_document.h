/*
 * merge_document.h - documents: what stands beside the list, and whole manifests.
 */
#ifndef INDEXFS_MODEL_MERGE_DOCUMENT_H
#define INDEXFS_MODEL_MERGE_DOCUMENT_H

#include "registry/model/merge_run.h"

/* The same document on the three sides, all of one kind; the base may be NULL. */
struct merge_documents {
	const struct document *side[SIDE_COUNT];
};

/* A copy of theirs in which all but the config and the list is merged. *out is empty on failure. */
int merge_document(struct document *out, struct merge_run *run,
	const struct merge_documents *documents, const struct merge_place *place,
	struct error *err);

/* Whether it is an image on all three sides, whose configs can be asked for. */
bool merge_is_image(const struct merge_run *run, const struct merge_documents *documents);

/* The config of an image that both sides have changed, in a manifest whose layers are merged.
 * *done: it is; else a config isn't fit for that. */
int merge_image_config(bool *done, struct document *manifest, struct merge_run *run,
	const struct merge_documents *documents, const struct merge_place *place,
	struct error *err);

/* A whole manifest, of the entry with this folder name. *out is empty on failure. */
int merge_manifest(struct document *out, struct merge_run *run,
	const struct merge_documents *documents, const char *folder, struct error *err);

#endif
