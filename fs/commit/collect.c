#include "fs/commit/config_file.h"
#include "fs/commit/plan.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "fs/tree/attach.h"
#include "fs/tree/durable.h"
#include "fs/tree/file.h"
#include "fs/tree/folder.h"
#include "fs/tree/referrer_name.h"
#include "fs/tree/referrers.h"
#include "fs/tree/status.h"
#include "fs/tree/tag.h"
#include "fs/tree/text.h"

#define CLOSING_NS 100000000

/* What collecting carries along. */
struct collect {
	struct plan *plan;
	struct plan_folder *folder;
	struct node *const *focus;
	size_t focus_count;
};

static bool has_focus(const struct collect *collect, const struct node *node)
{
	size_t i;

	for (i = 0; i < collect->focus_count; i++)
		if (collect->focus[i] == node)
			return true;
	return false;
}

static struct plan_file *file_add(struct plan_folder *folder, struct error *err)
{
	struct plan_file *files =
		reallocarray(folder->files, folder->file_count + 1, sizeof *files);

	if (!files) {
		error_set_memory(err);
		return NULL;
	}
	folder->files = files;
	memset(&files[folder->file_count], 0, sizeof *files);
	return &files[folder->file_count++];
}

/* What the file's descriptor is made from: its own layer, or the one that its title had. */
static int take_base(struct plan_file *out, const struct folder *folder, const struct file *file,
	struct error *err)
{
	long index = folder_layer_index(folder, out->path);
	const struct descriptor *base = NULL;

	if (file->has_layer && (!out->staged || index < 0))
		base = &file->layer;
	else if (index >= 0)
		base = &folder->manifest->items[index];
	if (!base)
		return 0;
	/* an execute bit goes with its file, also to where another layer had none */
	if (file->has_layer && folder_layer_mode(base) != folder_layer_mode(&file->layer))
		out->mode_set = true;
	out->has_base = true;
	out->same_title = !out->staged && index >= 0 &&
			  !strcmp(base->json, folder->manifest->items[index].json);
	return descriptor_copy(&out->base, base, err);
}

/* Whether a program is in the middle of writing a file that this commit isn't about. */
static bool is_in_progress(struct collect *collect, struct node *node)
{
	cleanup_free char *path = NULL;

	if (!node->file->changed || !file_is_in_progress(node->file) || has_focus(collect, node))
		return false;
	path = node_path(node, NULL);
	collect->folder->partial = true;
	log_write(collect->plan->tree->log, LOG_LEVEL_WARNING,
		"%s: a program is writing it: left as it was in this commit", path ? path : "");
	return true;
}

static int collect_file(struct collect *collect, struct node *node, struct error *err)
{
	struct file *file = node->file;
	struct folder *folder = collect->folder->node->folder;
	cleanup_free char *path = node_path(node, collect->folder->node);
	bool in_progress = is_in_progress(collect, node);
	struct plan_file *out;

	if (!path)
		return error_set_memory(err);
	if (in_progress && !file->has_layer && folder_layer_index(folder, path) < 0)
		return 0;
	if (durable_is_doubtful(node))
		return durable_doubt(node, err);
	out = file_add(collect->folder, err);
	if (!out)
		return -1;
	node_pin(node);
	out->node = node;
	out->in_progress = in_progress;
	out->mode_set = file->mode_set && !in_progress;
	out->mode = node->mode;
	out->order = node->order;
	out->cookie = node->cookie;
	out->changes = file->changes;
	if (file->changed && !in_progress)
		out->staged = staged_ref(file->staged);
	out->path = steal_ptr(path);
	if (file->media_type)
		out->media_type = strdup(file->media_type);
	if (file->media_type && !out->media_type)
		return error_set_memory(err);
	return take_base(out, folder, file, err);
}

static int collect_files(struct collect *collect, struct node *directory, struct error *err)
{
	size_t i;
	int result = 0;

	for (i = 0; i < directory->children.count && !result; i++) {
		struct node *node = directory->children.items[i];

		if (node->kind == NODE_DIRECTORY)
			result = collect_files(collect, node, err);
		else if (!node_is_scratch(collect->plan->tree, node) && !node_is_annotations(node))
			result = collect_file(collect, node, err);
	}
	return result;
}

static int by_file_order(const void *a, const void *b)
{
	const struct plan_file *left = a, *right = b;

	if (left->order != right->order)
		return left->order < right->order ? -1 : 1;
	return (left->cookie > right->cookie) - (left->cookie < right->cookie);
}

static int by_folder_order(const void *a, const void *b)
{
	const struct plan_folder *left = a, *right = b;

	return (left->order > right->order) - (left->order < right->order);
}

static int collect_folder(
	struct collect *collect, struct plan_folder *out, struct node *node, struct error *err)
{
	struct folder *folder = node->folder;

