#include "fs/tree/referrers.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cleanup.h"
#include "fs/tree/folder.h"
#include "fs/tree/referrer_name.h"
#include "fs/tree/stale.h"
#include "fs/tree/tag.h"

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct node *referrers_new(struct tree *tree)
{
	struct node *node = tree_node(tree, NODE_REFERRERS, S_IFDIR | 0755);

	if (!node)
		return NULL;
	node->folder = calloc(1, sizeof *node->folder);
	node->referrers = calloc(1, sizeof *node->referrers);
	if (node->folder && node->referrers)
		return node;
	node_unpin(&tree->inodes, node);
	return NULL;
}

void referrers_free(struct referrers *referrers)
{
	free(referrers);
}

struct node *referrers_of(const struct node *owner)
{
	return owner->children.control ? node_child(owner->children.control, REFERRERS_NAME) : NULL;
}

struct node *referrers_owner(const struct node *referrers)
{
	return referrers->parent ? referrers->parent->parent : NULL;
}

/* The document whose referrers are listed; unset where there is none yet. */
static struct digest subject_of(const struct node *referrers)
{
	const struct node *owner = referrers_owner(referrers);

	if (owner && owner->kind == NODE_TAG)
		return version_digest(tag_now(owner->tag));
	if (owner && owner->folder && owner->folder->has_entry)
		return owner->folder->entry.digest;
	return (struct digest)DIGEST_NONE;
}

bool referrers_are_listed(const struct node *referrers)
{
	struct digest subject = subject_of(referrers);

	return referrers->folder->state == FOLDER_LOADED &&
	       digest_equal(&referrers->referrers->listed, &subject);
}

int referrers_fetch(struct tree *tree, struct node *referrers, struct document *out,
	struct digest *subject, struct error *err)
{
	pthread_mutex_lock(&tree->lock);
	*subject = subject_of(referrers);
	referrers->referrers->asked_ms = now_ms();
	pthread_mutex_unlock(&tree->lock);
	if (!digest_is_set(subject))
		return 0;
	return tree->store->ops->referrers(tree->store, out, subject, NULL, NULL, err);
}

/* The folder of an entry, if it is here, and the name that one would have. */
static struct node *find(const struct node *referrers, const struct descriptor *entry,
	char name[static FOLDER_NAME_SIZE])
{
	struct node *node;

	referrer_name(name, entry->artifact_type, &entry->digest, false);
	node = node_child(referrers, name);
	if (node && !digest_equal(&node->folder->entry.digest, &entry->digest)) {
		referrer_name(name, entry->artifact_type, &entry->digest, true);
		node = node_child(referrers, name);
	}
	return node;
}

static int show(struct tree *tree, struct node *referrers, const struct descriptor *entry,
	struct error *err)
{
	char name[FOLDER_NAME_SIZE];
	struct node *node = find(referrers, entry, name);
	int result = 0;

	if (!node) {
		node = folder_from_entry(tree, entry, true, err);
		if (!node)
			return -1;
		result = node_link(&tree->inodes, referrers, name, node, err);
		if (!result)
			node->order = referrers->referrers->generation;
		node_unpin(&tree->inodes, node);
		return result;
	}
	node->order = referrers->referrers->generation;
	return 0;
}

/* Takes away what the list has no more. */
static void hide_others(struct tree *tree, struct node *referrers)
{
	size_t i = referrers->children.count;

	while (i-- > 0) {
		struct node *node = referrers->children.items[i];

		if (!node->folder->has_entry || node->order == referrers->referrers->generation)
			continue;
		stale_name(tree, referrers, node->name);
		node_unlink(&tree->inodes, node);
	}
}

int referrers_show(struct tree *tree, struct node *referrers, const struct document *list,
	const struct digest *subject, struct error *err)
{
	referrers->referrers->generation++;
	for (size_t i = 0; i < list->count; i++)
		if (show(tree, referrers, &list->items[i], err))
			return -1;
	hide_others(tree, referrers);
	referrers->referrers->listed = *subject;
	referrers->folder->state = FOLDER_LOADED;
	stale_tell(tree);
	return 0;
}

struct asking {
	struct tree *tree;
	struct node *referrers; /* pinned */
};

/* What was listed stays shown where it can't be asked now; that is told once. */
static void ask(void *context)
{
	struct asking *asking = context;
	struct tree *tree = asking->tree;
	struct node *node = asking->referrers;
	cleanup_with(document_clear) struct document list = DOCUMENT_INIT;
	struct error err = ERROR_INIT;
	struct digest subject;
	int result = referrers_fetch(tree, node, &list, &subject, &err);

	pthread_mutex_lock(&tree->lock);
	if (!result)
		result = referrers_show(tree, node, &list, &subject, &err);
	if (result && !node->referrers->unasked)
		tree_report(tree, node, "isn't listed anew for now", &err);
	node->referrers->unasked = result != 0;
	node->referrers->asking = false;
	node_unpin(&tree->inodes, node);
	pthread_mutex_unlock(&tree->lock);
	free(asking);
}

static bool is_due(const struct tree *tree, const struct node *node)
{
	return tree->options.refresh_ms >= 0 && !node->referrers->asking &&
	       referrers_are_listed(node) &&
	       now_ms() - node->referrers->asked_ms >= tree->options.refresh_ms;
}

void referrers_touch(struct tree *tree, struct node *referrers)
{
	struct asking *asking = NULL;

	pthread_mutex_lock(&tree->lock);
	if (is_due(tree, referrers))
		asking = malloc(sizeof *asking);
	if (asking) {
		*asking = (struct asking){.tree = tree, .referrers = referrers};
		node_pin(referrers);
		referrers->referrers->asking = true;
		if (pool_submit(tree->pool, ask, asking, NULL)) {
			referrers->referrers->asking = false;
			node_unpin(&tree->inodes, referrers);
			free(asking);
		}
	}
	pthread_mutex_unlock(&tree->lock);
}
