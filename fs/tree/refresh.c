#include "fs/tree/refresh.h"

#include <stdlib.h>
#include <time.h>

#include "cleanup.h"
#include "fs/tree/adopt.h"
#include "fs/tree/referrers.h"
#include "fs/tree/tag.h"

#define UNASKED_MS 1000
#define UNASKED_MOST_MS 60000

struct refresh {
	struct tree *tree;
	struct node *tag; /* pinned */
	struct cancel cancel;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Whether the registry says that the tag is where it was. That it isn't there may be a passing
 * mistake: that has to be said twice. */
static int ask(struct refresh *refresh, bool *moved, struct error *err)
{
	struct tree *tree = refresh->tree;
	struct store *store = tree->store;
	struct tag *tag = refresh->tag->tag;
	struct descriptor found = DESCRIPTOR_INIT;
	struct error why = ERROR_INIT;
	struct digest known;

	*moved = true;
	if (store->ops->resolve(store, &found, tag->name, &refresh->cancel, &why) &&
		why.kind != ERROR_NOT_FOUND)
		return error_copy(err, &why);
	pthread_mutex_lock(&tree->lock);
	known = version_digest(tag_now(tag));
	*moved = !digest_equal(&known, &found.digest);
	pthread_mutex_unlock(&tree->lock);
	descriptor_clear(&found);
	return 0;
}

/* Shows what the tag has become. */
static int follow(struct refresh *refresh, struct error *err)
{
	const struct reference reference = {.tag = refresh->tag->tag->name};
	struct tree *tree = refresh->tree;
	const struct adoption how = {.by_commit = false};
	cleanup_with(version_clear) struct version now = VERSION_INIT;
	struct digest digest;

	if (version_fetch(&now, tree->store, &reference, &refresh->cancel, err))
		return -1;
	digest = version_digest(&now);
	log_write(tree->log, LOG_LEVEL_INFO, "others have moved %s: it is %s", reference.tag,
		digest_is_set(&digest) ? digest.text : "gone");
	return tag_adopt(tree, refresh->tag, &now, &how, &refresh->cancel, err);
}

/* The tag is where it was: shows what could not be shown of it before, if there is any. */
static int catch_up(struct refresh *refresh, struct error *err)
{
	struct tree *tree = refresh->tree;
	struct tag *tag = refresh->tag->tag;
	const struct adoption how = {.again = true};
	cleanup_with(version_clear) struct version now = VERSION_INIT;
	bool behind;
	int result = 0;

	pthread_mutex_lock(&tree->lock);
	behind = tag_is_behind(tree, refresh->tag);
	if (behind)
		result = version_copy(&now, &tag->now, err);
	pthread_mutex_unlock(&tree->lock);
	if (result || !behind)
		return result;
	return tag_adopt(tree, refresh->tag, &now, &how, &refresh->cancel, err);
}

/* The view stays as it is where the registry can't be asked; that is told once. */
static void end(struct refresh *refresh, const struct error *err)
{
	struct tree *tree = refresh->tree;
	struct tag *tag = refresh->tag->tag;

	pthread_mutex_lock(&tree->lock);
	if (error_is_set(err) && !tag->unasked)
		tree_report(tree, refresh->tag, "the tag isn't followed for now", err);
	tag->unasked = error_is_set(err) ? tag->unasked + 1 : 0;
	tag->asking = NULL;
	node_unpin(&tree->inodes, refresh->tag);
	pthread_mutex_unlock(&tree->lock);
	cancel_destroy(&refresh->cancel);
	free(refresh);
}

static void run(void *context)
{
	struct refresh *refresh = context;
	struct error err = ERROR_INIT;
	bool moved;

	if (ask(refresh, &moved, &err) == 0) {
		if (moved)
			follow(refresh, &err);
		else
			catch_up(refresh, &err);
	}
	end(refresh, &err);
}

/* After how long it is asked again: less and less often where it can't be asked. */
static int64_t interval_ms(const struct tree *tree, const struct tag *tag)
{
	int64_t interval = tree->options.refresh_ms;

	if (tag->unasked && interval < UNASKED_MS)
		interval = UNASKED_MS;
	for (unsigned i = 1; i < tag->unasked && interval < UNASKED_MOST_MS; i++)
		interval *= 2;
	return interval;
}

/* Whether it is time to ask. While our last push is watched, that is who asks. */
static bool is_due(const struct tree *tree, const struct tag *tag)
{
	return tree->options.refresh_ms >= 0 && tag->name && !tag->asking && !tag->committing &&
	       !tag->last_push.watched && now_ms() - tag->asked_ms >= interval_ms(tree, tag);
}

/* The lock is held. */
static void begin(struct tree *tree, struct node *tag)
{
	struct refresh *refresh = malloc(sizeof *refresh);

	if (!refresh)
		return;
	*refresh = (struct refresh){.tree = tree, .tag = tag};
	cancel_init(&refresh->cancel);
	node_pin(tag);
	tag->tag->asked_ms = now_ms();
	tag->tag->asking = &refresh->cancel;
	if (pool_submit(tree->pool, run, refresh, NULL) == 0)
		return;
	tag->tag->asking = NULL;
	node_unpin(&tree->inodes, tag);
	cancel_destroy(&refresh->cancel);
	free(refresh);
}

void refresh_stop(struct tree *tree)
{
	struct tag *tag = tree->root ? tree->root->tag : NULL;

	pthread_mutex_lock(&tree->lock);
	tree->options.refresh_ms = -1;
	if (tag && tag->asking)
		cancel_fire(tag->asking);
	pthread_mutex_unlock(&tree->lock);
}

void refresh_touch(struct tree *tree, struct node *node)
{
	struct node *tag;

	if (node->kind == NODE_REFERRERS)
		referrers_touch(tree, node);
	pthread_mutex_lock(&tree->lock);
	tag = node_tag(node);
	if (tag && node->kind != NODE_CONTROL && is_due(tree, tag->tag))
		begin(tree, tag);
	pthread_mutex_unlock(&tree->lock);
}
