#include "fs/commit/automatic.h"

#include <stdlib.h>
#include <time.h>

#include "fs/commit/commit.h"
#include "fs/tree/file.h"
#include "fs/tree/referrers.h"
#include "fs/tree/status.h"
#include "fs/tree/tag.h"

#define CLOSE_QUIET_MS 200 /* a file manager, or cp -r, closes many files in a row */
#define CLOSE_LIMIT_MS 2000
#define RETRY_MS 1000
#define RETRY_MOST_MS 300000
#define HURRY_MS 10000
#define LOOK_MS 100

struct automatic {
	struct commit_request request; /* first */
	struct timer_task task;
	struct tree *tree;
	struct node *tag;
	int64_t quiet_ms; /* nothing may have come for so long */
	int64_t limit_ms; /* so long a file that is being written is waited for; 0: until its end */
	int64_t first_ms, last_ms; /* when what waits came */
	int64_t task_ms; /* when the task comes, where it's armed */
	bool armed, running, again, finishing;
	pthread_cond_t ended; /* running isn't true any more */
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct next_commit *next_of(struct automatic *automatic)
{
	return &automatic->tag->tag->next;
}

/* Looks again at that time, or before. */
static void look_at(struct automatic *automatic, int64_t when_ms)
{
	int64_t delay = when_ms - now_ms();

	if (automatic->finishing || (automatic->armed && automatic->task_ms <= when_ms))
		return;
	automatic->task_ms = when_ms;
	automatic->armed =
		!timer_arm(automatic->tree->timer, &automatic->task, delay > 0 ? delay : 0, NULL);
}

static void wait_until(struct automatic *automatic, int64_t when_ms)
{
	next_of(automatic)->at_ms = when_ms;
	look_at(automatic, when_ms);
}

/* Waits for something to come. */
static void wait_for_user(struct automatic *automatic)
{
	next_of(automatic)->at_ms = 0;
}

static void forget(struct automatic *automatic)
{
	*next_of(automatic) = (struct next_commit){.waits = false};
}

/* What waits begins to wait now, or has waited for something and that may have come. */
static void touch(struct automatic *automatic)
{
	struct next_commit *next = next_of(automatic);

	automatic->again = automatic->running;
	if (automatic->running || !tag_is_changed(automatic->tag))
		return;
	automatic->last_ms = now_ms();
	if (!next->waits || next->tries)
		automatic->first_ms = automatic->last_ms;
	next->waits = true;
	wait_until(automatic, automatic->last_ms + automatic->quiet_ms);
}

/* Whether a program is in the middle of writing something that a commit is about. */
static bool is_being_written(const struct tree *tree, const struct node *node)
{
	const struct node *attached = referrers_of(node);
	size_t i;

	if (node->kind == NODE_FILE)
		return file_is_in_progress(node->file) && !node_is_scratch(tree, node);
	for (i = 0; i < node->children.count; i++)
		if (is_being_written(tree, node->children.items[i]))
			return true;
	return attached && is_being_written(tree, attached);
}

/* Whether it is time; else waits for that. */
static bool is_due(struct automatic *automatic, int64_t now)
{
	struct next_commit *next = next_of(automatic);
	struct error why = ERROR_INIT;
	int64_t limit = automatic->first_ms + automatic->limit_ms;

	if (next->at_ms > now) {
		look_at(automatic, next->at_ms);
		return false;
	}
	if (status_blocked(automatic->tree, automatic->tag, &why)) {
		next->error = why;
		wait_for_user(automatic);
		return false;
	}
	if (!is_being_written(automatic->tree, automatic->tag))
		return true;
	if (automatic->limit_ms && limit <= now)
		return true;
	if (automatic->limit_ms)
		wait_until(automatic, limit);
	else
		wait_for_user(automatic);
	return false;
}

/* The timer's: whether to begin is decided under the lock. */
static void look(void *context)
{
	struct automatic *automatic = context;
	struct tree *tree = automatic->tree;
	struct next_commit *next = next_of(automatic);
	bool begin = false;

	pthread_mutex_lock(&tree->lock);
	automatic->armed = false;
	if (!tag_is_changed(automatic->tag))
		forget(automatic);
	else if (next->waits && !automatic->running && !automatic->finishing)
		begin = next->at_ms && is_due(automatic, now_ms());
	automatic->running |= begin;
	pthread_mutex_unlock(&tree->lock);
	if (begin)
		commit_request(tree, automatic->tag, &automatic->request);
}

/* What only the user can mend. A tag that others move all the time is no such conflict. */
static bool is_for_user(const struct automatic *automatic, const struct error *err)
{
	return err->kind == ERROR_INVALID ||
	       (err->kind == ERROR_CONFLICT && automatic->tag->tag->conflicts.count);
}

static void failed(struct automatic *automatic, const struct error *err)
{
	struct next_commit *next = next_of(automatic);
	int64_t delay = RETRY_MS;
	unsigned i;

	for (i = 0; i < next->tries && delay < RETRY_MOST_MS; i++)
		delay *= 2;
	next->tries++;
	next->error = *err;
	if (is_for_user(automatic, err))
		wait_for_user(automatic);
	else
		wait_until(automatic, now_ms() + (delay < RETRY_MOST_MS ? delay : RETRY_MOST_MS));
}

static void ended(struct commit_request *request, const struct error *err)
{
	struct automatic *automatic = (struct automatic *)request;
	struct tree *tree = automatic->tree;

	pthread_mutex_lock(&tree->lock);
	automatic->running = false;
	if (err)
		failed(automatic, err);
	else
		forget(automatic);
	if (automatic->again)
		touch(automatic);
	pthread_cond_broadcast(&automatic->ended);
	pthread_mutex_unlock(&tree->lock);
}

static void set_mode(struct automatic *automatic, const struct tree_options *options)
{
	automatic->quiet_ms = CLOSE_QUIET_MS;
	if (options->commit == COMMIT_CLOSE)
		automatic->limit_ms = CLOSE_LIMIT_MS;
	else
		automatic->quiet_ms = (int64_t)options->idle_seconds * 1000;
}

int automatic_start(struct tree *tree, struct error *err)
{
	struct automatic *automatic;
	pthread_condattr_t monotonic;

	if (tree->options.read_only || tree->options.commit == COMMIT_FSYNC)
		return 0;
	automatic = calloc(1, sizeof *automatic);
	if (!automatic)
		return error_set_memory(err);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&automatic->ended, &monotonic);
	pthread_condattr_destroy(&monotonic);
	automatic->tree = tree;
	automatic->tag = tree->root;
	automatic->task = (struct timer_task){.run = look, .context = automatic};
	automatic->request.done = ended;
	set_mode(automatic, &tree->options);
	tree->root->tag->automatic = automatic;
	automatic_touched(tree, tree->root);
	return 0;
}

