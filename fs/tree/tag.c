#include "fs/tree/tag.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "fs/tree/folder.h"
#include "fs/tree/history.h"
#include "fs/tree/notes.h"
#include "fs/tree/status.h"
#include "image_config.h"
#include "layer_path.h"
#include "media_type.h"
#include "publish.h"

void tag_free(struct tag *tag)
{
	if (!tag)
		return;
	free(tag->name);
	document_clear(&tag->root);
	descriptor_clear(&tag->single);
	annotations_clear(&tag->annotations);
	free(tag);
}

bool tag_is_single(const struct tag *tag)
{
	return tag->exists && tag->root.kind == DOCUMENT_MANIFEST;
}

bool tag_is_changed(const struct node *node)
{
	size_t i;

	if (node->tag->changes != node->tag->committed)
		return true;
	for (i = 0; i < node->children.count; i++) {
		const struct node *child = node->children.items[i];

		if (child->folder && folder_is_changed(child->folder))
			return true;
	}
	return false;
}

int tag_fill(struct tree *tree, struct node *node, const struct document *index, bool read_only,
	struct error *err)
{
	char **names;
	size_t i;
	int result = 0;

	if (folder_names(&names, index, err))
		return -1;
	for (i = 0; i < index->count && !result; i++) {
		struct node *folder = folder_from_entry(tree, &index->items[i], read_only, err);

		if (!folder) {
			result = -1;
			break;
		}
		folder->order = i;
		result = node_link(&tree->inodes, node, names[i], folder, err);
		node_unpin(&tree->inodes, folder);
	}
	layer_paths_free(names, index->count);
	return result;
}

/* The entry that stands for a single manifest: its platform is its image config's. */
static int single_entry(struct tree *tree, const struct document *manifest,
	struct descriptor *entry, struct error *err)
{
	cleanup_with(buf_free) struct buf config = BUF_INIT(DOCUMENT_SIZE_MAX);
	struct platform platform = PLATFORM_INIT;
	int result;

	if (descriptor_create(entry, manifest->media_type, &manifest->digest,
		    (int64_t)manifest->json_len, err))
		return -1;
	if (manifest->artifact_type &&
		descriptor_set_artifact_type(entry, manifest->artifact_type, err))
		return -1;
	if (!manifest->has_config || !media_type_is_image_config(manifest->config.media_type))
		return 0;
	if (store_blob_read(tree->store, &config, &manifest->config, NULL, err))
		return -1;
	if (!image_config_platform(&platform, config.data, config.len))
		return 0;
	result = descriptor_set_platform(entry, &platform, err);
	platform_clear(&platform);
	return result;
}

static int fill_single(struct tree *tree, struct node *node, struct error *err)
{
	struct tag *tag = node->tag;
	cleanup_with(document_clear) struct document copy = DOCUMENT_INIT;
	char name[FOLDER_NAME_SIZE];
	struct node *folder;
	int result;

	if ((!tag->single.json && single_entry(tree, &tag->root, &tag->single, err)) ||
		document_copy(&copy, &tag->root, err))
		return -1;
	if (!tag->single.has_platform || !platform_name(name, &tag->single.platform))
		strcpy(name, PLATFORM_ANY);
	folder = folder_from_entry(tree, &tag->single, false, err);
	if (!folder)
		return -1;
	result = node_link(&tree->inodes, node, name, folder, err);
	if (!result)
		result = folder_fill(tree, folder, &copy, err);
	node_unpin(&tree->inodes, folder);
	return result;
}

static int fill(struct tree *tree, struct node *node, struct error *err)
{
	struct tag *tag = node->tag;

	if (!tag->exists)
		return 0;
	if (tag_is_single(tag))
		return fill_single(tree, node, err);
	if (annotations_copy(&tag->annotations, &tag->root.annotations, err))
		return -1;
	if (tag_fill(tree, node, &tag->root, false, err))
		return -1;
	return notes_show(tree, node, err);
}

/* Without the registry, what isn't committed can still be shown and changed. */
static bool is_unreachable(const struct error *err)
{
	return err->kind == ERROR_REFUSED || err->kind == ERROR_UNREACHABLE ||
	       err->kind == ERROR_TIMEOUT || err->kind == ERROR_SERVER ||
	       err->kind == ERROR_THROTTLED;
}

