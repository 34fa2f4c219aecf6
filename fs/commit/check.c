/*
 * check.c - what a document that was given names is there, or is about to be, and fits.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "fs/commit/base_config.h"
#include "fs/commit/diff_ids.h"
#include "fs/commit/plan.h"
#include "fs/tree/folder.h"
#include "fs/tree/history.h"
#include "fs/tree/tag.h"
#include "media_type.h"
#include "parallel.h"
#include "publish.h"

/* One descriptor of a document. */
struct named {
	const struct descriptor *item;
	size_t number;
	bool is_config;
};

struct check {
	const struct plan *plan;
	const struct plan_folder *folder;
	struct document base; /* what the registry had of the folder, where that's at hand */
	struct named *named; /* those that have to be asked for */
	size_t count;
	struct cancel *cancel;
};

static void check_clear(struct check *check)
{
	document_clear(&check->base);
	free(check->named);
}

static bool same(const struct descriptor *a, const struct descriptor *b)
{
	return a->size == b->size && digest_equal(&a->digest, &b->digest);
}

static bool document_names(const struct document *document, const struct descriptor *item)
{
	if (document->has_config && same(&document->config, item))
		return true;
	for (size_t i = 0; i < document->count; i++)
		if (same(&document->items[i], item))
			return true;
	return false;
}

/* Whether this commit sends it. */
static bool is_sent(const struct plan *plan, const struct descriptor *item)
{
	for (size_t i = 0; i < plan->blob_count; i++)
		if (digest_equal(&plan->blobs[i].digest, &item->digest) &&
			plan->blobs[i].source.size == item->size)
			return true;
	return false;
}

static void want(struct check *check, const struct descriptor *item, size_t number, bool is_config)
{
	if (document_names(&check->base, item) || is_sent(check->plan, item) ||
		media_type_is_elsewhere(item->media_type))
		return;
	check->named[check->count++] =
		(struct named){.item = item, .number = number, .is_config = is_config};
}

static int ask(void *context, size_t i, struct error *err)
{
	const struct check *check = context;
	const struct named *named = &check->named[i];
	struct store *store = check->plan->tree->store;
	char where[32] = "config";
	bool there;

	if (store->ops->blob_exists(
		    store, &there, &named->item->digest, named->item->size, check->cancel, err))
		return -1;
	if (there)
		return 0;
	if (!named->is_config)
		snprintf(where, sizeof where, "layers[%zu]", named->number);
	return error_set(err, ERROR_INVALID,
		"%s/.oci/manifest.json: %s: the repository has no blob %s of %lld bytes: copy the "
		"file into the folder, or push it first",
		check->folder->name, where, named->item->digest.text, (long long)named->item->size);
}

/* Whether the registry's manifest, or this commit, pairs that config with these layers. */
static bool is_paired(const struct check *check, const struct document *manifest)
{
	const struct document *base = &check->base;

	if (check->folder->config.staged)
		return true;
	if (!base->has_config || !same(&base->config, &manifest->config) ||
		base->count != manifest->count)
		return false;
	for (size_t i = 0; i < base->count; i++)
		if (!same(&base->items[i], &manifest->items[i]) ||
			strcmp(base->items[i].media_type, manifest->items[i].media_type) != 0)
			return false;
	return true;
}

/* config.md: an image config has a diff_id for each layer. One that says nothing of an image is a
 * placeholder. */
static int check_count(
	const struct document *manifest, const struct base_config *config, struct error *err)
{
	if (!config->json || config->count == manifest->count)
		return 0;
	return error_set(err, ERROR_INVALID,
		"config: rootfs.diff_ids of %s: there are %zu, and %zu layers in the manifest: it "
		"needs a config with one for each",
		manifest->config.digest.text, config->count, manifest->count);
}

static int check_config(const struct check *check, struct error *err)
{
	const struct document *manifest = &check->folder->manifest;
	cleanup_with(base_config_clear) struct base_config config = BASE_CONFIG_INIT;

	if (!manifest->has_config || is_paired(check, manifest))
		return 0;
	if (base_config_read(&config, check->plan, manifest, check->cancel, err))
		return error_prefix(err, "%s", check->folder->name);
	if (check_count(manifest, &config, err))
		return error_prefix(err, "%s/.oci/manifest.json", check->folder->name);
	return config.json ? plan_check_diff_ids(
				     check->plan, check->folder, &config, check->cancel, err)
			   : 0;
}