	if (!out->owner) {
		node_pin(node);
		out->node = node;
		collect->plan->folder_count++;
	}
	out->order = node->order;
	out->changes = folder->changes;
	out->has_platform = folder->has_platform;
	out->name = node_path(node, NULL);
	if (!out->name)
		return error_set_memory(err);
	if (folder->has_platform && platform_copy(&out->platform, &folder->platform, err))
		return -1;
	if (folder->has_entry &&
		descriptor_copy(&out->entry,
			folder->has_given_entry ? &folder->given_entry : &folder->entry, err))
		return -1;
	out->rebuilt = folder_is_loaded(node) && !folder->read_only &&
		       (folder_is_changed(folder) || !folder->has_entry);
	if (!out->rebuilt)
		return 0;
	collect->folder = out;
	config_file_collect(out);
	if (annotation_file_copy(&out->notes, &folder->notes, err) ||
		collect_files(collect, node, err))
		return -1;
	if (out->file_count)
		qsort(out->files, out->file_count, sizeof *out->files, by_file_order);
	/* its only file is just being replaced: the entry stays as it is */
	if (!out->file_count && out->partial && folder->has_entry)
		out->rebuilt = false;
	out->left_out = !out->file_count && out->rebuilt && !folder->whole;
	return 0;
}

/* An artifact stands in no index: what would be said of its entry is said in its manifest. */
static int take_descriptor_notes(struct plan_folder *out, struct error *err)
{
	const struct annotations *from = &out->notes.descriptor;

	for (size_t i = 0; i < from->count; i++)
		if (annotations_set(
			    &out->notes.manifest, from->items[i].key, from->items[i].value, err))
			return -1;
	return 0;
}

struct collect_attached {
	struct collect *collect;
	struct error *err;
};

static int collect_attached(void *context, struct node *node)
{
	struct collect_attached *collect = context;
	struct plan *plan = collect->collect->plan;
	struct plan_folder *folders = reallocarray(
				   plan->attached, plan->attached_count + 1, sizeof *folders),
			   *out;
	char type[REFERRER_TYPE_SIZE];

	if (!folders)
		return error_set_memory(collect->err);
	plan->attached = folders;
	out = &folders[plan->attached_count];
	memset(out, 0, sizeof *out);
	out->node = node;
	node_pin(node);
	out->owner = referrers_owner(node->parent);
	node_pin(out->owner);
	plan->attached_count++;
	if (referrer_type(type, node->name, collect->err))
		return -1;
	out->artifact_type = strdup(type);
	if (!out->artifact_type)
		return error_set_memory(collect->err);
	return collect_folder(collect->collect, out, node, collect->err) ||
			       take_descriptor_notes(out, collect->err)
		       ? -1
		       : 0;
}

static int collect_tag(struct collect *collect, struct node *tag, struct error *err)
{
	struct collect_attached attached = {.collect = collect, .err = err};
	struct plan *plan = collect->plan;
	size_t i;

	plan->folders = calloc(tag->children.count + 1, sizeof *plan->folders);
	if (!plan->folders)
		return error_set_memory(err);
	for (i = 0; i < tag->children.count; i++) {
		struct node *node = tag->children.items[i];

		if (node_is_stray(plan->tree, node))
			return error_set(err, ERROR_INVALID,
				"%s is in no platform folder: move it into one, or remove it",
				node->name);
		if (node->folder &&
			collect_folder(collect, &plan->folders[plan->folder_count], node, err))
			return -1;
	}
	if (attach_each(tag, collect_attached, &attached))
		return -1;
	qsort(plan->folders, plan->folder_count, sizeof *plan->folders, by_folder_order);
	plan->changes = tag->tag->changes;
	return annotations_copy(&plan->annotations, &tag->tag->annotations, err);
}

/* Files with a draft that hasn't been taken over, pinned. */
struct drafts {
	const struct collect *collect;
	struct node **items;
	size_t count;
	bool failed; /* for want of memory */
};

static void add_draft(void *context, struct node *file)
{
	struct drafts *drafts = context;
	struct node **items;

	if (!file->file->changed)
		return;
	/* somebody is just saving it, and will close it */
	if (file_is_in_progress(file->file) && !has_focus(drafts->collect, file))
		return;
	items = reallocarray(drafts->items, drafts->count + 1, sizeof(struct node *));
	if (!items) {
		drafts->failed = true;
		return;
	}
	node_pin(file);
	drafts->items = items;
	items[drafts->count++] = file;
}

static int add_drafts_of(void *context, struct node *folder)
{
	text_each(folder, add_draft, context);
	return 0;
}

static int collect_drafts(struct drafts *drafts, struct node *tag, struct error *err)
{
	for (size_t i = 0; i < tag->children.count; i++)
		if (tag->children.items[i]->kind == NODE_FOLDER)
			text_each(tag->children.items[i], add_draft, drafts);
	text_each(tag, add_draft, drafts);
	attach_each(tag, add_drafts_of, drafts);
	return drafts->failed ? error_set_memory(err) : 0;
}

