/*
 * image.c - the image configs that a plan's folders get.
 *
 * A new folder gets one with -o config=image; one that is there is kept in step with the folder's
 * layers, and with its name where that has changed.
 */
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "fs/commit/base_config.h"
#include "fs/commit/diff_ids.h"
#include "fs/commit/plan.h"
#include "fs/tree/folder.h"
#include "image_config.h"

int plan_take_config(
	struct plan_config *out, struct plan *plan, const char *text, size_t len, struct error *err)
{
	if (staged_from_bytes(&out->staged, plan->tree->staging, text, len, err))
		return -1;
	return staged_seal(out->staged, &out->digest, &out->size, NULL, err);
}

static int create(
	struct plan *plan, struct plan_folder *folder, struct cancel *cancel, struct error *err)
{
	const struct base_config none = BASE_CONFIG_INIT;
	cleanup_with(buf_free) struct buf text = BUF_INIT(DOCUMENT_SIZE_MAX);
	cleanup_free struct digest *diff_ids = NULL;

	if (plan_diff_ids(&diff_ids, plan, folder, &none, cancel, err) ||
		image_config_create(&text, &folder->platform, diff_ids, folder->file_count,
			plan->tree->options.style, err))
		return -1;
	return plan_take_config(&folder->config, plan, text.data, text.len, err);
}

static bool has_other_layers(const struct plan_folder *folder)
{
	const struct document *manifest = folder->node->folder->manifest;

	if (manifest->count != folder->file_count)
		return true;
	for (size_t i = 0; i < manifest->count; i++) {
		const struct descriptor *was = &manifest->items[i], *is = &folder->files[i].layer;

		if (!digest_equal(&was->digest, &is->digest) ||
			strcmp(was->media_type, is->media_type) != 0)
			return true;
	}
	return false;
}

/* The folder was renamed. What its name and the config told differently before stays so. */
static bool has_other_platform(const struct plan_folder *folder)
{
	const struct folder *shown = folder->node->folder;
	const struct descriptor *entry = &shown->entry;

	return shown->has_entry && folder->has_platform &&
	       (!entry->has_platform || !platform_equal(&folder->platform, &entry->platform));
}

static int edit(struct plan *plan, struct plan_folder *folder, const struct base_config *base,
	struct cancel *cancel, struct error *err)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(DOCUMENT_SIZE_MAX);
	cleanup_free struct digest *computed = NULL;
	const struct digest *diff_ids = base->diff_ids;
	size_t count = base->count;
	bool renamed = has_other_platform(folder);

	/* a manifest that was given may name the config of another */
	if (has_other_layers(folder) || folder->node->folder->whole) {
		if (plan_diff_ids(&computed, plan, folder, base, cancel, err))
			return -1;
		diff_ids = computed;
		count = folder->file_count;
	}
	if (image_config_edit(&text, base->json, base->len,
		    renamed ? &folder->platform : &base->platform, diff_ids, count, err))
		return error_prefix(err, "the image config of %s", folder->name);
	if (text.len == base->len && !memcmp(text.data, base->json, text.len))
		return 0;
	folder->config.tells_platform = renamed;
	return plan_take_config(&folder->config, plan, text.data, text.len, err);
}

static int make_config(
	struct plan *plan, struct plan_folder *folder, struct cancel *cancel, struct error *err)
{
	cleanup_with(base_config_clear) struct base_config base = BASE_CONFIG_INIT;

	/* an image config has to name a platform, which "any" doesn't */
	if (folder_is_fresh(folder->node->folder))
		return plan->tree->options.image_config && folder->has_platform
			       ? create(plan, folder, cancel, err)
			       : 0;
	if (!has_other_layers(folder) && !has_other_platform(folder))
		return 0;
	if (base_config_read(&base, plan, folder->node->folder->manifest, cancel, err))
		return error_prefix(err, "%s", folder->name);
	return base.json ? edit(plan, folder, &base, cancel, err) : 0;
}

int plan_images(struct plan *plan, struct cancel *cancel, struct error *err)
{
	for (size_t i = 0; i < plan->folder_count; i++) {
		struct plan_folder *folder = &plan->folders[i];

		if (folder->rebuilt && !folder->left_out && make_config(plan, folder, cancel, err))
			return -1;
	}
	return 0;
}
