#include "fs/tree/reshape.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "fs/tree/folder.h"
#include "fs/tree/layers.h"
#include "fs/tree/stale.h"
#include "fs/tree/tag.h"
#include "media_type.h"

#define NONE SIZE_MAX

/* A name of the old version, for those who look for it. */
struct name {
	const char *text;
	size_t entry;
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->text, ((const struct name *)b)->text);
}

static struct name *names_sort(const struct entry_list *list)
{
	struct name *names = calloc(list->count + 1, sizeof *names);

	for (size_t i = 0; names && i < list->count; i++)
		names[i] = (struct name){.text = list->names[i], .entry = i};
	if (names)
		qsort(names, list->count, sizeof *names, compare_names);
	return names;
}

static size_t names_find(const struct name *names, size_t count, const char *text)
{
	const struct name key = {.text = text};
	const struct name *found =
		count ? bsearch(&key, names, count, sizeof *names, compare_names) : NULL;

	return found ? found->entry : NONE;
}

/* A folder that is only here, with nothing in it that is to be published: it is new, or a commit
 * has left it out. */
static bool is_vacant(const struct node *node)
{
	return node->kind == NODE_FOLDER && !node->folder->has_entry &&
	       !folder_is_changed(node->folder);
}

/* Whether the folder shows what the new entry says, but for places and annotations of the entry. */
static bool has_manifest(const struct node *node, const struct descriptor *entry)
{
	return node->folder->manifest &&
	       digest_equal(&node->folder->manifest->digest, &entry->digest);
}

static enum reshape_act judge_entry(const struct node *node, const struct descriptor *entry)
{
	const struct folder *folder = node->folder;

	if (folder->has_entry && !strcmp(folder->entry.json, entry->json))
		return RESHAPE_STAY;
	if (folder_is_changed(folder) || folder->state == FOLDER_LOADING)
		return RESHAPE_KEEP;
	if (node->kind != NODE_FOLDER || folder->state == FOLDER_UNLOADED)
		return RESHAPE_RENEW;
	if (media_type_is_manifest(entry->media_type))
		return RESHAPE_CHANGE;
	return node->children.count ? RESHAPE_KEEP : RESHAPE_RENEW;
}

static void judge_new(struct reshape *reshape, size_t i, size_t old)
{
	struct reshape_row *row = &reshape->rows[reshape->count++];
	const struct descriptor *entry = &reshape->new.items[i];
	struct node *node;

	*row = (struct reshape_row){.item = entry, .name = reshape->new.names[i]};
	if (old != NONE) {
		reshape->matched[old] = true;
		row->node = reshape->nodes[old];
		row->act = row->node ? judge_entry(row->node, entry) : RESHAPE_KEEP;
		if (row->act == RESHAPE_KEEP)
			row->item = &reshape->old.items[old];
		return;
	}
	node = node_child(reshape->tag, row->name);
	row->act = !node ? RESHAPE_ADD : is_vacant(node) ? RESHAPE_CHANGE : RESHAPE_HIDE;
	row->node = row->act == RESHAPE_CHANGE ? node : NULL;
}

static void judge_lost(struct reshape *reshape, size_t i)
{
	struct node *node = reshape->nodes[i];
	bool settled = !folder_is_changed(node->folder) && node->folder->state != FOLDER_LOADING &&
		       (node->kind != NODE_FOLDER || layers_can_change(reshape->tree, node, NULL));

	reshape->rows[reshape->count++] = (struct reshape_row){
		.act = settled ? RESHAPE_LOSE : RESHAPE_KEEP,
		.item = &reshape->old.items[i],
		.node = node,
		.name = reshape->old.names[i],
	};
}

/* The folders that stand on the entries of the base. */
static void nodes_find(struct reshape *reshape)
{
	const struct directory *children = &reshape->tag->children;

	for (size_t i = 0; i < children->count; i++) {
		struct node *node = children->items[i];

		if (node->folder && node->folder->has_entry && node->order < reshape->old.count)
			reshape->nodes[node->order] = node;
	}
}

static int judge(struct reshape *reshape, struct error *err)
{
	const struct entry_list *old = &reshape->old, *new = &reshape->new;
	cleanup_free struct name *names = names_sort(old);

	reshape->nodes = calloc(old->count + 1, sizeof(*reshape->nodes));
	reshape->matched = calloc(old->count + 1, sizeof *reshape->matched);
	reshape->rows = calloc(old->count + new->count + 1, sizeof *reshape->rows);
	if (!names || !reshape->nodes || !reshape->matched || !reshape->rows)
		return error_set_memory(err);
	nodes_find(reshape);
	for (size_t i = 0; i < new->count; i++)
		judge_new(reshape, i, names_find(names, old->count, new->names[i]));
	for (size_t i = 0; i < old->count; i++)
		if (!reshape->matched[i] && reshape->nodes[i])
			judge_lost(reshape, i);
	return 0;
}