static int take_draft(struct tree *tree, struct node *file, struct error *err)
{
	cleanup_free char *path = NULL;

	if (text_take_for_commit(tree, file, err) == 0)
		return 0;
	pthread_mutex_lock(&tree->lock);
	path = node_path(file, NULL);
	pthread_mutex_unlock(&tree->lock);
	return error_prefix(err, "%s", path ? path : "a draft");
}

static int take_drafts(
	const struct collect *collect, struct tree *tree, struct node *tag, struct error *err)
{
	struct drafts drafts = {.collect = collect};
	int result;

	pthread_mutex_lock(&tree->lock);
	result = collect_drafts(&drafts, tag, err);
	pthread_mutex_unlock(&tree->lock);
	for (size_t i = 0; i < drafts.count && !result; i++)
		result = take_draft(tree, drafts.items[i], err);
	pthread_mutex_lock(&tree->lock);
	for (size_t i = 0; i < drafts.count; i++)
		node_unpin(&tree->inodes, drafts.items[i]);
	pthread_mutex_unlock(&tree->lock);
	free(drafts.items);
	return result;
}

/* Whether some file was closed whose last close the kernel has yet to tell of. */
static bool is_being_closed(const struct node *node)
{
	size_t i;

	if (node->kind == NODE_FILE)
		return node->file->changed && file_is_being_closed(node->file);
	for (i = 0; i < node->children.count; i++)
		if (is_being_closed(node->children.items[i]))
			return true;
	return node->children.control && is_being_closed(node->children.control);
}

/* A program has closed its file when close(2) returns, but RELEASE comes a moment later. Waits for
 * that moment, with the lock held; what is still open then is being written. */
static void wait_for_closing(struct tree *tree, const struct node *tag)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += CLOSING_NS;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	while (is_being_closed(tag))
		if (pthread_cond_timedwait(&tree->closed, &tree->lock, &until))
			break;
}

int plan_collect(struct plan *plan, struct tree *tree, struct node *tag, struct node *const *focus,
	size_t focus_count, struct error *err)
{
	struct collect collect = {.plan = plan, .focus = focus, .focus_count = focus_count};
	int result;

	memset(plan, 0, sizeof *plan);
	plan->tree = tree;
	plan->now = time(NULL);
	result = take_drafts(&collect, tree, tag, err);
	pthread_mutex_lock(&tree->lock);
	node_pin(tag);
	plan->tag = tag;
	if (!result && tag_is_changed(tag)) {
		wait_for_closing(tree, tag);
		result = collect_tag(&collect, tag, err);
	}
	pthread_mutex_unlock(&tree->lock);
	return result;
}

static void file_clear(struct tree *tree, struct plan_file *file)
{
	node_unpin(&tree->inodes, file->node);
	if (file->staged)
		staged_put_back(file->staged);
	descriptor_clear(&file->base);
	descriptor_clear(&file->layer);
	free(file->path);
	free(file->media_type);
}

static void folder_clear(struct tree *tree, struct plan_folder *folder)
{
	size_t i;

	for (i = 0; i < folder->file_count; i++)
		file_clear(tree, &folder->files[i]);
	free(folder->files);
	config_file_clear(tree, folder);
	if (folder->config.staged)
		staged_put_back(folder->config.staged);
	homebrew_entry_clear(&folder->bottle);
	free(folder->name);
	platform_clear(&folder->platform);
	node_unpin(&tree->inodes, folder->node);
	if (folder->owner)
		node_unpin(&tree->inodes, folder->owner);
	free(folder->artifact_type);
	descriptor_clear(&folder->subject);
	annotation_file_clear(&folder->notes);
	descriptor_clear(&folder->entry);
	document_clear(&folder->manifest);
}

void plan_clear(struct plan *plan)
{
	struct tree *tree = plan->tree;
	size_t i;

	pthread_mutex_lock(&tree->lock);
	for (i = 0; i < plan->folder_count; i++)
		folder_clear(tree, &plan->folders[i]);
	for (i = 0; i < plan->attached_count; i++)
		folder_clear(tree, &plan->attached[i]);
	node_unpin(&tree->inodes, plan->tag);
	pthread_mutex_unlock(&tree->lock);
	free(plan->folders);
	free(plan->attached);
	if (plan->empty)
		staged_put_back(plan->empty);
	annotations_clear(&plan->annotations);
	homebrew_formula_clear(&plan->formula);
	version_clear(&plan->ours);
	free(plan->blobs);
	for (i = 0; i < plan->manifest_count; i++)
		document_clear(&plan->manifests[i]);
	free(plan->manifests);
}
