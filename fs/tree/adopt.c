#include "fs/tree/adopt.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "fs/tree/file.h"
#include "fs/tree/history.h"
#include "fs/tree/notes.h"
#include "fs/tree/reshape.h"
#include "fs/tree/stale.h"
#include "fs/tree/tag.h"
#include "layer_path.h"
#include "parallel.h"
#include "publish.h"

/* Manifests by digest. */
struct hand {
	const struct document *root; /* of the other version: a single manifest is at hand */
	const struct document *given;
	size_t given_count;
	struct descriptor *wanted;
	struct document *fetched; /* those that can be had, by their digests once all are here */
	size_t count;
	struct tree *tree;
	struct cancel *cancel;
	bool again;
};

static void hand_clear(struct hand *hand)
{
	for (size_t i = 0; i < hand->count; i++) {
		descriptor_clear(&hand->wanted[i]);
		if (hand->fetched)
			document_clear(&hand->fetched[i]);
	}
	free(hand->wanted);
	free(hand->fetched);
}

static int by_digest(const void *a, const void *b)
{
	return strcmp(((const struct document *)a)->digest.text,
		((const struct document *)b)->digest.text);
}

static const struct document *hand_find(const void *context, const struct digest *digest)
{
	const struct hand *hand = context;
	const struct document key = {.digest = *digest};

	if (digest_equal(&hand->root->digest, digest))
		return hand->root;
	for (size_t i = 0; i < hand->given_count; i++)
		if (digest_equal(&hand->given[i].digest, digest))
			return &hand->given[i];
	if (!hand->fetched)
		return NULL;
	return bsearch(&key, hand->fetched, hand->count, sizeof *hand->fetched, by_digest);
}

static bool is_wanted(const struct hand *hand, const struct reshape_row *row)
{
	return reshape_wants(row) && !hand_find(hand, &row->item->digest);
}

/* Which manifests will be needed; the lock is held. */
static int hand_want(struct hand *hand, const struct reshape *reshape, struct error *err)
{
	size_t i, count = 0;

	for (i = 0; i < reshape->count; i++)
		count += is_wanted(hand, &reshape->rows[i]);
	hand->wanted = calloc(count + 1, sizeof *hand->wanted);
	if (!hand->wanted)
		return error_set_memory(err);
	for (i = 0; i < reshape->count; i++) {
		const struct reshape_row *row = &reshape->rows[i];

		if (!is_wanted(hand, row))
			continue;
		if (descriptor_copy(&hand->wanted[hand->count], row->item, err))
			return -1;
		hand->count++;
	}
	return 0;
}

/* What can't be had is no error of the whole. */
static int hand_fetch_one(void *context, size_t i, struct error *err)
{
	struct hand *hand = context;
	const struct descriptor *wanted = &hand->wanted[i];
	struct error why = ERROR_INIT;

	(void)err;
	if (history_document(hand->tree->history, &hand->fetched[i], &wanted->digest, NULL) &&
		resolve_entry(hand->tree->store, &hand->fetched[i], wanted, hand->cancel, &why))
		log_write(hand->tree->log, hand->again ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING,
			"a folder stays as it was for now: %s", why.message);
	return 0;
}

static int hand_fetch(struct hand *hand, struct error *err)
{
	struct document *fetched = calloc(hand->count + 1, sizeof *fetched);

	if (!fetched)
		return error_set_memory(err);
	hand->fetched = fetched;
	parallel_for(hand->count, hand->tree->store->jobs, hand_fetch_one, hand, NULL);
	qsort(fetched, hand->count, sizeof *fetched, by_digest);
	return 0;
}

/* Whether the base can become, or come closer to, the other version, where something was changed
 * here. A base that isn't an index leaves no room for both. What a commit of ours has left there
 * has the changes in it that are on top: it waits for the next commit. */
static bool has_room(const struct tag *tag, const struct version *now)
{
	struct digest digest = version_digest(now);

	return !tag->given && version_exists(now) && !version_is_single(now) &&
	       !version_is_single(&tag->base) && !intents_find(&tag->intents, &digest);
}

static bool is_possible(const struct node *tag, const struct version *now)
{
	return !tag_is_changed(tag) || has_room(tag->tag, now);
}

/* The entries of the base to be, where they aren't just those of the other version. */
static int set_items(struct document *root, const struct reshape *reshape, struct error *err)
{
	cleanup_free struct descriptor *items = calloc(reshape->count + 1, sizeof *items);
	size_t count = 0;
	bool same = true;

	if (!items)
		return error_set_memory(err);
	for (size_t i = 0; i < reshape->count; i++) {
		const struct descriptor *item = reshape->rows[i].item;

		if (!reshape_has_item(&reshape->rows[i]))
			continue;
		same &= count < root->count && !strcmp(item->json, root->items[count].json);
		items[count++] = *item; /* borrowed: they are copied */
	}
	return same && count == root->count ? 0 : document_set_items(root, items, count, err);
}

static bool is_index(const struct version *version)
{
	return version_exists(version) && !version_is_single(version);
}

/* The annotations of a version's index. */
static const struct annotations *annotations_of(const struct version *version)
{
	static const struct annotations none = ANNOTATIONS_INIT;

	return is_index(version) ? &version->root.annotations : &none;
}

/* Whether the index's annotations were changed here, or somebody is about to. */
static bool annotations_are_ours(const struct node *node)
{
	const struct node *file = node_child(node, ANNOTATIONS_NAME);
	const struct tag *tag = node->tag;

	return !annotations_equal(&tag->annotations, annotations_of(&tag->base)) ||
	       (file && file->kind == NODE_FILE &&
		       (file->file->changed || file_has_writer(file->file)));
}

