#include "fs/commit/commit.h"

#include <stdlib.h>
#include <time.h>

#include "cancel.h"
#include "cleanup.h"
#include "crash_point.h"
#include "fs/commit/plan.h"
#include "fs/tree/history.h"
#include "fs/tree/tag.h"
#include "publish.h"

#define STOP_TRIES 100 /* tenths of a second */

static int intend(struct tree *tree, struct node *tag, const struct digest *root, struct error *err)
{
	const struct intent intent = {.root = *root, .ours = *root};
	int result;

	pthread_mutex_lock(&tree->lock);
	intents_add(&tag->tag->intents, &intent);
	result = history_intent(tree, &intent, err);
	pthread_mutex_unlock(&tree->lock);
	return result;
}

/* The way from what was written to what the registry has. */
static int commit(struct plan *plan, struct tree *tree, struct node *tag, struct node *const *focus,
	size_t focus_count, struct cancel *cancel, struct error *err)
{
	struct publication publication;
	struct digest found;

	if (plan_collect(plan, tree, tag, focus, focus_count, err))
		return -1;
	CRASH_POINT("commit.collected");
	if (plan_seal(plan, cancel, err))
		return -1;
	CRASH_POINT("commit.sealed");
	if (plan_build(plan, err))
		return -1;
	CRASH_POINT("commit.built");
	if (plan_is_needed(plan)) {
		publication = plan_publication(plan);
		if (require_check(&tree->options.require, &plan->ours.root,
			    version_platform(&plan->ours), err))
			return -1;
		if (intend(tree, tag, &plan->ours.root.digest, err))
			return -1;
		CRASH_POINT("commit.intended");
		if (publish(tree->store, &publication, &found, cancel, err))
			return -1;
		if (!digest_equal(&found, &plan->ours.root.digest))
			return store_tag_moved(
				err, tag->tag->name, &plan->ours.root.digest, &found);
		CRASH_POINT("commit.published");
		log_write(tree->log, LOG_LEVEL_INFO, "%s is now %s", tag->tag->name,
			plan->ours.root.digest.text);
	}
	plan_settle(plan);
	CRASH_POINT("commit.settled");
	return 0;
}

/* The files that this batch of requests was made on. */
static struct node **batch_focus(struct commit_request *batch, size_t *count)
{
	struct commit_request *request;
	struct node **focus;

	*count = 0;
	for (request = batch; request; request = request->next)
		++*count;
	focus = calloc(*count, sizeof *focus);
	*count = 0;
	for (request = batch; focus && request; request = request->next)
		if (request->focus)
			focus[(*count)++] = request->focus;
	return focus;
}

static void batch_answer(struct commit_request *batch, const struct error *err)
{
	while (batch) {
		struct commit_request *next = batch->next;

		batch->done(batch, err);
		batch = next;
	}
}

static bool batch_is_wanted(const struct commit_request *batch)
{
	for (; batch; batch = batch->next)
		if (!batch->abandoned)
			return true;
	return false;
}

/* Takes those who wait; NULL where nobody does, and no commit is under way from then on. */
static struct commit_request *batch_take(struct tree *tree, struct tag *tag, struct cancel *cancel)
{
	struct commit_request *batch;

	pthread_mutex_lock(&tree->lock);
	batch = steal_ptr(tag->waiting);
	tag->running = batch;
	tag->committing = batch != NULL;
	tag->cancel = batch ? cancel : NULL;
	if (batch && !batch_is_wanted(batch))
		cancel_fire(cancel);
	pthread_mutex_unlock(&tree->lock);
	return batch;
}

static void batch_run(
	struct tree *tree, struct node *node, struct commit_request *batch, struct cancel *cancel)
{
	struct error err = ERROR_INIT;
	struct plan plan;
	size_t count;
	struct node **focus = batch_focus(batch, &count);
	int result = commit(&plan, tree, node, focus, focus ? count : 0, cancel, &err);

	if (result)
		tree_report_unlocked(tree, node, "not committed", &err);
	pthread_mutex_lock(&tree->lock);
	node->tag->running = NULL;
	node->tag->cancel = NULL;
	pthread_mutex_unlock(&tree->lock);
	batch_answer(batch, result ? &err : NULL);
	plan_clear(&plan);
	free(focus);
}

struct run {
	struct tree *tree;
	struct node *tag; /* pinned */
};

static void run_commits(void *context)
{
	struct run *run = context;
	struct tag *tag = run->tag->tag;
	struct commit_request *batch;
	struct cancel cancel;

	cancel_init(&cancel);
	while ((batch = batch_take(run->tree, tag, &cancel))) {
		batch_run(run->tree, run->tag, batch, &cancel);
		cancel_destroy(&cancel);
		cancel_init(&cancel);
	}
	cancel_destroy(&cancel);
	pthread_mutex_lock(&run->tree->lock);
	node_unpin(&run->tree->inodes, run->tag);
	pthread_mutex_unlock(&run->tree->lock);
	free(run);
}

/* Starts a task that commits until nobody waits; the lock is held. */
static int start(struct tree *tree, struct node *tag, struct error *err)
{
	struct run *run = malloc(sizeof *run);

	if (!run)
		return error_set_memory(err);
	*run = (struct run){.tree = tree, .tag = tag};
	node_pin(tag);
	if (pool_submit(tree->pool, run_commits, run, err)) {
		node_unpin(&tree->inodes, tag);
		free(run);
		return -1;
	}
	tag->tag->committing = true;
	return 0;
}

void commit_request(struct tree *tree, struct node *tag, struct commit_request *request)
{
	struct error err = ERROR_INIT;
	int result = 0;

	request->abandoned = false;
	pthread_mutex_lock(&tree->lock);
	if (!tag->tag->committing)
		result = start(tree, tag, &err);
	if (!result) {
		request->next = tag->tag->waiting;
		tag->tag->waiting = request;
	}
	pthread_mutex_unlock(&tree->lock);
	if (result)
		request->done(request, &err);
}

void commit_stop(struct tree *tree)
{
	struct tag *tag = tree->root ? tree->root->tag : NULL;
	const struct timespec pause = {.tv_nsec = 100000000};
	int left = STOP_TRIES;
	bool committing = tag != NULL;

	while (committing && left-- > 0) {
		pthread_mutex_lock(&tree->lock);
		committing = tag->committing;
		if (committing && !left && tag->cancel)
			cancel_fire(tag->cancel);
		pthread_mutex_unlock(&tree->lock);
		if (committing && left)
			nanosleep(&pause, NULL);
	}
}

void commit_abandon(struct tree *tree, struct node *tag, struct commit_request *request)
{
	pthread_mutex_lock(&tree->lock);
	request->abandoned = true;
	if (tag->tag->cancel && !batch_is_wanted(tag->tag->running))
		cancel_fire(tag->tag->cancel);
	pthread_mutex_unlock(&tree->lock);
}
