#include "fs/commit/config_file.h"
#include "fs/commit/plan.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "crash_point.h"
#include "fs/cache/cache.h"
#include "fs/tree/control.h"
#include "fs/tree/file.h"
#include "fs/tree/folder.h"
#include "fs/tree/history.h"
#include "fs/tree/notes.h"
#include "fs/tree/stale.h"
#include "fs/tree/tag.h"
#include "fs/tree/upload.h"

/* Keeps what was published as cached blobs, so that it isn't fetched to be read. */
static void keep_blobs(struct plan *plan)
{
	size_t i;

	for (i = 0; i < plan->blob_count; i++)
		cache_adopt(plan->tree->cache, &plan->blobs[i].digest, plan->blobs[i].source.size,
			plan->blobs[i].source.fd);
}

/* The staged file goes where the blob is on local disk now. */
static void drop_staged(struct tree *tree, struct file *file)
{
	struct blob *blob = cache_blob(tree->cache, &file->layer.digest, file->layer.size, NULL);

	if (!blob)
		return;
	if (blob_is_local(blob)) {
		staged_put_back(file->staged);
		file->staged = NULL;
	}
	blob_put_back(blob);
}

static void settle_file(struct tree *tree, struct plan_file *planned,
	const struct descriptor *layer, uint64_t order)
{
	struct file *file = planned->node->file;
	struct descriptor copy = DESCRIPTOR_INIT;

	planned->node->order = order;
	/* what it has become meanwhile stays */
	if (planned->in_progress || file->changes != planned->changes ||
		descriptor_copy(&copy, layer, NULL))
		return;
	if (file->blob)
		blob_put_back(file->blob);
	file->blob = NULL;
	descriptor_clear(&file->layer);
	file->layer = copy;
	file->has_layer = true;
	file->mode_set = false;
	free(steal_ptr(file->media_type)); /* the layer's, from now on */
	if (planned->staged) {
		file->changed = false;
		staged_set_disk(file->staged, STAGED_CACHED); /* nothing tells of it any more */
		upload_withdraw(tree, planned->node);
		drop_staged(tree, file);
	}
}

static void take_entry(struct folder *folder, struct descriptor *entry)
{
	descriptor_clear(&folder->entry);
	folder->entry = *entry;
	*entry = (struct descriptor)DESCRIPTOR_INIT;
	folder->has_entry = true;
}

static void take_annotations(struct annotations *out, const struct document *document)
{
	struct annotations now = ANNOTATIONS_INIT;

	if (annotations_copy(&now, &document->annotations, NULL))
		return;
	annotations_clear(out);
	*out = now;
}

/* The notes are what the documents say, in their order: the commit itself may have annotated
 * (created), and what was said of a file that isn't there any more is said no longer. Of a file
 * that is still being written they say what is to come. */
static void take_notes(struct node *node, const struct plan_folder *planned)
{
	if (planned->partial)
		take_annotations(&node->folder->notes.manifest, node->folder->manifest);
	else
		notes_load(node, NULL);
}

/* An empty folder is in no index any more. It stays in this mount, where a program may be about to
 * fill it, and goes with it. */
static void leave_out(struct folder *folder, const struct plan_folder *planned)
{
	folder_drop_manifest(folder);
	folder_give_end(folder);
	folder->has_entry = false;
	descriptor_clear(&folder->entry);
	folder->committed = planned->changes;
	if (folder->changes == planned->changes)
		annotation_file_clear(&folder->left);
}

void plan_settle_folder(struct plan *plan, struct plan_folder *planned)
{
	struct node *node = planned->node;
	struct folder *folder = node->folder;
	size_t i;

	if (planned->left_out) {
		leave_out(folder, planned);
		notes_settle(plan->tree, node);
		return;
	}
	if (planned->rebuilt) {
		for (i = 0; i < planned->file_count; i++)
			settle_file(plan->tree, &planned->files[i], &planned->manifest.items[i], i);
		if (folder_set_manifest(folder, &planned->manifest, NULL))
			return;
	}
	take_entry(folder, &planned->entry);
	folder_give_end(folder);
	config_file_settle(planned);
	control_settle(node);
	if (planned->rebuilt && folder->changes == planned->changes)
		take_notes(node, planned);
	folder->committed = planned->changes;
	if (planned->partial)
		folder->changes++;
	if (planned->rebuilt && folder->changes == planned->changes)
		annotation_file_clear(&folder->left);
	if (planned->rebuilt)
		notes_settle(plan->tree, node);
}

/* Where nothing had to be published, the registry has it already. */
static void forget_given(struct tag *tag)
{
	if (tag->given) {
		version_clear(&tag->now);
		tag->moved = false;
	}
	tag_give_end(tag);
}

void plan_settle(struct plan *plan)
{
	struct tag *tag = plan->tag->tag;
	bool published = plan_is_needed(plan);
	struct error err = ERROR_INIT;
	uint64_t order = 0;
	size_t i;

	CRASH_POINT("settle.begin");
	keep_blobs(plan);
	CRASH_POINT("settle.cached");
	pthread_mutex_lock(&plan->tree->lock);
	for (i = 0; i < plan->folder_count; i++) {
		if (!plan->folders[i].left_out)
			plan->folders[i].node->order = order++;
		plan_settle_folder(plan, &plan->folders[i]);
	}
	if (plan->folders && (version_exists(&tag->base) || published))
		version_take(&tag->base, &plan->ours);
	if (plan->folders)
		forget_given(tag);
	control_settle(plan->tag);
	if (published) {
		version_clear(&tag->now);
		tag->moved = false;
		tag->last_push.older = tag->intents;
		tag->intents.count = 0;
	}
	if (plan->folders)
		tag->committed = plan->changes;
	if (plan->folders && tag->changes == plan->changes && !version_is_single(&tag->base))
		take_annotations(&tag->annotations, &tag->base.root);
	upload_again(plan->tree);
	notes_settle(plan->tree, plan->tag);
	if (published)
		tag_name_folders(plan->tree, plan->tag);
	CRASH_POINT("settle.nodes");
	if (plan->folders && history_rebase(plan->tree, &err))
		tree_report(plan->tree, plan->tag, HISTORY_BEHIND, &err);
	stale_tell(plan->tree);
	pthread_mutex_unlock(&plan->tree->lock);
}