void automatic_touched(struct tree *tree, struct node *node)
{
	const struct node *tag;

	if (tree->options.commit != COMMIT_CLOSE && tree->options.commit != COMMIT_IDLE)
		return;
	pthread_mutex_lock(&tree->lock);
	tag = node_tag(node);
	if (tag && tag->tag->automatic)
		touch(tag->tag->automatic);
	pthread_mutex_unlock(&tree->lock);
}

void automatic_committed(struct tree *tree, struct node *tag)
{
	pthread_mutex_lock(&tree->lock);
	if (tag->tag->automatic && !tag_is_changed(tag))
		forget(tag->tag->automatic);
	pthread_mutex_unlock(&tree->lock);
}

/* Waits a moment for the end of the commit; the lock is held. */
static void wait_a_moment(struct automatic *automatic)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)LOOK_MS * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_cond_timedwait(&automatic->ended, &automatic->tree->lock, &until);
}

/* Waits until no commit of ours is under way; one that takes too long is ended. */
static void wait_for_end(struct automatic *automatic, bool (*hurried)(void *context), void *context)
{
	struct tree *tree = automatic->tree;
	int64_t until = 0;
	bool given_up = false;

	pthread_mutex_lock(&tree->lock);
	while (automatic->running) {
		if (!until && hurried(context))
			until = now_ms() + HURRY_MS;
		if (until && !given_up && now_ms() >= until) {
			given_up = true;
			pthread_mutex_unlock(&tree->lock);
			commit_abandon(tree, automatic->tag, &automatic->request);
			pthread_mutex_lock(&tree->lock);
		} else {
			wait_a_moment(automatic);
		}
	}
	pthread_mutex_unlock(&tree->lock);
}

void automatic_finish(struct tree *tree, bool (*hurried)(void *context), void *context)
{
	struct automatic *automatic = tree->root->tag->automatic;

	if (!automatic)
		return;
	pthread_mutex_lock(&tree->lock);
	automatic->finishing = true;
	pthread_mutex_unlock(&tree->lock);
	timer_disarm(tree->timer, &automatic->task);
	wait_for_end(automatic, hurried, context);
	pthread_mutex_lock(&tree->lock);
	file_forget_closed(tree->root);
	automatic->running = tag_is_changed(automatic->tag);
	pthread_mutex_unlock(&tree->lock);
	if (automatic->running) {
		log_write(tree->log, LOG_LEVEL_INFO, "committing before the end");
		commit_request(tree, automatic->tag, &automatic->request);
		wait_for_end(automatic, hurried, context);
	}
}

void automatic_stop(struct tree *tree)
{
	struct automatic *automatic = tree->root ? tree->root->tag->automatic : NULL;

	if (!automatic)
		return;
	tree->root->tag->automatic = NULL;
	pthread_cond_destroy(&automatic->ended);
	free(automatic);
}