/* Whether a commit of ours was to give the tag this root. */
static bool is_intended(const struct history_base *base, const struct digest *root)
{
	size_t i;

	for (i = 0; i < base->intent_count && i < HISTORY_INTENTS; i++)
		if (digest_equal(&base->intents[i], root))
			return true;
	return false;
}

/* What the history stands on, where something was done that isn't committed; else what the
 * registry has now. */
static int take_root(
	struct tree *tree, struct tag *tag, const struct reference *reference, struct error *err)
{
	struct error reason = ERROR_INIT;
	struct document now = DOCUMENT_INIT;
	struct history_base base;
	int result = resolve_root(tree->store, &now, reference, NULL, &reason);
	bool missing = result && reason.kind == ERROR_NOT_FOUND && reference->tag;

	if (history_is_empty(tree->history)) {
		tag->root = now;
		tag->exists = !result;
		return !result || missing ? 0 : error_copy(err, &reason);
	}
	if (history_base(tree->history, &base, err)) {
		document_clear(&now);
		return -1;
	}
	tag->exists = base.root.json != NULL;
	tag->root = base.root;
	tag->single = base.entry;
	if (result && !missing && !is_unreachable(&reason)) {
		document_clear(&now);
		return error_copy(err, &reason);
	}
	if (!result && is_intended(&base, &now.digest))
		tag->ours = now.digest;
	if (result && !missing)
		tree_report(
			tree, NULL, "what isn't committed is shown without the registry", &reason);
	else if (!digest_equal(&now.digest, &tag->root.digest) && !digest_is_set(&tag->ours))
		log_write(tree->log, LOG_LEVEL_WARNING,
			"the tag has moved since it was changed here");
	document_clear(&now);
	return 0;
}

/* Drafts of annotations.json that were not taken over yet. */
static void take_drafts(struct tree *tree, struct node *root)
{
	size_t i;

	for (i = 0; i < root->children.count; i++) {
		struct node *node = root->children.items[i];
		struct node *file =
			node->kind == NODE_FOLDER ? node_child(node, ANNOTATIONS_NAME) : node;

		if (file && file->kind == NODE_FILE)
			notes_take(tree, file, NULL);
	}
}

/* What was restored is what there is: the journal tells of no more than that. */
static void begin_anew(struct tree *tree)
{
	struct error err = ERROR_INIT;
	int result;

	staging_sweep(tree->staging);
	/* an intent must outlive this: it says whose root the tag has */
	if (history_is_empty(tree->history) || digest_is_set(&tree->root->tag->ours))
		return;
	pthread_mutex_lock(&tree->lock);
	result = history_rebase(tree, &err);
	pthread_mutex_unlock(&tree->lock);
	if (result)
		tree_report(tree, NULL, "the journal could not be made anew", &err);
}

static int restore(struct tree *tree, struct error *err)
{
	size_t changes;

	if (!tree->history)
		return 0;
	if (history_replay(tree, err))
		return -1;
	take_drafts(tree, tree->root);
	if (!tree->incomplete)
		begin_anew(tree);
	changes = status_changes(tree, tree->root);
	if (changes)
		log_write(tree->log, LOG_LEVEL_INFO,
			"%zu changes from before are here and not committed", changes);
	return 0;
}

int tag_open(struct tree *tree, const struct reference *reference, struct error *err)
{
	struct node *node = tree_node(tree, NODE_TAG, S_IFDIR | 0755);
	struct tag *tag = calloc(1, sizeof *tag);
	int result;

	if (!node || !tag) {
		free(tag);
		return error_set_memory(err);
	}
	node->tag = tag;
	tree->root = node;
	if (reference->tag && !(tag->name = strdup(reference->tag)))
		return error_set_memory(err);
	if (take_root(tree, tag, reference, err))
		return -1;
	pthread_mutex_lock(&tree->lock);
	result = fill(tree, node, err);
	pthread_mutex_unlock(&tree->lock);
	return result ? -1 : restore(tree, err);
}