/* The base to be, and the annotations. */
static int base_make(struct version *out, struct annotations *annotations,
	const struct reshape *reshape, const struct version *now, struct error *err)
{
	const struct tag *tag = reshape->tag->tag;
	bool ours = annotations_are_ours(reshape->tag);

	if (version_copy(out, now, err) ||
		annotations_copy(annotations, ours ? &tag->annotations : annotations_of(now), err))
		return -1;
	if (!is_index(now))
		return 0;
	if (set_items(&out->root, reshape, err))
		return -1;
	return ours ? document_set_annotations(&out->root, annotations_of(&tag->base), err) : 0;
}

/* Whether something here is in the way of a version that leaves no room for it. */
static bool is_in_the_way(const struct reshape *reshape, const struct version *now)
{
	for (size_t i = 0; i < reshape->count && !is_index(now); i++) {
		enum reshape_act act = reshape->rows[i].act;

		if (act == RESHAPE_KEEP || act == RESHAPE_HIDE)
			return true;
	}
	return false;
}

/* The step from one view to the other. All that can fail comes before anything is changed. */
static int step(struct tree *tree, struct node *node, const struct version *now,
	const struct hand *hand, struct error *err)
{
	struct tag *tag = node->tag;
	cleanup_with(reshape_clear) struct reshape reshape = {.tree = tree};
	cleanup_with(version_clear) struct version base = VERSION_INIT;
	cleanup_with(annotations_clear) struct annotations annotations = ANNOTATIONS_INIT;
	struct annotations before = tag->annotations;

	if (reshape_judge(&reshape, tree, node, now, err) ||
		reshape_prepare(&reshape, hand_find, hand, err))
		return -1;
	if (is_in_the_way(&reshape, now))
		return 0;
	if (base_make(&base, &annotations, &reshape, now, err) || reshape_apply(&reshape, err))
		return -1;
	reshape_place(tree, node, &base);
	version_take(&tag->base, &base);
	tag->annotations = annotations;
	annotations = before;
	notes_settle(tree, node);
	tag_name_folders(tree, node);
	clock_gettime(CLOCK_REALTIME, &node->mtime);
	node->ctime = node->mtime;
	stale_attributes(tree, node);
	return 0;
}

/* The same as a whole; the lock is held. */
static int adopt(struct tree *tree, struct node *tag, const struct version *now,
	const struct hand *hand, struct error *err)
{
	const struct digest before = version_digest(&tag->tag->base);
	struct error why = ERROR_INIT;
	struct digest after;

	if (is_possible(tag, now) && step(tree, tag, now, hand, err))
		return -1;
	if (tag_note(tag->tag, now, err))
		return -1;
	after = version_digest(&tag->tag->base);
	if (hand->again && digest_equal(&before, &after))
		return 0;
	if (!history_is_empty(tree->history) && history_rebase(tree, &why))
		tree_report(tree, tag, HISTORY_BEHIND, &why);
	stale_tell(tree);
	return 0;
}

static bool row_differs(const struct reshape_row *row)
{
	return row->act != RESHAPE_KEEP && row->act != RESHAPE_STAY && row->act != RESHAPE_HIDE;
}

bool tag_is_behind(struct tree *tree, struct node *node)
{
	cleanup_with(reshape_clear) struct reshape reshape = {.tree = tree};
	const struct tag *tag = node->tag;
	bool behind;

	if (!tag->moved || !is_possible(node, &tag->now) ||
		reshape_judge(&reshape, tree, node, &tag->now, NULL))
		return false;
	behind = !annotations_are_ours(node) &&
		 !annotations_equal(annotations_of(&tag->base), annotations_of(&tag->now));
	for (size_t i = 0; !behind && i < reshape.count; i++)
		behind = row_differs(&reshape.rows[i]);
	return behind;
}

/* Whether it may be adopted still; the lock is held. */
static bool is_current(const struct tag *tag, const struct version *now, const struct adoption *how)
{
	struct digest known = version_digest(tag_now(tag)), digest = version_digest(now);

	return how->by_commit ||
	       (!tag->committing && (!how->again || digest_equal(&known, &digest)));
}

/* Which manifests the step will need; the lock is held. */
static int look(struct hand *hand, struct node *tag, const struct version *now, struct error *err)
{
	cleanup_with(reshape_clear) struct reshape reshape = {.tree = hand->tree};

	if (!is_possible(tag, now))
		return 0;
	if (reshape_judge(&reshape, hand->tree, tag, now, err))
		return -1;
	return hand_want(hand, &reshape, err);
}

int tag_adopt(struct tree *tree, struct node *tag, const struct version *now,
	const struct adoption *how, struct cancel *cancel, struct error *err)
{
	cleanup_with(hand_clear) struct hand hand = {
		.root = &now->root,
		.given = how->manifests,
		.given_count = how->manifest_count,
		.tree = tree,
		.cancel = cancel,
		.again = how->again,
	};
	int result;

	pthread_mutex_lock(&tree->lock);
	result = look(&hand, tag, now, err);
	pthread_mutex_unlock(&tree->lock);
	if (result || hand_fetch(&hand, err))
		return -1;
	pthread_mutex_lock(&tree->lock);
	if (is_current(tag->tag, now, how))
		result = adopt(tree, tag, now, &hand, err);
	pthread_mutex_unlock(&tree->lock);
	return result;
}