static int check_manifest(const struct plan *plan, const struct plan_folder *folder,
	struct cancel *cancel, struct error *err)
{
	const struct document *manifest = &folder->manifest;
	const struct folder *shown = folder->node->folder;
	cleanup_with(check_clear) struct check check = {
		.plan = plan, .folder = folder, .base = DOCUMENT_INIT, .cancel = cancel};

	if (shown->has_entry)
		history_document(plan->tree->history, &check.base, &shown->entry.digest, NULL);
	check.named = calloc(manifest->count + 1, sizeof *check.named);
	if (!check.named)
		return error_set_memory(err);
	if (manifest->has_config)
		want(&check, &manifest->config, 0, true);
	for (size_t i = 0; i < manifest->count && shown->whole; i++)
		want(&check, &manifest->items[i], i, false);
	return parallel_for(check.count, plan->tree->store->jobs, ask, &check, err) ||
			       check_config(&check, err)
		       ? -1
		       : 0;
}

/* Whether the registry had the same entry when the index was given. */
static bool is_old(const struct document *root, const struct descriptor *entry)
{
	for (size_t i = 0; i < root->count; i++)
		if (same(&root->items[i], entry) &&
			!strcmp(root->items[i].media_type, entry->media_type))
			return true;
	return false;
}

/* Whether the folder of the entry with this number makes another of it. */
static bool is_rebuilt(const struct plan *plan, size_t number)
{
	for (size_t i = 0; i < plan->folder_count; i++)
		if (plan->folders[i].order == number)
			return plan->folders[i].rebuilt;
	return true; /* it was removed */
}

struct entries {
	const struct plan *plan;
	const struct document *index;
	size_t *numbers; /* of those that have to be asked for */
	size_t count;
	struct cancel *cancel;
};

/* That what it names is there, and of a manifest that its config has a diff_id for each layer; that
 * they are these layers' isn't worth reading all of them. */
static int look_at_entry(
	const struct entries *entries, const struct descriptor *entry, struct error *err)
{
	struct store *store = entries->plan->tree->store;
	cleanup_with(document_clear) struct document document = DOCUMENT_INIT;
	cleanup_with(base_config_clear) struct base_config config = BASE_CONFIG_INIT;
	bool there;

	if (media_type_is_index(entry->media_type) || media_type_is_manifest(entry->media_type))
		return resolve_entry(store, &document, entry, entries->cancel, err) ||
				       base_config_read(&config, entries->plan, &document,
					       entries->cancel, err) ||
				       check_count(&document, &config, err)
			       ? -1
			       : 0;
	if (store->ops->blob_exists(
		    store, &there, &entry->digest, entry->size, entries->cancel, err))
		return -1;
	return there ? 0 : error_set(err, ERROR_NOT_FOUND, "the repository has no such content");
}

static int ask_entry(void *context, size_t i, struct error *err)
{
	const struct entries *entries = context;
	size_t number = entries->numbers[i];

	if (look_at_entry(entries, &entries->index->items[number], err) == 0)
		return 0;
	if (err->kind == ERROR_NOT_FOUND || err->kind == ERROR_CORRUPT)
		err->kind = ERROR_INVALID;
	return error_prefix(err, "/.oci/index.json: manifests[%zu]", number);
}

static int check_index(const struct plan *plan, struct cancel *cancel, struct error *err)
{
	const struct tag *tag = plan->tag->tag;
	const struct document *index = &tag->base.root;
	cleanup_free size_t *numbers = calloc(index->count + 1, sizeof *numbers);
	struct entries entries = {
		.plan = plan, .index = index, .numbers = numbers, .cancel = cancel};

	if (!numbers)
		return error_set_memory(err);
	for (size_t i = 0; i < index->count; i++)
		if (!is_old(&tag->origin.root, &index->items[i]) &&
			!is_old(&tag_now(tag)->root, &index->items[i]) && !is_rebuilt(plan, i))
			numbers[entries.count++] = i;
	return parallel_for(entries.count, plan->tree->store->jobs, ask_entry, &entries, err);
}

int plan_check(const struct plan *plan, struct cancel *cancel, struct error *err)
{
	for (size_t i = 0; i < plan->folder_count; i++) {
		const struct plan_folder *folder = &plan->folders[i];

		if (folder->rebuilt && !folder->left_out && folder->node->folder->given &&
			check_manifest(plan, folder, cancel, err))
			return -1;
	}
	return plan->folders && plan->tag->tag->whole ? check_index(plan, cancel, err) : 0;
}