int reshape_judge(struct reshape *out, struct tree *tree, struct node *tag,
	const struct version *to, struct error *err)
{
	*out = (struct reshape){.tree = tree, .tag = tag};
	if (version_entries(&out->old, &tag->tag->base, err) == 0 &&
		version_entries(&out->new, to, err) == 0 && judge(out, err) == 0)
		return 0;
	reshape_clear(out);
	return -1;
}

void reshape_clear(struct reshape *reshape)
{
	for (size_t i = 0; i < reshape->count; i++) {
		if (reshape->rows[i].fresh)
			node_unpin(&reshape->tree->inodes, reshape->rows[i].fresh);
		document_clear(&reshape->rows[i].manifest);
	}
	free(reshape->rows);
	free(reshape->nodes);
	free(reshape->matched);
	entry_list_clear(&reshape->old);
	entry_list_clear(&reshape->new);
	*reshape = (struct reshape){.tree = reshape->tree};
}

bool reshape_wants(const struct reshape_row *row)
{
	return row->act == RESHAPE_CHANGE && !has_manifest(row->node, row->item);
}

/* Takes the manifest that a folder is to show; NULL: it can't be had. */
static int take_manifest(const struct reshape *reshape, struct reshape_row *row,
	const struct document *manifest, struct error *err)
{
	const struct folder *folder = row->node->folder;

	if (!reshape_wants(row))
		manifest = folder->manifest;
	if (manifest && layers_can_change(reshape->tree, row->node, manifest))
		return document_copy(&row->manifest, manifest, err);
	row->act = folder->has_entry ? RESHAPE_KEEP : RESHAPE_HIDE;
	row->item = &folder->entry;
	return 0;
}

int reshape_prepare(struct reshape *reshape,
	const struct document *(*find)(const void *context, const struct digest *digest),
	const void *context, struct error *err)
{
	for (size_t i = 0; i < reshape->count; i++) {
		struct reshape_row *row = &reshape->rows[i];

		if (row->act == RESHAPE_CHANGE &&
			take_manifest(reshape, row, find(context, &row->item->digest), err))
			return -1;
		if (row->act != RESHAPE_CHANGE && row->act != RESHAPE_RENEW &&
			row->act != RESHAPE_ADD)
			continue;
		row->fresh = folder_from_entry(reshape->tree, row->item, false, err);
		if (!row->fresh)
			return -1;
	}
	return 0;
}

bool reshape_has_item(const struct reshape_row *row)
{
	return row->act != RESHAPE_HIDE && row->act != RESHAPE_LOSE;
}

/* Puts the new folders in first: what can't be put in must not look removed. */
static int rows_add(struct reshape *reshape, struct error *err)
{
	for (size_t i = 0; i < reshape->count; i++) {
		struct reshape_row *row = &reshape->rows[i];

		if (row->act != RESHAPE_ADD)
			continue;
		if (node_link(&reshape->tree->inodes, reshape->tag, row->name, row->fresh, err)) {
			while (i-- > 0)
				if (reshape->rows[i].act == RESHAPE_ADD)
					node_unlink(&reshape->tree->inodes, reshape->rows[i].fresh);
			return -1;
		}
	}
	return 0;
}

static void row_apply(struct reshape *reshape, struct reshape_row *row)
{
	struct tree *tree = reshape->tree;
	struct error why = ERROR_INIT;

	switch (row->act) {
	case RESHAPE_ADD:
		stale_name(tree, reshape->tag, row->name);
		row->node = row->fresh;
		break;
	case RESHAPE_RENEW:
		folder_renew(tree, row->node, steal_ptr(row->fresh));
		break;
	case RESHAPE_CHANGE:
		if (folder_change(tree, row->node, steal_ptr(row->fresh), &row->manifest, &why))
			tree_report(tree, row->node, "is read again", &why);
		break;
	case RESHAPE_LOSE:
		folder_lose(tree, row->node);
		break;
	default:
		break;
	}
}

int reshape_apply(struct reshape *reshape, struct error *err)
{
	uint64_t order = 0;

	if (rows_add(reshape, err))
		return -1;
	for (size_t i = 0; i < reshape->count; i++) {
		struct reshape_row *row = &reshape->rows[i];

		row_apply(reshape, row);
		if (!reshape_has_item(row))
			continue;
		if (row->node)
			row->node->order = order;
		order++;
	}
	return 0;
}

void reshape_place(struct tree *tree, struct node *tag, const struct version *base)
{
	cleanup_with(entry_list_clear) struct entry_list entries = {.items = NULL};
	cleanup_free struct name *names = NULL;
	const struct directory *children = &tag->children;

	if (version_entries(&entries, base, NULL) == 0)
		names = names_sort(&entries);
	for (size_t i = 0; i < children->count; i++) {
		struct node *node = children->items[i];
		size_t place;

		if (!node->folder || node->folder->has_entry || node->order >= ORDER_NEW)
			continue;
		place = names ? names_find(names, entries.count, node->name) : NONE;
		node->order = place == NONE ? tree->next_order++ : place;
	}
}
