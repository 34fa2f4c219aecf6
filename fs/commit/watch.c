#include "fs/commit/watch.h"

#include <stdlib.h>
#include <time.h>

#include "fs/commit/commit.h"
#include "fs/tree/tag.h"

#define BUSY_MS 100 /* a commit is under way */
#define UNDONE_MAX 64 /* pushes of others that are undone for one of ours */
#define UNDONE_TIMES 3 /* how often the same one is */

/* The times between a push and the looks at the tag, as parts of the time that it's watched. */
static const int steps[] = {4, 4, 2};

#define STEPS (sizeof steps / sizeof steps[0])

struct watch {
	struct timer_task task;
	struct tree *tree;
	struct node *tag;
	size_t step;
	int64_t began_ms; /* when the first push of the chain was made */
	struct digest seen; /* what the tag was last found at, and is good */
	struct digest undone[UNDONE_MAX]; /* what others had made of it, each time */
	size_t undone_count;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Nothing more is looked at; the lock is held. */
static void end(struct watch *watch)
{
	struct last_push *last = &watch->tag->tag->last_push;

	last->watched = false;
	version_clear(&last->before);
	version_clear(&last->made);
}

/* The next look comes in so many milliseconds; the lock is held. */
static void arm(struct watch *watch, int delay_ms)
{
	if (timer_arm(watch->tree->timer, &watch->task, delay_ms, NULL))
		end(watch);
}

/* Looks at the tag later, as long as that makes sense; the lock is held. */
static void go_on(struct watch *watch)
{
	if (watch->step < STEPS)
		arm(watch, watch->tree->options.watch_ms / steps[watch->step++]);
	else
		end(watch);
}

/* Where a push is watched already and nobody has written in between, both are watched as one, for
 * as long as the first is. The lock is held. */
static bool is_of_chain(
	const struct watch *watch, const struct last_push *last, const struct version *before)
{
	struct digest made = version_digest(&last->made), found = version_digest(before);

	return last->watched && digest_equal(&made, &found) &&
	       now_ms() - watch->began_ms < watch->tree->options.watch_ms;
}

static void take(struct watch *watch, struct pushed *pushed)
{
	struct last_push *last = &watch->tag->tag->last_push;

	if (!is_of_chain(watch, last, &pushed->before)) {
		version_take(&last->before, &pushed->before);
		watch->began_ms = now_ms();
	}
	version_take(&last->made, &pushed->made.version);
	watch->seen = version_digest(&last->made);
	last->watched = true;
	watch->step = 0;
	go_on(watch);
}

void watch_begin(struct tree *tree, struct node *tag, struct pushed *pushed)
{
	struct watch *watch = tag->tag->watch;

	if (!watch)
		return;
	pthread_mutex_lock(&tree->lock);
	watch->undone_count = 0;
	take(watch, pushed);
	pthread_mutex_unlock(&tree->lock);
}

/* What the tag names now; unset where it isn't there. */
static int find(
	const struct watch *watch, struct digest *out, struct cancel *cancel, struct error *err)
{
	struct store *store = watch->tree->store;
	struct descriptor found = DESCRIPTOR_INIT;
	struct error why = ERROR_INIT;

	*out = (struct digest)DIGEST_NONE;
	if (store->ops->resolve(store, &found, watch->tag->tag->name, cancel, &why))
		return why.kind == ERROR_NOT_FOUND ? 0 : error_copy(err, &why);
	*out = found.digest;
	descriptor_clear(&found);
	return 0;
}

/* Whether that has been undone often enough: whoever does it again and again means it. */
static bool is_meant(const struct watch *watch, const struct digest *found)
{
	size_t times = 0;

	for (size_t i = 0; i < watch->undone_count; i++)
		times += digest_equal(&watch->undone[i], found);
	return times >= UNDONE_TIMES || watch->undone_count == UNDONE_MAX;
}

/* What others have made of it stays, and is shown. */
static void give_in(struct watch *watch, struct cancel *cancel)
{
	const struct reference reference = {.tag = watch->tag->tag->name};
	struct pushed found = PUSHED_INIT;
	struct error err = ERROR_INIT;

	log_write(watch->tree->log, LOG_LEVEL_WARNING,
		"somebody undoes what was published here again and again: it stays so");
	if (version_fetch(&found.made.version, watch->tree->store, &reference, cancel, &err) == 0)
		pushed_adopt(watch->tree, watch->tag, &found);
	pushed_clear(&found);
	pthread_mutex_lock(&watch->tree->lock);
	end(watch);
	pthread_mutex_unlock(&watch->tree->lock);
}

/* Somebody has written since: what is missing was put back, or nothing was. */
static void moved_on(struct watch *watch, struct pushed *pushed)
{
	struct digest before = version_digest(&pushed->before);
	struct digest made = version_digest(&pushed->made.version);
	bool put = !digest_equal(&before, &made);

	if (put)
		log_write(watch->tree->log, LOG_LEVEL_WARNING,
			"somebody has overwritten what was published here a moment ago: it was "
			"merged and published again");
	pushed_adopt(watch->tree, watch->tag, pushed);
	pthread_mutex_lock(&watch->tree->lock);
	if (put) {
		watch->undone[watch->undone_count++] = before;
		take(watch, pushed);
	} else {
		watch->seen = made;
		go_on(watch);
	}
	pthread_mutex_unlock(&watch->tree->lock);
}

/* Nothing has come of it: the tag is where it was, can't be asked, or is moved all the time. */
static void look_later(struct watch *watch, const struct digest *found, const struct error *err)
{
	struct tree *tree = watch->tree;

	pthread_mutex_lock(&tree->lock);
	if (err->kind == ERROR_CONFLICT) {
		watch->undone[watch->undone_count++] = *found;
		watch->step = 0;
	} else if (error_is_set(err)) {
		tree_report(tree, watch->tag,
			"whether others have overwritten what was published isn't known", err);
	}
	go_on(watch);
	pthread_mutex_unlock(&tree->lock);
}

static void look(struct tree *tree, struct node *tag, struct cancel *cancel)
{
	struct watch *watch = tag->tag->watch;
	struct pushed pushed = PUSHED_INIT;
	struct error err = ERROR_INIT;
	struct digest found;
	bool moved;

	if (!tag->tag->last_push.watched)
		return;
	moved = find(watch, &found, cancel, &err) == 0 && !digest_equal(&found, &watch->seen);
	if (moved && is_meant(watch, &found))
		give_in(watch, cancel);
	else if (moved && push_again(&pushed, tree, tag, cancel, &err) == 0)
		moved_on(watch, &pushed);
	else
		look_later(watch, &found, &err);
	pushed_clear(&pushed);
}

/* The timer's. */
static void tick(void *context)
{
	struct watch *watch = context;

	pthread_mutex_lock(&watch->tree->lock);
	/* what is watched is the commit's now */
	if (watch->tag->tag->last_push.watched && !commit_run(watch->tree, watch->tag, look))
		timer_arm(watch->tree->timer, &watch->task, BUSY_MS, NULL);
	pthread_mutex_unlock(&watch->tree->lock);
}

int watch_start(struct tree *tree, struct error *err)
{
	struct watch *watch;

	if (tree->options.read_only || tree->store->atomic_tags)
		return 0;
	watch = calloc(1, sizeof *watch);
	if (!watch)
		return error_set_memory(err);
	watch->tree = tree;
	watch->tag = tree->root;
	watch->task.run = tick;
	watch->task.context = watch;
	tree->root->tag->watch = watch;
	return 0;
}

void watch_stop(struct tree *tree)
{
	if (!tree->root || !tree->root->tag)
		return;
	free(tree->root->tag->watch);
	tree->root->tag->watch = NULL;
}
