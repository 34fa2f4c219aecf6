/*
 * merge.h - two changes of one tag become one: a three-way merge, without any I/O.
 *
 * What a tag named when our change began is the base; ours is what we would publish; theirs is what
 * it names now. The result is theirs with our changes in it: by entry of the index (the full
 * platform tuple; its digest for an entry without one), by layer within an entry (its title; its
 * digest for a layer without one), by annotation key of the index, an entry, a manifest, a config
 * and a layer, by artifactType, by subject, and by order: what they have keeps its place, what we
 * have added comes after it. What neither concerns keeps every byte of theirs. What only one side
 * has changed is taken from it as it is, to the byte.
 *
 * The same thing changed differently on both sides is a conflict; changed alike it is none. One
 * side removing what the other has changed is a conflict as well. What counts is what a document
 * says: another spelling of the same JSON (white space, order of an object's members, escapes) is
 * no change, though the digest of a manifest that is spelled anew is one of its entry.
 *
 * Where both have changed an image, its config is of the merged layers: it is made from theirs
 * (from ours, where theirs tells nothing but platform and layers), unless both have changed more in
 * it.
 *
 * A single manifest is one entry. Which one of another side's index, its digest tells, else its
 * platform; where neither does, the whole tag is one conflict, of the path ".".
 */
#ifndef INDEXFS_MERGE_H
#define INDEXFS_MERGE_H

#include "document.h"
#include "error.h"

/* What to do about a conflict. */
enum merge_choice { MERGE_UNSETTLED, MERGE_OURS, MERGE_THEIRS };

struct merge_input {
	/* Indexes or single manifests; NULL where the tag doesn't exist (base, theirs) or shall not
	 * exist any more. */
	const struct document *base, *ours, *theirs;
	/* Of a side that is a single manifest with an image config: the platform that the config
	 * says. NULL: not known. */
	const struct platform *base_platform, *ours_platform, *theirs_platform;
	/* Gives the manifest that an entry names, of whatever side, into an empty document. Called
	 * only for entries that differ on both sides. */
	int (*manifest)(void *context, struct document *out, const struct descriptor *entry,
		struct error *err);
	/* Gives the bytes of an image config, of whatever side, as a string to free; NULL where
	 * they can't be had for good. Called only for entries that both sides have changed. NULL:
	 * such a config is as any other. */
	int (*config)(void *context, char **out, size_t *len, const struct descriptor *config,
		struct error *err);
	/* NULL: every conflict is unsettled. path is as in merge_conflict. */
	enum merge_choice (*settle)(void *context, const char *path);
	void *context;
};

struct merge_conflict {
	/* "linux-amd64/app" for a layer, "linux-amd64/config", "linux-amd64/annotations.json:
	 * $manifest: KEY" for an annotation, "linux-amd64" for an entry, "annotations.json: KEY"
	 * for the index, "linux-amd64/.oci/artifact-type" and ".oci/index.json" and so on for other
	 * members, "." for the whole tag. Names are ours where we have the thing, else theirs. */
	char *path;
	/* Of the layer, config, manifest or index; unset where there is none. */
	struct digest ours, theirs;
};

/* An image config that neither side has yet. */
struct merge_config {
	struct digest digest;
	char *json;
	size_t len;
};

struct merge_result {
	/* Where there is no conflict left; empty (no json) where the tag shall not exist. */
	struct document root;
	struct document *manifests; /* those that root names and that neither side has yet */
	size_t manifest_count;
	struct merge_config *configs; /* those that these manifests name */
	size_t config_count;
	struct merge_conflict *conflicts; /* those that aren't settled */
	size_t conflict_count;
};

#define MERGE_RESULT_INIT                                                                          \
	{                                                                                          \
		.root = DOCUMENT_INIT                                                              \
	}

/* 0 also where there are conflicts. Linear in the number of entries, but for sorting. */
int merge(struct merge_result *out, const struct merge_input *input, struct error *err);
void merge_result_clear(struct merge_result *result);

#endif
