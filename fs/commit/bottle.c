/*
 * bottle.c - Homebrew's conventions: what a plan's folders become as bottles of a formula.
 */
#include <stdlib.h>

#include "cleanup.h"
#include "fs/commit/base_config.h"
#include "fs/commit/diff_ids.h"
#include "fs/commit/plan.h"
#include "fs/tree/folder.h"
#include "fs/tree/tag.h"

/* What Homebrew doesn't know, and the user has told, or the manifest had. */
static int keep_rest(
	struct homebrew_entry *entry, const struct plan_folder *folder, struct error *err)
{
	cleanup_with(descriptor_clear) struct descriptor config = DESCRIPTOR_INIT;
	const struct document *was = folder->node->folder->manifest;
	struct document *manifest = &entry->manifest;

	if (folder->notes.config.count &&
		(descriptor_copy(&config, &manifest->config, err) ||
			descriptor_set_annotations(&config, &folder->notes.config, err) ||
			document_set_config(manifest, &config, err)))
		return -1;
	if (was && was->has_subject && document_set_subject(manifest, &was->subject, err))
		return -1;
	if (was && folder->node->folder->given && was->artifact_type &&
		document_set_artifact_type(manifest, was->artifact_type, err))
		return -1;
	return descriptor_set_content(&entry->descriptor, manifest->media_type, &manifest->digest,
		(int64_t)manifest->json_len, err);
}

/* A config that was written by hand can't be both that and Homebrew's. */
static void tell_config(const struct plan *plan, const struct plan_folder *folder)
{
	if (folder->written.staged &&
		!digest_equal(&folder->written.digest, &folder->bottle.config_digest))
		log_write(plan->tree->log, LOG_LEVEL_WARNING,
			"%s/.oci/config.json: what was written is replaced by what "
			"profile=homebrew derives",
			folder->name);
}

/* Of the one file; the model judges how many there are. */
static int find_diff_id(struct digest *out, const struct plan *plan,
	const struct plan_folder *folder, const struct base_config *base, struct cancel *cancel,
	struct error *err)
{
	cleanup_free struct digest *diff_ids = NULL;

	*out = (struct digest)DIGEST_NONE;
	if (folder->file_count != 1)
		return 0;
	if (plan_diff_ids(&diff_ids, plan, folder, base, cancel, err))
		return -1;
	*out = diff_ids[0];
	return 0;
}

static int make_entry(struct plan *plan, struct plan_folder *folder, const struct base_config *base,
	const struct digest *diff_id, struct error *err)
{
	/* borrowed */
	cleanup_free struct descriptor *layers = calloc(folder->file_count + 1, sizeof *layers);
	const struct homebrew_bottle bottle = {
		.platform = folder->has_platform ? &folder->platform : NULL,
		.layers = layers,
		.layer_count = folder->file_count,
		.diff_id = diff_id,
		.descriptor = &folder->notes.descriptor,
		.manifest = &folder->notes.manifest,
		.config_platform = base->json ? &base->platform : NULL,
	};
	struct homebrew_entry *made = &folder->bottle;

	if (!layers)
		return error_set_memory(err);
	for (size_t i = 0; i < folder->file_count; i++)
		layers[i] = folder->files[i].layer;
	if (homebrew_entry_make(made, &plan->formula, &bottle, err))
		return error_prefix(err, "%s", folder->name);
	tell_config(plan, folder);
	if (keep_rest(made, folder, err))
		return -1;
	return plan_take_config(&folder->config, plan, made->config, made->config_len, err);
}

static int make_bottle(
	struct plan *plan, struct plan_folder *folder, struct cancel *cancel, struct error *err)
{
	cleanup_with(base_config_clear) struct base_config base = BASE_CONFIG_INIT;
	struct digest diff_id;

	if (base_config_read(&base, plan, folder->node->folder->manifest, cancel, err))
		return error_prefix(err, "%s", folder->name);
	if (find_diff_id(&diff_id, plan, folder, &base, cancel, err))
		return -1;
	return make_entry(plan, folder, &base, &diff_id, err);
}

/* A new tag with nothing in it yet is no formula's. */
static bool is_nothing(const struct plan *plan)
{
	if (version_exists(&plan->tag->tag->base) || plan->annotations.count)
		return false;
	for (size_t i = 0; i < plan->folder_count; i++)
		if (!plan->folders[i].left_out)
			return false;
	return true;
}

int plan_bottles(struct plan *plan, struct cancel *cancel, struct error *err)
{
	if (!plan->folders || is_nothing(plan))
		return 0;
	plan->of_homebrew = true;
	if (homebrew_formula_read(&plan->formula, &plan->annotations, plan->tag->tag->name, err))
		return -1;
	for (size_t i = 0; i < plan->folder_count; i++) {
		struct plan_folder *folder = &plan->folders[i];

		/* a manifest that was given is published as it is */
		if (folder->rebuilt && !folder->left_out && !folder->node->folder->whole &&
			make_bottle(plan, folder, cancel, err))
			return -1;
	}
	return 0;
}
