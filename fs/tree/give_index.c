#include "fs/tree/give_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "fs/tree/attach.h"
#include "fs/tree/folder.h"
#include "fs/tree/history.h"
#include "fs/tree/notes.h"
#include "fs/tree/reshape.h"
#include "fs/tree/tag.h"
#include "media_type.h"
#include "publish.h"

void manifests_clear(struct manifests *manifests)
{
	for (size_t i = 0; i < manifests->count; i++)
		document_clear(&manifests->items[i]);
	free(manifests->items);
	*manifests = (struct manifests){.items = NULL};
}

static const struct document *find(const void *context, const struct digest *digest)
{
	const struct manifests *manifests = context;

	for (size_t i = 0; i < manifests->count; i++)
		if (digest_equal(&manifests->items[i].digest, digest))
			return &manifests->items[i];
	return NULL;
}

/* The entries whose manifests are needed, copied. The lock is held. */
static int want(struct descriptor **out, size_t *count, struct tree *tree, struct node *tag,
	const struct version *to, struct error *err)
{
	cleanup_with(reshape_clear) struct reshape reshape = {.tree = tree};

	if (reshape_judge(&reshape, tree, tag, to, err))
		return -1;
	*out = calloc(reshape.count + 1, sizeof **out);
	if (!*out)
		return error_set_memory(err);
	for (size_t i = 0; i < reshape.count; i++) {
		if (!reshape_wants(&reshape.rows[i]))
			continue;
		if (descriptor_copy(&(*out)[*count], reshape.rows[i].item, err))
			return -1;
		++*count;
	}
	return 0;
}

/* The number of an entry in the index. */
static size_t number_of(const struct document *index, const struct descriptor *entry)
{
	size_t i = 0;

	while (i < index->count && strcmp(index->items[i].json, entry->json) != 0)
		i++;
	return i;
}

static int fetch(struct document *out, struct tree *tree, const struct document *index,
	const struct descriptor *entry, struct error *err)
{
	struct error why = ERROR_INIT;

	if (history_document(tree->history, out, &entry->digest, NULL) == 0 ||
		resolve_entry(tree->store, out, entry, NULL, &why) == 0)
		return 0;
	if (why.kind == ERROR_NOT_FOUND || why.kind == ERROR_CORRUPT)
		return error_set(err, ERROR_INVALID, "manifests[%zu]: %s", number_of(index, entry),
			why.message);
	return error_copy(err, &why);
}

int manifests_fetch(struct manifests *out, struct tree *tree, struct node *tag,
	const struct document *index, struct error *err)
{
	const struct version to = {.root = *index};
	struct descriptor *wanted = NULL;
	size_t count = 0;
	int result;

	pthread_mutex_lock(&tree->lock);
	result = want(&wanted, &count, tree, tag, &to, err);
	pthread_mutex_unlock(&tree->lock);
	if (!result)
		out->items = calloc(count + 1, sizeof *out->items);
	if (!result && !out->items)
		result = error_set_memory(err);
	for (size_t i = 0; i < count && !result; i++) {
		result = fetch(&out->items[i], tree, index, &wanted[i], err);
		out->count += !result;
	}
	for (size_t i = 0; i < count; i++)
		descriptor_clear(&wanted[i]);
	free(wanted);
	return result;
}

static int refuse_changed(const char *name, struct error *err)
{
	return error_set(err, ERROR_INVALID,
		"manifests: %.300s has changes that aren't committed: remove this document, "
		"commit them, and write it again",
		name);
}

/* Whether a commit would publish another entry for a folder than the index has, or one more. */
static bool is_pending(const struct node *node)
{
	const struct folder *folder = node->folder;

	return folder && folder_is_changed(folder) &&
	       (folder->has_entry || folder->given || node->children.count);
}

