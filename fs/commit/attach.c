#include <stdlib.h>

#include "cleanup.h"
#include "crash_point.h"
#include "fs/cache/cache.h"
#include "fs/commit/plan.h"
#include "fs/commit/turn.h"
#include "fs/tree/folder.h"
#include "fs/tree/history.h"
#include "fs/tree/referrer_name.h"
#include "fs/tree/referrers.h"
#include "fs/tree/stale.h"
#include "fs/tree/tag.h"
#include "parallel.h"

/* An artifact on its way. */
struct attaching {
	struct plan *plan;
	struct plan_folder *folder;
	struct publish_blob *blobs;
	size_t count;
	struct cancel *cancel;
};

static void attaching_clear(struct attaching *attaching)
{
	free(attaching->blobs);
}

/* Whether it was taken away while the commit ran. */
static bool is_gone(const struct plan_folder *folder)
{
	return !folder->node->parent || !node_tag(folder->owner);
}

/* What its owner is in the registry, now that all else is committed. The lock is held. */
static int take_subject(struct plan_folder *folder, struct error *err)
{
	const struct node *owner = folder->owner;

	if (owner->kind == NODE_TAG) {
		const struct document *root = &tag_now(owner->tag)->root;

		if (!version_exists(tag_now(owner->tag)))
			return error_set(err, ERROR_INVALID,
				"there is nothing to attach it to: the tag has no platform yet");
		return descriptor_create(&folder->subject, root->media_type, &root->digest,
			(int64_t)root->json_len, err);
	}
	if (!owner->folder->has_entry)
		return error_set(err, ERROR_INVALID,
			"there is nothing to attach it to: %s isn't in the index", owner->name);
	return descriptor_create(&folder->subject, owner->folder->entry.media_type,
		&owner->folder->entry.digest, owner->folder->entry.size, err);
}

static int blobs_gather(struct attaching *attaching, struct error *err)
{
	struct plan *plan = attaching->plan;
	const struct plan_folder *folder = attaching->folder;
	struct publish_blob *empty;

	attaching->blobs = calloc(folder->file_count + 1, sizeof *attaching->blobs);
	if (!attaching->blobs)
		return error_set_memory(err);
	empty = &attaching->blobs[attaching->count++];
	if (plan_stage_empty(plan, &empty->digest, &empty->source.size, err))
		return -1;
	empty->source.fd = staged_fd(plan->empty);
	for (size_t i = 0; i < folder->file_count; i++)
		if (folder->files[i].staged)
			attaching->blobs[attaching->count++] = (struct publish_blob){
				.digest = folder->files[i].digest,
				.source = {.fd = staged_fd(folder->files[i].staged),
					.size = folder->files[i].size},
			};
	return 0;
}

static int blob_send(void *context, size_t i, struct error *err)
{
	const struct attaching *attaching = context;
	const struct publish_blob *blob = &attaching->blobs[i];

	return store_blob_put(
		attaching->plan->tree->store, &blob->digest, &blob->source, attaching->cancel, err);
}

/* Where the registry makes no list of what refers to its subject, mounts of one machine change the
 * one that stands in its place one after the other. */
static int manifest_put(struct attaching *attaching, struct error *err)
{
	struct tree *tree = attaching->plan->tree;
	struct turn turn = {
		.path = tree->turn_path, .wait_ms = TURN_WAIT_MS, .log = tree->log, .fd = -1};
	int result;

	if (turn_begin(&turn, attaching->cancel, err))
		return -1;
	result = tree->store->ops->document_put(
		tree->store, &attaching->folder->manifest, NULL, NULL, attaching->cancel, err);
	turn_end(&turn);
	return result;
}

static int publish_artifact(struct attaching *attaching, struct error *err)
{
	struct tree *tree = attaching->plan->tree;
	struct store *store = tree->store;

	if (blobs_gather(attaching, err) ||
		parallel_for(attaching->count, store->jobs, blob_send, attaching, err))
		return -1;
	for (size_t i = 0; i < attaching->count; i++)
		cache_adopt(tree->cache, &attaching->blobs[i].digest,
			attaching->blobs[i].source.size, attaching->blobs[i].source.fd);
	CRASH_POINT("attach.blobs");
	if (manifest_put(attaching, err))
		return -1;
	CRASH_POINT("attach.published");
	return 0;
}

