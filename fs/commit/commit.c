#include "fs/commit/commit.h"

#include <malloc.h>
#include <stdlib.h>
#include <time.h>

#include "cancel.h"
#include "cleanup.h"
#include "crash_point.h"
#include "fs/commit/plan.h"
#include "fs/commit/push.h"
#include "fs/commit/watch.h"
#include "fs/tree/adopt.h"
#include "fs/tree/conflict.h"
#include "fs/tree/durable.h"
#include "fs/tree/tag.h"
#include "fs/tree/text.h"

#define STOP_TRIES 100 /* tenths of a second */
#define STOP_WATCH_TRIES 30 /* the same where only a push is watched */

/* Nothing is to be published: what others have published is shown, as far as it is known of. */
static void catch_up(struct tree *tree, struct node *tag, struct cancel *cancel)
{
	const struct adoption how = {.by_commit = true};
	cleanup_with(version_clear) struct version now = VERSION_INIT;
	struct error err = ERROR_INIT;

	if (!tag->tag->moved)
		return;
	if (version_copy(&now, &tag->tag->now, &err) ||
		tag_adopt(tree, tag, &now, &how, cancel, &err))
		tree_report_unlocked(tree, tag, "what others have published isn't shown", &err);
}

static void forget_conflicts(struct tree *tree, struct node *tag)
{
	pthread_mutex_lock(&tree->lock);
	conflicts_clear(&tag->tag->conflicts);
	pthread_mutex_unlock(&tree->lock);
}

static int make_configs(struct plan *plan, struct cancel *cancel, struct error *err)
{
	if (plan->tree->options.profile == PROFILE_HOMEBREW)
		return plan_bottles(plan, cancel, err);
	return plan_images(plan, cancel, err);
}

/* The way from what was written to what the registry has. */
static int commit(struct plan *plan, struct tree *tree, struct node *tag, struct node *const *focus,
	size_t focus_count, struct cancel *cancel, struct error *err)
{
	cleanup_with(pushed_clear) struct pushed pushed = PUSHED_INIT;
	bool needed;

	if (plan_collect(plan, tree, tag, focus, focus_count, err))
		return -1;
	CRASH_POINT("commit.collected");
	if (plan_check_attached(plan, err) || plan_seal(plan, cancel, err))
		return -1;
	CRASH_POINT("commit.sealed");
	if (plan_layers(plan, err) || make_configs(plan, cancel, err) || plan_build(plan, err))
		return -1;
	CRASH_POINT("commit.built");
	needed = plan_is_needed(plan);
	if (needed && (plan_check(plan, cancel, err) || push(&pushed, plan, cancel, err)))
		return -1;
	CRASH_POINT("commit.published");
	plan_settle(plan);
	CRASH_POINT("commit.settled");
	forget_conflicts(tree, tag);
	if (needed) {
		pushed_adopt(tree, tag, &pushed);
		watch_begin(tree, tag, &pushed);
	} else {
		catch_up(tree, tag, cancel);
	}
	CRASH_POINT("commit.adopted");
	return plan_attach(plan, cancel, err);
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

	if (result && durable_makes_room(tree, &err)) {
		plan_clear(&plan);
		error_clear(&err);
		result = commit(&plan, tree, node, focus, focus ? count : 0, cancel, &err);
	}
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
	void (*work)(struct tree *tree, struct node *tag, struct cancel *cancel);
};

/* What comes before the commits. */
static void run_work(struct run *run, struct cancel *cancel)
{
	struct tag *tag = run->tag->tag;

	pthread_mutex_lock(&run->tree->lock);
	tag->cancel = cancel;
	pthread_mutex_unlock(&run->tree->lock);
	run->work(run->tree, run->tag, cancel);
	pthread_mutex_lock(&run->tree->lock);
	tag->cancel = NULL;
	pthread_mutex_unlock(&run->tree->lock);
}

static void run_all(void *context)
{
	struct run *run = context;
	struct tag *tag = run->tag->tag;
	struct commit_request *batch;
	struct cancel cancel;

	cancel_init(&cancel);
	if (run->work) {
		run_work(run, &cancel);
		cancel_destroy(&cancel);
		cancel_init(&cancel);
	}
	while ((batch = batch_take(run->tree, tag, &cancel))) {
		batch_run(run->tree, run->tag, batch, &cancel);
		cancel_destroy(&cancel);
		cancel_init(&cancel);
	}
	cancel_destroy(&cancel);
	/* what a large index took would stay with the heap of this thread, and the next commit
	 * takes as much on another's */
	malloc_trim(0);
	text_take_waiting(run->tree, run->tag);
	pthread_mutex_lock(&run->tree->lock);
	node_unpin(&run->tree->inodes, run->tag);
	pthread_mutex_unlock(&run->tree->lock);
	free(run);
}

/* Starts a task that does the work, if any, and then commits until nobody waits; the lock is held.
 */
static int start(struct tree *tree, struct node *tag,
	void (*work)(struct tree *tree, struct node *tag, struct cancel *cancel), struct error *err)
{
	struct run *run = malloc(sizeof *run);

	if (!run)
		return error_set_memory(err);
	*run = (struct run){.tree = tree, .tag = tag, .work = work};
	node_pin(tag);
	if (pool_submit(tree->pool, run_all, run, err)) {
		node_unpin(&tree->inodes, tag);
		free(run);
		return -1;
	}
	tag->tag->committing = true;
	return 0;
}

bool commit_run(struct tree *tree, struct node *tag,
	void (*work)(struct tree *tree, struct node *tag, struct cancel *cancel))
{
	return !tag->tag->committing && !tag->tag->stopped && start(tree, tag, work, NULL) == 0;
}

void commit_request(struct tree *tree, struct node *tag, struct commit_request *request)
{
	struct error err = ERROR_INIT;
	int result = 0;

	request->abandoned = false;
	pthread_mutex_lock(&tree->lock);
	if (!tag->tag->committing)
		result = start(tree, tag, NULL, &err);
	if (!result) {
		request->next = tag->tag->waiting;
		tag->tag->waiting = request;
	}
	pthread_mutex_unlock(&tree->lock);
	if (result)
		request->done(request, &err);
}

/* Whether there is anything to wait for, and for how many tenths of a second in all. The lock is
 * held. */
static bool is_busy(const struct tag *tag, int *most)
{
	bool commits = tag->running || tag->waiting;

	*most = commits ? STOP_TRIES : STOP_WATCH_TRIES;
	return tag->committing || tag->last_push.watched;
}

void commit_stop(struct tree *tree)
{
	struct tag *tag = tree->root ? tree->root->tag : NULL;
	const struct timespec pause = {.tv_nsec = 100000000};
	bool busy = tag != NULL;
	int tries, most;

	for (tries = 0; busy; tries++) {
		pthread_mutex_lock(&tree->lock);
		busy = is_busy(tag, &most);
		tag->stopped = busy && tries >= most;
		if (tag->stopped && tag->cancel)
			cancel_fire(tag->cancel);
		busy = busy && !tag->stopped;
		pthread_mutex_unlock(&tree->lock);
		if (busy)
			nanosleep(&pause, NULL);
	}
}

void commit_abandon(struct tree *tree, struct node *tag, struct commit_request *request)
{
	pthread_mutex_lock(&tree->lock);
	request->abandoned = true;
	if (tag->tag->running && tag->tag->cancel && !batch_is_wanted(tag->tag->running))
		cancel_fire(tag->tag->cancel);
	pthread_mutex_unlock(&tree->lock);
}
