#include "fs/tree/tag.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cleanup.h"
#include "fs/tree/adopt.h"
#include "fs/tree/attach.h"
#include "fs/tree/durable.h"
#include "fs/tree/folder.h"
#include "fs/tree/history.h"
#include "fs/tree/notes.h"
#include "fs/tree/stale.h"
#include "fs/tree/status.h"
#include "fs/tree/text.h"
#include "layer_path.h"

void tag_free(struct tag *tag)
{
	if (!tag)
		return;
	free(tag->name);
	version_clear(&tag->base);
	version_clear(&tag->origin);
	version_clear(&tag->now);
	version_clear(&tag->last_push.before);
	version_clear(&tag->last_push.made);
	conflicts_clear(&tag->conflicts);
	annotations_clear(&tag->annotations);
	free(tag);
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
	return attach_waits_below(node);
}

static int add_folder(struct tree *tree, struct node *node, const struct entry_list *entries,
	size_t i, bool read_only, struct error *err)
{
	struct node *folder = folder_from_entry(tree, &entries->items[i], read_only, err);
	int result;

	if (!folder)
		return -1;
	folder->order = i;
	result = node_link(&tree->inodes, node, entries->names[i], folder, err);
	node_unpin(&tree->inodes, folder);
	return result;
}

static int add_folders(struct tree *tree, struct node *node, const struct entry_list *entries,
	bool read_only, struct error *err)
{
	size_t i;

	for (i = 0; i < entries->count; i++)
		if (add_folder(tree, node, entries, i, read_only, err))
			return -1;
	return 0;
}

int tag_fill(struct tree *tree, struct node *node, const struct document *index, struct error *err)
{
	struct entry_list entries = {.items = index->items, .count = index->count};
	int result;

	if (folder_names(&entries.names, index, err))
		return -1;
	result = add_folders(tree, node, &entries, true, err);
	entry_list_clear(&entries);
	return result;
}

/* A single manifest is one folder, whose content is at hand. */
static int fill_single(struct tree *tree, struct node *node, struct error *err)
{
	struct node *folder = node->children.items[0];
	cleanup_with(document_clear) struct document copy = DOCUMENT_INIT;

	return document_copy(&copy, &node->tag->base.root, err) ||
			       folder_fill(tree, folder, &copy, err)
		       ? -1
		       : 0;
}

