#include "fs/commit/diff_ids.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diff_id.h"
#include "fs/cache/cache.h"
#include "fs/tree/folder.h"
#include "fs/tree/history.h"
#include "media_type.h"

/* What the registry has of a folder: a manifest, and the config that was made for it. */
struct known {
	struct document manifest;
	struct digest *diff_ids; /* one for each of its layers; NULL: nothing is known */
};

static void known_clear(struct known *known)
{
	document_clear(&known->manifest);
	free(known->diff_ids);
}

/* False where there is none, or it isn't at hand. */
static bool read_manifest(struct known *known, struct tree *tree, const struct folder *shown)
{
	const struct document *now = shown->manifest;

	if (!shown->has_entry)
		return false;
	if (now && digest_equal(&now->digest, &shown->entry.digest))
		return document_copy(&known->manifest, now, NULL) == 0;
	return history_document(tree->history, &known->manifest, &shown->entry.digest, NULL) == 0;
}

/* base is the config that the manifest which is shown names. */
static int read_config(struct known *known, const struct plan *plan, const struct folder *shown,
	const struct base_config *base, struct cancel *cancel, struct error *err)
{
	const struct document *manifest = &known->manifest;
	cleanup_with(base_config_clear) struct base_config read = BASE_CONFIG_INIT;
	const struct base_config *config = base;

	if (!shown->manifest ||
		!digest_equal(&shown->manifest->config.digest, &manifest->config.digest)) {
		if (base_config_read(&read, plan, manifest, cancel, err))
			return -1;
		config = &read;
	}
	if (!config->json || config->count != manifest->count)
		return 0;
	known->diff_ids = calloc(config->count + 1, sizeof *known->diff_ids);
	if (!known->diff_ids)
		return error_set_memory(err);
	for (size_t i = 0; i < config->count; i++)
		known->diff_ids[i] = config->diff_ids[i];
	return 0;
}

/* A config tells of its layers by their places, and so of those of the manifest that it was made
 * for only: one that was given through .oci may name the same config, and have others. */
static int known_read(struct known *known, const struct plan *plan,
	const struct plan_folder *folder, const struct base_config *base, struct cancel *cancel,
	struct error *err)
{
	const struct folder *shown = folder->node->folder;

	return read_manifest(known, plan->tree, shown)
		       ? read_config(known, plan, shown, base, cancel, err)
		       : 0;
}

static bool find_known(
	struct digest *out, const struct known *known, const struct descriptor *layer)
{
	const struct document *manifest = &known->manifest;

	for (size_t i = 0; known->diff_ids && i < manifest->count; i++)
		if (digest_equal(&manifest->items[i].digest, &layer->digest) &&
			!strcmp(manifest->items[i].media_type, layer->media_type)) {
			*out = known->diff_ids[i];
			return true;
		}
	return false;
}

static int of_blob(struct digest *out, struct tree *tree, const struct descriptor *layer,
	const char *name, struct cancel *cancel, struct error *err)
{
	struct blob *blob = cache_blob(tree->cache, &layer->digest, layer->size, err);
	cleanup_close int fd = -1;

	if (!blob)
		return -1;
	fd = blob_fetch(blob, cancel, err);
	blob_put_back(blob);
	if (fd < 0)
		return error_prefix(err, "%s", name);
	return diff_id_of_fd(out, fd, name, layer->media_type, cancel, err);
}

static int compute(struct digest *out, const struct plan *plan, const struct plan_folder *folder,
	const struct plan_file *file, struct cancel *cancel, struct error *err)
{
	const struct descriptor *layer = &file->layer;
	cleanup_free char *name = NULL;

	if (diff_id_is_own(layer->media_type)) {
		*out = layer->digest;
		return 0;
	}
	if (asprintf(&name, "%s/%s", folder->name, file->path) < 0) {
		name = NULL;
		return error_set_memory(err);
	}
	if (file->staged)
		return staged_diff_id(file->staged, out, name, layer->media_type, cancel, err);
	return of_blob(out, plan->tree, layer, name, cancel, err);
}

int plan_diff_ids(struct digest **out, const struct plan *plan, const struct plan_folder *folder,
	const struct base_config *base, struct cancel *cancel, struct error *err)
{
	cleanup_with(known_clear) struct known known = {.manifest = DOCUMENT_INIT};
	cleanup_free struct digest *found = calloc(folder->file_count + 1, sizeof *found);

	if (!found)
		return error_set_memory(err);
	if (known_read(&known, plan, folder, base, cancel, err))
		return -1;
	for (size_t i = 0; i < folder->file_count; i++) {
		const struct plan_file *file = &folder->files[i];

		if (!find_known(&found[i], &known, &file->layer) &&
			compute(&found[i], plan, folder, file, cancel, err))
			return -1;
	}
	*out = steal_ptr(found);
	return 0;
}

/* The registry's config, from which it is known, may be wrong itself: what differs from that is
 * read. */
static int check_diff_id(const struct plan *plan, const struct plan_folder *folder,
	const struct known *known, const struct base_config *config, size_t i,
	struct cancel *cancel, struct error *err)
{
	const struct descriptor *layer = &folder->files[i].layer;
	struct digest diff_id;

	if (find_known(&diff_id, known, layer) && digest_equal(&diff_id, &config->diff_ids[i]))
		return 0;
	if (media_type_is_elsewhere(layer->media_type))
		return 0;
	if (compute(&diff_id, plan, folder, &folder->files[i], cancel, err))
		return -1;
	if (digest_equal(&diff_id, &config->diff_ids[i]))
		return 0;
	return error_set(err, ERROR_INVALID,
		"%s/.oci/manifest.json: config: rootfs.diff_ids[%zu] is %s, and layers[%zu], "
		"%.300s, is %s: write a config.json for these layers, too",
		folder->name, i, config->diff_ids[i].text, i, folder->files[i].path, diff_id.text);
}

int plan_check_diff_ids(const struct plan *plan, const struct plan_folder *folder,
	const struct base_config *config, struct cancel *cancel, struct error *err)
{
	cleanup_with(known_clear) struct known known = {.manifest = DOCUMENT_INIT};

	if (known_read(&known, plan, folder, config, cancel, err))
		return -1;
	for (size_t i = 0; i < folder->file_count; i++)
		if (check_diff_id(plan, folder, &known, config, i, cancel, err))
			return -1;
	return 0;
}
