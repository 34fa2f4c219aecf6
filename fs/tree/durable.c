#include "fs/tree/durable.h"

#include <errno.h>
#include <stdlib.h>

#include "cleanup.h"
#include "fs/tree/file.h"
#include "fs/tree/history.h"
#include "fs/tree/tag.h"
#include "fs/tree/upload.h"

#define DELAY_MS 1000
#define BEHIND_MS 5000 /* a journal that could not be made anew, on a full disk mostly */

/* Files whose bytes go to disk together. */
struct batch {
	struct staged **files;
	size_t count, capacity;
};

static void batch_add(struct batch *batch, struct staged *staged)
{
	size_t capacity = batch->capacity ? batch->capacity * 2 : 16;
	struct staged **files;

	if (batch->count == batch->capacity) {
		files = reallocarray(batch->files, capacity, sizeof(struct staged *));
		if (!files)
			return; /* the next time */
		batch->files = files;
		batch->capacity = capacity;
	}
	batch->files[batch->count++] = staged_ref(staged);
}

static void batch_clear(struct batch *batch)
{
	size_t i;

	for (i = 0; i < batch->count; i++)
		staged_put_back(batch->files[i]);
	free(batch->files);
}

static bool is_wanted(const struct file *file)
{
	return file->staged && file->changed && staged_disk(file->staged) == STAGED_CACHED &&
	       !file_is_in_progress(file);
}

/* What was closed; the lock is held. */
static void collect(struct batch *batch, const struct node *node)
{
	size_t i;

	if (node->kind == NODE_FILE && is_wanted(node->file))
		batch_add(batch, node->file->staged);
	for (i = 0; i < node->children.count; i++)
		collect(batch, node->children.items[i]);
	if (node->children.control)
		collect(batch, node->children.control);
}

/* The journal grows with each change; what it comes to doesn't. Its end of a commit is left alone:
 * that is made anew after it. The lock is held. */
static void compact(struct tree *tree)
{
	struct error err = ERROR_INIT;

	if (tree->root->tag->committing)
		return;
	if (history_is_behind(tree))
		history_rebase(tree, NULL); /* it was told when it came to be behind */
	else if (history_has_grown(tree) && history_compact(tree, &err))
		tree_report(tree, NULL, HISTORY_LONG, &err);
}

/* The bytes, then what tells of them, then what that doesn't tell of any more goes. */
static int put_on_disk(
	struct tree *tree, struct batch *batch, struct cancel *cancel, struct error *err)
{
	struct staging_gone gone;
	int fd, result = 0;
	size_t i;

	if (batch->count && staging_sync(tree->staging, batch->files, batch->count, cancel, err))
		return -1;
	pthread_mutex_lock(&tree->lock);
	for (i = 0; i < batch->count && !result; i++)
		result = history_on_disk(tree, batch->files[i], err);
	compact(tree);
	gone = staging_take_gone(tree->staging);
	fd = history_flush_begin(tree);
	pthread_mutex_unlock(&tree->lock);
	if (history_flush(tree, fd, err)) {
		free(gone.ids); /* the next mount removes them */
		return -1;
	}
	staging_remove_gone(tree->staging, &gone);
	return result;
}

static void put_all_on_disk(struct tree *tree, struct cancel *cancel)
{
	struct batch batch = {.files = NULL};
	struct error err = ERROR_INIT;
	bool wanted;

	pthread_mutex_lock(&tree->lock);
	collect(&batch, tree->root);
	wanted = batch.count || !history_is_flushed(tree);
	pthread_mutex_unlock(&tree->lock);
	if (wanted && put_on_disk(tree, &batch, cancel, &err) && err.kind != ERROR_INTERRUPTED)
		tree_report_unlocked(tree, tree->root, "what was written is not on disk", &err);
	batch_clear(&batch);
}

void durable_now(struct tree *tree)
{
	if (tree->history)
		put_all_on_disk(tree, NULL);
}

bool durable_makes_room(struct tree *tree, const struct error *err)
{
	if (err->kind != ERROR_SYSTEM || (err->status != ENOSPC && err->status != EDQUOT))
		return false;
	durable_now(tree);
	return true;
}

void durable_stop(struct tree *tree)
{
	cancel_fire(&tree->durable.cancel);
}

static void arm(struct tree *tree)
{
	struct durable *durable = &tree->durable;
	int64_t delay = history_is_behind(tree) ? BEHIND_MS : DELAY_MS;

	durable->due = !timer_arm(tree->timer, &durable->task, delay, NULL);
}

static void run(void *context)
{
	struct tree *tree = context;

	put_all_on_disk(tree, &tree->durable.cancel);
	pthread_mutex_lock(&tree->lock);
	tree->durable.running = false;
	if (tree->durable.again || history_is_behind(tree))
		arm(tree);
	pthread_mutex_unlock(&tree->lock);
}

/* The timer's: the pool does it. */
static void begin(void *context)
{
	struct tree *tree = context;

	pthread_mutex_lock(&tree->lock);
	tree->durable.due = tree->durable.again = false;
	tree->durable.running = !pool_submit(tree->pool, run, tree, NULL);
	pthread_mutex_unlock(&tree->lock);
}

void durable_soon(struct tree *tree)
{
	struct durable *durable = &tree->durable;

	if (!tree->history || !tree->timer || durable->due)
		return;
	durable->task.run = begin;
	durable->task.context = tree;
	if (durable->running)
		durable->again = true;
	else
		arm(tree);
}

int durable_leave(struct tree *tree, struct node *node, struct error *err)
{
	struct file *file = node->file;
	int fd = -1, result = 0;

	pthread_mutex_lock(&tree->lock);
	if (file->staged && file->changed && staged_disk(file->staged) == STAGED_ON_DISK) {
		staged_set_disk(file->staged, STAGED_CACHED);
		result = history_made(tree, node, err);
		if (!result)
			fd = history_flush_begin(tree);
	}
	pthread_mutex_unlock(&tree->lock);
	return history_flush(tree, fd, err) || result ? -1 : 0;
}

bool durable_is_doubtful(const struct node *node)
{
	return node->kind == NODE_FILE && node->file->staged && node->file->changed &&
	       !node_is_text(node) && staged_disk(node->file->staged) == STAGED_DOUBTFUL;
}

int durable_doubt(const struct node *node, struct error *err)
{
	cleanup_free char *path = node_path(node, NULL);

	return error_set(err, ERROR_INVALID,
		"%s may not be whole: this machine went down before it was on disk; look at it, "
		"then touch, rewrite or remove it",
		path ? path : node->name);
}

int durable_trust(struct tree *tree, struct node *node, struct error *err)
{
	if (!durable_is_doubtful(node))
		return 0;
	staged_set_disk(node->file->staged, STAGED_CACHED);
	if (history_made(tree, node, err)) {
		staged_set_disk(node->file->staged, STAGED_DOUBTFUL);
		return -1;
	}
	upload_consider(tree, node);
	return 0;
}
