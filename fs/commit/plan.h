/*
 * plan.h - what a commit makes of a tag: the documents and blobs, from the nodes as they stand.
 *
 *     plan_collect   which folders and files have changed      (a moment under the lock)
 *     plan_seal      the digests of the files                  (hashing)
 *     plan_layers    the layers                                (pure)
 *     plan_images    image configs                             (unpacking, fetching)
 *     plan_bottles   in their place, Homebrew's documents      (the same)
 *     plan_build     manifests, entries, the index             (pure)
 *     plan_check     what given documents name is there        (asks the registry)
 *     plan_settle    the nodes stand on what was published      (a moment under the lock)
 *     plan_attach    artifacts whose subject all of that is     (building, sending, settling)
 *
 * What changes meanwhile stays changed, for the next commit.
 */
#ifndef INDEXFS_FS_PLAN_H
#define INDEXFS_FS_PLAN_H

#include <time.h>

#include "annotation_file.h"
#include "cancel.h"
#include "document.h"
#include "fs/tree/tree.h"
#include "fs/tree/version.h"
#include "homebrew.h"
#include "publish.h"

struct plan_file {
	struct node *node; /* pinned */
	struct staged *staged; /* a reference; NULL: the layer as it was */
	bool has_base;
	struct descriptor base; /* what the new descriptor is made from */
	bool same_title; /* base's title stays as it is */
	char *path;
	char *media_type;
	bool in_progress; /* it goes out as it was, and stays changed */
	bool mode_set; /* else base's stays as it is */
	mode_t mode;
	uint64_t order, cookie, changes;
	struct digest digest; /* where staged, once sealed */
	int64_t size;
	struct descriptor layer; /* what it becomes, from plan_layers() on */
};

/* A config that is to be published. */
struct plan_config {
	struct staged *staged; /* NULL: there is none */
	struct digest digest;
	int64_t size;
	bool tells_platform; /* it is another platform's than the base's */
};

struct plan_folder {
	struct node *node; /* pinned */
	char *name;
	bool has_platform;
	struct platform platform;
	bool rebuilt; /* its manifest is made anew; else just the entry, or nothing */
	bool partial; /* a file that is being written was left as it was */
	bool left_out; /* it has no file, and is in no index */
	uint64_t order, changes;
	struct plan_file *files;
	size_t file_count;
	struct annotation_file notes;
	struct node *config_file; /* .oci/config.json, pinned; NULL: nothing was written to it */
	struct plan_config written; /* what was, where it's still the manifest's config */
	uint64_t config_changes;
	struct plan_config config; /* where the base's, or the empty one, doesn't do */
	struct homebrew_entry bottle; /* of Homebrew's profile: what it's made from */
	struct descriptor entry;
	struct document manifest; /* where rebuilt */
	/* Of what is to be attached: */
	struct node *owner; /* to which: pinned; NULL: it is a platform folder */
	char *artifact_type;
	struct descriptor subject; /* once it is known */
};

struct plan {
	struct tree *tree;
	struct node *tag; /* pinned */
	uint64_t changes;
	time_t now;
	struct annotations annotations;
	struct plan_folder *folders;
	size_t folder_count;
	struct plan_folder *attached;
	size_t attached_count;
	bool of_homebrew; /* it's an index of bottles, of this formula */
	struct homebrew_formula formula;
	struct staged *empty; /* the empty config, where one is needed */
	struct version ours; /* what the tag would name if nobody else had changed it */
	struct publish_blob *blobs;
	size_t blob_count;
	struct document *manifests; /* copies of those that are new */
	size_t manifest_count;
};

/* focus: files that are taken as they are even while they're being written. ERROR_INVALID names
 * what must not be there: a stray file, a broken draft. Takes the lock. */
int plan_collect(struct plan *plan, struct tree *tree, struct node *tag, struct node *const *focus,
	size_t focus_count, struct error *err);
int plan_seal(struct plan *plan, struct cancel *cancel, struct error *err);
int plan_layers(struct plan *plan, struct error *err);
/* Makes the image configs of folders that have one, or are to have one. ERROR_INVALID names a layer
 * that is damaged; the errors of the store, which is asked for what isn't here. */
int plan_images(struct plan *plan, struct cancel *cancel, struct error *err);
/* The same by Homebrew's conventions: the whole entries. ERROR_INVALID says what is missing, or
 * contradicts what. */
int plan_bottles(struct plan *plan, struct cancel *cancel, struct error *err);
/* A config that is to be published. */
int plan_take_config(struct plan_config *out, struct plan *plan, const char *text, size_t len,
	struct error *err);
int plan_build(struct plan *plan, struct error *err);
/* ERROR_INVALID where a document that was given through .oci names what isn't there, and isn't sent
 * with it, or an image config of other layers, or in another order (of a manifest that an index
 * names: of another number): the path in the document is told. Asks the store. */
int plan_check(const struct plan *plan, struct cancel *cancel, struct error *err);
/* ERROR_INVALID where something is to be attached to a folder that the commit leaves out. */
int plan_check_attached(const struct plan *plan, struct error *err);
/* Whether the root differs from what the tag names. */
bool plan_is_needed(const struct plan *plan);
/* published: false where the plan wasn't needed. Takes the lock. */
void plan_settle(struct plan *plan);
/* Publishes what is to be attached, each artifact after its subject, which the plan has settled;
 * what has failed, and what comes after it, is left to the next commit. ERROR_INVALID where there
 * is no subject; every error of the store. Takes the lock. */
int plan_attach(struct plan *plan, struct cancel *cancel, struct error *err);
/* Takes the lock. */
void plan_clear(struct plan *plan);

/* For plan_attach(): the manifest of an artifact, and how it stands in the list of its subject's
 * referrers. */
int plan_build_attached(struct plan *plan, struct plan_folder *folder, struct error *err);
/* The empty config, staged and sealed: plan->empty. */
int plan_stage_empty(struct plan *plan, struct digest *digest, int64_t *size, struct error *err);
/* The folder stands on its entry and manifest. The lock is held. */
void plan_settle_folder(struct plan *plan, struct plan_folder *planned);

#endif
