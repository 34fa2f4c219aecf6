/*
 * folder.h - a platform folder: an entry of the index, and the manifest that it names.
 *
 * What a folder shows is loaded on first use, once. From then on the nodes are the truth: layers
 * are its files, and notes are its annotations. What has changed since base is found by the
 * counters here; what it was is in entry and manifest.
 */
#ifndef INDEXFS_FS_TREE_FOLDER_H
#define INDEXFS_FS_TREE_FOLDER_H

#include <stdbool.h>
#include <stdint.h>

#include "annotation_file.h"
#include "descriptor.h"
#include "document.h"
#include "fs/tree/tree.h"

enum folder_state { FOLDER_UNLOADED, FOLDER_LOADING, FOLDER_LOADED };

/* Somebody who waits for a folder to be loaded. */
struct folder_waiter {
	/* Called once, with no lock held; err is NULL on success. */
	void (*ready)(struct folder_waiter *waiter, const struct error *err);
	struct folder_waiter *next;
};

struct folder {
	enum folder_state state;
	struct folder_waiter *waiters;
	bool read_only; /* within a nested index, or an entry that is no manifest */
	bool has_entry; /* it is in the base */
	struct descriptor entry; /* as it stands in the base; for a single manifest made from it */
	bool has_platform;
	struct platform platform; /* as it shall be */
	/* What the view stands on: the base's, or one that was given through .oci; NULL where new
	 * or not loaded. */
	struct document *manifest;
	bool given; /* it was, in part at least */
	bool whole; /* all of it was: it is published also where it has no layer */
	bool has_given_entry;
	struct descriptor given_entry; /* as it was given; notes and platform follow it */
	bool kept; /* the history has its manifest, or tells that it is new */
	char **paths; /* of the manifest's layers */
	struct annotation_file notes; /* as they shall be */
	struct annotation_file left; /* of layers that were removed, and may be made again */
	bool broken; /* the registry has no such manifest, or a damaged one */
	uint64_t changes; /* counts every change */
	uint64_t committed; /* changes that the base has */
};

/* Makes the folder for an entry of an index. One pin, no parent. NULL with *err. */
struct node *folder_from_entry(
	struct tree *tree, const struct descriptor *entry, bool read_only, struct error *err);
/* Makes a new, empty folder. */
struct node *folder_new(struct tree *tree, const struct platform *platform, struct error *err);

/* Whether its content is here: always true for what is no platform folder. */
bool folder_is_loaded(const struct node *node);

/* Loads on the pool and calls the waiter, or calls it at once where nothing is to be loaded.
 * Takes the lock. */
void folder_when_loaded(struct tree *tree, struct node *node, struct folder_waiter *waiter);

/* Blocks until it is loaded. Takes the lock. */
int folder_load(struct tree *tree, struct node *node, struct error *err);

/* Fills a folder that has no content yet from its manifest (which it takes over). */
int folder_fill(struct tree *tree, struct node *node, struct document *manifest, struct error *err);

/* The folder stands on another entry: that of from, a folder that was just made of it, which goes.
 * What it shows is loaded anew when it's needed; nothing that is only here may be in it. */
void folder_renew(struct tree *tree, struct node *node, struct node *from);

/* The same for a folder that is loaded, not changed, and may change to the manifest
 * (layers_can_change()), which it takes over: it goes on to be loaded. On failure it isn't. */
int folder_change(struct tree *tree, struct node *node, struct node *from,
	struct document *manifest, struct error *err);

/* There is no such entry any more: the folder, in which nothing has changed, goes; it stays, as one
 * that is only here, where something in it is. */
void folder_lose(struct tree *tree, struct node *node);

/* Makes the manifest, which is taken over, the base's; none. */
int folder_set_manifest(struct folder *folder, struct document *manifest, struct error *err);
void folder_drop_manifest(struct folder *folder);

/* Whether a commit makes the manifest: there is none, but for parts that were given. */
static inline bool folder_is_fresh(const struct folder *folder)
{
	return !folder->manifest || (folder->given && !folder->whole && !folder->has_entry);
}

/* What was given is committed, or goes. */
void folder_give_end(struct folder *folder);

/* Notes a change at the node, for its platform folder or its tag. */
void node_changed(struct node *node);
bool folder_is_changed(const struct folder *folder);

/* The mode of a layer's file, as its annotation has it. */
mode_t folder_layer_mode(const struct descriptor *layer);

/* The index in the base manifest of the layer whose path this is, or -1. */
long folder_layer_index(const struct folder *folder, const char *path);

#endif