int index_check_changes(const struct node *tag, const struct node *except, struct error *err)
{
	for (size_t i = 0; i < tag->children.count; i++) {
		const struct node *node = tag->children.items[i];

		if (node != except && is_pending(node))
			return refuse_changed(node->name, err);
	}
	return 0;
}

/* What is wrong with an entry whose folder goes on as it is. */
static int refuse_kept(
	const struct reshape_row *row, const struct descriptor *entry, struct error *err)
{
	if (row->node && row->node->folder->state == FOLDER_LOADING)
		return error_set_errno(err, EBUSY, "%s is just being read", row->name);
	if (row->node && entry && !media_type_is_manifest(entry->media_type))
		return error_set(err, ERROR_INVALID,
			"manifests: %.300s shows files, and %.128s is the mediaType of no "
			"manifest: remove the folder first",
			row->name, entry->media_type);
	return refuse_changed(row->name, err);
}

static int refuse_attached(const char *name, struct error *err)
{
	return error_set(err, ERROR_INVALID,
		"manifests: %.300s isn't in it, and what is to be attached to it would be lost: "
		"remove this document, sync, and write it again, or remove that from "
		"%.300s/.oci/referrers first",
		name, name);
}

/* entry: of the index; NULL: it has none. */
static int check_row(const struct reshape *reshape, struct reshape_row *row,
	const struct descriptor *entry, struct error *err)
{
	if (row->act == RESHAPE_LOSE && attach_waits(row->node))
		return refuse_attached(row->name, err);
	if (row->act != RESHAPE_KEEP && row->act != RESHAPE_HIDE)
		return 0;
	if (row->node || node_child(reshape->tag, row->name))
		return refuse_kept(row, entry, err);
	/* one that was removed here comes back */
	row->act = RESHAPE_ADD;
	return 0;
}

/* The rows of new entries come first, in the order of the index. */
static int check_rows(
	struct reshape *reshape, const struct document *index, bool add, struct error *err)
{
	for (size_t i = 0; i < reshape->count; i++) {
		struct reshape_row *row = &reshape->rows[i];

		const struct descriptor *entry = i < index->count ? &index->items[i] : NULL;

		if (check_row(reshape, row, entry, err))
			return -1;
		if (add && row->act == RESHAPE_ADD && entry)
			row->item = entry;
	}
	return 0;
}

/* Ready to be applied. */
static int prepare(struct reshape *out, struct tree *tree, struct node *tag,
	const struct version *to, const struct manifests *manifests, struct error *err)
{
	if (index_check_changes(tag, NULL, err) || reshape_judge(out, tree, tag, to, err))
		return -1;
	return check_rows(out, &to->root, true, err) ||
			       reshape_prepare(out, find, manifests, err) ||
			       check_rows(out, &to->root, false, err)
		       ? -1
		       : 0;
}

int index_check(struct tree *tree, struct node *tag, const struct document *index,
	const struct manifests *manifests, struct error *err)
{
	cleanup_with(reshape_clear) struct reshape reshape = {.tree = tree};
	const struct version to = {.root = *index};

	return prepare(&reshape, tree, tag, &to, manifests, err);
}

int index_give(struct tree *tree, struct node *node, const struct document *index,
	const struct manifests *manifests, struct error *err)
{
	cleanup_with(reshape_clear) struct reshape reshape = {.tree = tree};
	cleanup_with(version_clear) struct version to = VERSION_INIT;
	cleanup_with(annotations_clear) struct annotations annotations = ANNOTATIONS_INIT;
	struct annotations before = node->tag->annotations;

	if (document_copy(&to.root, index, err) ||
		annotations_copy(&annotations, &index->annotations, err) ||
		prepare(&reshape, tree, node, &to, manifests, err) || reshape_apply(&reshape, err))
		return -1;
	reshape_place(tree, node, &to);
	node->tag->annotations = annotations;
	annotations = before;
	if (tag_give(node->tag, &to, err))
		return -1;
	node->tag->whole = true;
	tag_name_folders(tree, node);
	return 0;
}