/* It goes on as what it is in the registry, or as what is shown of that already. */
static void become_published(struct tree *tree, struct plan *plan, struct plan_folder *folder)
{
	struct node *node = folder->node, *referrers = node->parent;
	const struct node *other;
	char name[FOLDER_NAME_SIZE];

	referrer_name(name, folder->artifact_type, &folder->manifest.digest, false);
	other = node_child(referrers, name);
	stale_name(tree, referrers, node->name);
	if (other && digest_equal(&other->folder->entry.digest, &folder->manifest.digest)) {
		node_unlink(&tree->inodes, node);
		return;
	}
	if (other)
		referrer_name(name, folder->artifact_type, &folder->manifest.digest, true);
	plan_settle_folder(plan, folder);
	node->folder->read_only = true;
	node->order = referrers->referrers->generation;
	node_move(&tree->inodes, node, referrers, name, NULL);
}

/* What was changed meanwhile is another artifact, of the next commit. */
static void settle(struct plan *plan, struct plan_folder *folder)
{
	struct tree *tree = plan->tree;
	struct error err = ERROR_INIT;

	pthread_mutex_lock(&tree->lock);
	log_write(tree->log, LOG_LEVEL_INFO, "%s is attached to %s as %s", folder->name,
		folder->subject.digest.text, folder->manifest.digest.text);
	if (!is_gone(folder) && folder->node->folder->changes == folder->changes)
		become_published(tree, plan, folder);
	else if (!is_gone(folder))
		folder->node->parent->referrers->listed = (struct digest)DIGEST_NONE;
	if (history_rebase(tree, &err))
		tree_report(tree, plan->tag, "the journal could not be made anew", &err);
	stale_tell(tree);
	pthread_mutex_unlock(&tree->lock);
}

/* Whether there is something to be published of it. It can't be added to later: as long as somebody
 * writes a file of it, it waits. */
static bool is_whole(const struct plan_folder *folder)
{
	return !folder->left_out && !folder->partial;
}

/* The platform folder that it is to be attached to; NULL: it is the tag. */
static const struct plan_folder *find_owner(
	const struct plan *plan, const struct plan_folder *folder)
{
	for (size_t i = 0; i < plan->folder_count; i++)
		if (plan->folders[i].node == folder->owner)
			return &plan->folders[i];
	return NULL;
}

int plan_check_attached(const struct plan *plan, struct error *err)
{
	for (size_t i = 0; i < plan->attached_count; i++) {
		const struct plan_folder *folder = &plan->attached[i];
		const struct plan_folder *owner = find_owner(plan, folder);

		if (is_whole(folder) && owner && owner->left_out && !owner->partial)
			return error_set(err, ERROR_INVALID,
				"there is nothing to attach it to: %s has no file: copy one into "
				"it, or remove %s",
				owner->name, folder->name);
	}
	return 0;
}

/* Whether there is something of it to be published now. It waits for the only file of its platform,
 * as long as somebody writes that. */
static bool is_wanted(const struct plan *plan, const struct plan_folder *folder)
{
	const struct plan_folder *owner = find_owner(plan, folder);
	struct tree *tree = plan->tree;
	bool wanted;

	pthread_mutex_lock(&tree->lock);
	wanted = !is_gone(folder);
	if (wanted && folder->left_out && !folder->partial) {
		log_write(tree->log, LOG_LEVEL_WARNING, "%s: an empty folder isn't attached",
			folder->name);
		folder->node->folder->committed = folder->changes;
	}
	pthread_mutex_unlock(&tree->lock);
	return wanted && is_whole(folder) && !(owner && owner->left_out);
}

static int attach(
	struct plan *plan, struct plan_folder *folder, struct cancel *cancel, struct error *err)
{
	cleanup_with(attaching_clear) struct attaching attaching = {
		.plan = plan,
		.folder = folder,
		.cancel = cancel,
	};
	int result;

	pthread_mutex_lock(&plan->tree->lock);
	result = take_subject(folder, err);
	pthread_mutex_unlock(&plan->tree->lock);
	if (result || plan_build_attached(plan, folder, err) || publish_artifact(&attaching, err))
		return error_prefix(err, "%s: not attached yet", folder->name);
	settle(plan, folder);
	CRASH_POINT("attach.settled");
	return 0;
}

int plan_attach(struct plan *plan, struct cancel *cancel, struct error *err)
{
	for (size_t i = 0; i < plan->attached_count; i++)
		if (is_wanted(plan, &plan->attached[i]) &&
			attach(plan, &plan->attached[i], cancel, err))
			return -1;
	return 0;
}