static int fill(struct tree *tree, struct node *node, struct error *err)
{
	struct tag *tag = node->tag;
	cleanup_with(entry_list_clear) struct entry_list entries = {.items = NULL};

	if (version_entries(&entries, &tag->base, err) ||
		add_folders(tree, node, &entries, false, err))
		return -1;
	if (version_is_single(&tag->base))
		return fill_single(tree, node, err);
	if (annotations_copy(&tag->annotations, &tag->base.root.annotations, err))
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

/* The registry has said where it is. */
static void was_asked(struct tag *tag)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	tag->asked_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct node *tag_single(const struct node *tag)
{
	if (!version_is_single(&tag->tag->base))
		return NULL;
	for (size_t i = 0; i < tag->children.count; i++) {
		struct node *node = tag->children.items[i];

		if (node->kind == NODE_FOLDER && node->folder->has_entry)
			return node;
	}
	return NULL;
}

int tag_give(struct tag *tag, struct version *base, struct error *err)
{
	cleanup_with(version_clear) struct version origin = VERSION_INIT, now = VERSION_INIT;

	if (version_copy(&origin, &tag->base, err) || version_copy(&now, tag_now(tag), err))
		return -1;
	if (!tag->given)
		version_take(&tag->origin, &origin);
	version_take(&tag->now, &now);
	tag->moved = tag->given = true;
	version_take(&tag->base, base);
	return 0;
}

void tag_give_end(struct tag *tag)
{
	version_clear(&tag->origin);
	tag->given = tag->whole = false;
}

int tag_note(struct tag *tag, const struct version *now, struct error *err)
{
	cleanup_with(version_clear) struct version copy = VERSION_INIT;
	struct digest base = version_digest(&tag->base), found = version_digest(now);

	tag->moved = !digest_equal(&base, &found);
	if (tag->moved && version_copy(&copy, now, err))
		return -1;
	version_take(&tag->now, &copy);
	was_asked(tag);
	return 0;
}

/* What the history stands on, where something was done that isn't committed. */
static int take_history(struct tree *tree, struct tag *tag, struct error *err)
{
	struct history_base base;

	if (history_base(tree->history, &base, tree->store, tree->log, err))
		return -1;
	version_take(&tag->base, &base.version);
	tag->intents = base.intents;
	return 0;
}

static int take_base(
	struct tree *tree, struct tag *tag, const struct reference *reference, struct error *err)
{
	cleanup_with(version_clear) struct version now = VERSION_INIT;
	struct error reason = ERROR_INIT;
	struct digest found, base;
	int result = version_fetch(&now, tree->store, reference, NULL, &reason);

	was_asked(tag);
	if (history_is_empty(tree->history)) {
		version_take(&tag->base, &now);
		return result ? error_copy(err, &reason) : 0;
	}
	if (result && !is_unreachable(&reason))
		return error_copy(err, &reason);
	if (take_history(tree, tag, err))
		return -1;
	found = version_digest(&now);
	base = version_digest(&tag->base);
	tag->moved = !result && !digest_equal(&found, &base);
	tree->offline = result;
	if (result)
		tree_report(
			tree, NULL, "what isn't committed is shown without the registry", &reason);
	if (tag->moved)
		version_take(&tag->now, &now);
	return 0;
}

static void take_draft(void *context, struct node *file)
{
	text_take(context, file, NULL);
}

static int take_drafts_of(void *context, struct node *folder)
{
	text_each(folder, take_draft, context);
	return 0;
}

/* Drafts that were not taken over yet. Nobody else is here. */
static void take_drafts(struct tree *tree, struct node *root)
{
	size_t i;

	for (i = 0; i < root->children.count; i++)
		if (root->children.items[i]->kind == NODE_FOLDER)
			text_each(root->children.items[i], take_draft, tree);
	text_each(root, take_draft, tree);
	attach_each(root, take_drafts_of, tree);
}

/* What was restored is what there is: the journal tells of no more than that. The staged files that
 * only a damaged one names stay as long as that does. */
static void begin_anew(struct tree *tree)
{
	struct error err = ERROR_INIT;
	int result;

	if (!history_is_kept(tree->history))
		staging_sweep(tree->staging);
	if (history_is_empty(tree->history))
		return;
	pthread_mutex_lock(&tree->lock);
	result = tree->incomplete ? history_rebase(tree, &err) : history_compact(tree, &err);
	/* what a kill has left may not be on disk */
	durable_soon(tree);
	pthread_mutex_unlock(&tree->lock);
	if (result)
		tree_report(tree, NULL, tree->incomplete ? HISTORY_BEHIND : HISTORY_LONG, &err);
}

static int restore(struct tree *tree, struct error *err)
{
	size_t changes;

	if (!tree->history)
		return 0;
	if (history_replay(tree, err))
		return -1;
	take_drafts(tree, tree->root);
	begin_anew(tree);
	changes = status_changes(tree, tree->root);
	if (changes)
		log_write(tree->log, LOG_LEVEL_INFO,
			"%zu changes from before are here and not committed", changes);
	return 0;
}

/* What others have done since is shown, and on top of it what was done here. */
static int catch_up(struct tree *tree, struct node *node, struct error *err)
{
	const struct adoption how = {.by_commit = false};
	cleanup_with(version_clear) struct version now = VERSION_INIT;

	if (!node->tag->moved)
		return 0;
	log_write(tree->log, LOG_LEVEL_INFO, "the tag has moved since it was changed here");
	if (version_copy(&now, &node->tag->now, err))
		return -1;
	return tag_adopt(tree, node, &now, &how, NULL, err);
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
	if (take_base(tree, tag, reference, err))
		return -1;
	pthread_mutex_lock(&tree->lock);
	result = fill(tree, node, err);
	pthread_mutex_unlock(&tree->lock);
	return result || restore(tree, err) ? -1 : catch_up(tree, node, err);
}

/* Whether it has another platform here than in the base, and so a name of its own. */
static bool is_renamed(const struct folder *folder)
{
	const struct descriptor *entry = &folder->entry;

	return folder->has_platform != entry->has_platform ||
	       (entry->has_platform && !platform_equal(&folder->platform, &entry->platform));
}

void tag_name_folders(struct tree *tree, struct node *node)
{
	cleanup_with(entry_list_clear) struct entry_list entries = {.items = NULL};
	size_t i = node->children.count;

	if (version_entries(&entries, &node->tag->base, NULL))
		return;
	/* one that is moved becomes the last */
	while (i-- > 0) {
		struct node *child = node->children.items[i];
		const char *name;

		if (!child->folder || !child->folder->has_entry || child->order >= entries.count ||
			is_renamed(child->folder))
			continue;
		name = entries.names[child->order];
		if (node_child(node, name))
			continue;
		stale_name(tree, node, child->name);
		node_move(&tree->inodes, child, node, name, NULL);
	}
}
