#include "fs/commit/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "fs/tree/folder.h"
#include "fs/tree/tag.h"
#include "media_type.h"

#define TIME_SIZE 32

static int seal(struct plan_folder *folders, size_t count, struct cancel *cancel, struct error *err)
{
	size_t i, k;

	for (i = 0; i < count; i++) {
		struct plan_config *written = &folders[i].written;

		if (written->staged &&
			staged_seal(written->staged, &written->digest, &written->size, cancel, err))
			return error_prefix(err, "%s/.oci/config.json", folders[i].name);
		for (k = 0; k < folders[i].file_count; k++) {
			struct plan_file *file = &folders[i].files[k];

			if (file->staged &&
				staged_seal(file->staged, &file->digest, &file->size, cancel, err))
				return error_prefix(err, "%s", file->path);
		}
	}
	return 0;
}

int plan_seal(struct plan *plan, struct cancel *cancel, struct error *err)
{
	return seal(plan->folders, plan->folder_count, cancel, err) ||
			       seal(plan->attached, plan->attached_count, cancel, err)
		       ? -1
		       : 0;
}

/* A note on a file that isn't there is a mistake of the user's, unless the file was removed. */
static int check_notes(const struct plan_folder *folder, struct error *err)
{
	size_t i, k;

	for (i = 0; i < folder->notes.layer_count; i++) {
		const char *title = folder->notes.layers[i].title;

		if (!folder->notes.layers[i].annotations.count)
			continue;
		for (k = 0; k < folder->file_count; k++)
			if (!strcmp(folder->files[k].path, title))
				break;
		if (k == folder->file_count && !folder->partial &&
			folder_layer_index(folder->node->folder, title) < 0)
			return error_set(err, ERROR_INVALID,
				"%s/annotations.json: \"%s\" is no file of this folder",
				folder->name, title);
	}
	return 0;
}

static int set_notes(struct document *manifest, const struct plan_folder *folder, struct error *err)
{
	cleanup_with(descriptor_clear) struct descriptor config = DESCRIPTOR_INIT;

	if (document_set_annotations(manifest, &folder->notes.manifest, err))
		return -1;
	if (!manifest->has_config)
		return 0;
	if (descriptor_copy(&config, &manifest->config, err) ||
		descriptor_set_annotations(&config, &folder->notes.config, err))
		return -1;
	return document_set_config(manifest, &config, err);
}

/* RFC 3339. */
static void time_text(char out[static TIME_SIZE], time_t when)
{
	struct tm utc;

	gmtime_r(&when, &utc);
	strftime(out, TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

/* Whether it is what the registry has, or what was written as a whole. */
static bool is_as_it_was(const struct folder *shown, const struct document *manifest)
{
	if (shown->given && !shown->whole)
		return shown->has_entry && digest_equal(&shown->entry.digest, &manifest->digest);
	return shown->manifest && digest_equal(&shown->manifest->digest, &manifest->digest);
}

/* The time goes into a manifest that has changed, and into no other. */
static int set_created(struct document *manifest, const struct plan *plan,
	const struct folder *shown, struct error *err)
{
	cleanup_with(annotations_clear) struct annotations want = ANNOTATIONS_INIT;
	int64_t created = plan->tree->options.created;
	char text[TIME_SIZE];

	if (created == CREATED_NONE || is_as_it_was(shown, manifest))
		return 0;
	time_text(text, created == CREATED_NOW ? plan->now : (time_t)created);
	if (annotations_copy(&want, &manifest->annotations, err) ||
		annotations_set(&want, ANNOTATION_CREATED, text, err))
		return -1;
	return document_set_annotations(manifest, &want, err);
}

/* A manifest that others have is changed; its config may be another. */
static int change_manifest(struct document *out, const struct document *base,
	const struct plan_config *made, struct error *err)
{
	cleanup_with(descriptor_clear) struct descriptor config = DESCRIPTOR_INIT;

	if (document_copy(out, base, err))
		return -1;
	if (!made->staged)
		return 0;
	if (descriptor_copy(&config, &base->config, err) ||
		descriptor_set_content(&config, config.media_type, &made->digest, made->size, err))
		return -1;
	return document_set_config(out, &config, err);
}

/* An image needs no artifactType: its config says what it is. */
static int new_image(struct document *out, const struct tree_options *options,
	const struct plan_config *made, struct error *err)
{
	cleanup_with(descriptor_clear) struct descriptor config = DESCRIPTOR_INIT;
	bool told = strcmp(options->artifact_type, ARTIFACT_TYPE_UNKNOWN) != 0;

	if (descriptor_create(&config, MEDIA_TYPE_IMAGE_CONFIG, &made->digest, made->size, err))
		return -1;
	return document_create_image(
		out, &config, told ? options->artifact_type : NULL, options->style, err);
}

/* What was given of a manifest that there wasn't yet; NULL: nothing. */
static int set_parts(struct document *out, const struct document *parts, struct error *err)
{
	if (!parts)
		return 0;
	if (parts->artifact_type && strcmp(parts->artifact_type, ARTIFACT_TYPE_UNKNOWN) != 0 &&
		document_set_artifact_type(out, parts->artifact_type, err))
		return -1;
	return parts->has_subject ? document_set_subject(out, &parts->subject, err) : 0;
}

static int begin_manifest(struct document *out, const struct tree_options *options,
	const struct plan_folder *folder, struct error *err)
{
	const struct document *base = folder->node->folder->manifest;

	if (folder_is_fresh(folder->node->folder) && folder->config.staged)
		return new_image(out, options, &folder->config, err) || set_parts(out, base, err)
			       ? -1
			       : 0;
	if (base)
		return change_manifest(out, base, &folder->config, err);
	return document_create(out, DOCUMENT_MANIFEST,
		folder->owner ? folder->artifact_type : options->artifact_type, options->style,
		err);
}

static int set_layers(
	struct document *manifest, const struct plan_folder *folder, struct error *err)
{
	/* borrowed: document_set_items() copies them */
	cleanup_free struct descriptor *layers = calloc(folder->file_count + 1, sizeof *layers);

	if (!layers)
		return error_set_memory(err);
	for (size_t i = 0; i < folder->file_count; i++)
		layers[i] = folder->files[i].layer;
	return document_set_items(manifest, layers, folder->file_count, err);
}

static int build_manifest(struct document *out, const struct plan *plan, struct plan_folder *folder,
	struct error *err)
{
	if (begin_manifest(out, &plan->tree->options, folder, err) ||
		set_layers(out, folder, err) || set_notes(out, folder, err))
		return -1;
	if (folder->owner && document_set_subject(out, &folder->subject, err))
		return -1;
	return set_created(out, plan, folder->node->folder, err);
}

/* An entry that tells its manifest's artifactType tells the one that was given. */
static int set_entry_type(struct plan_folder *folder, struct error *err)
{
	const struct folder *shown = folder->node->folder;
	struct descriptor *entry = &folder->entry;

	if (!folder->rebuilt || !shown->given || shown->has_given_entry || !entry->artifact_type)
		return 0;
	return descriptor_set_artifact_type(entry, folder->manifest.artifact_type, err);
}

/* The entry in the index: made, or changed in its place. */
static int build_entry(struct plan_folder *folder, struct error *err)
{
	const struct folder *shown = folder->node->folder;
	const struct document *manifest = &folder->manifest;
	struct descriptor *entry = &folder->entry;

	if (folder->rebuilt && !shown->has_entry) {
		if (descriptor_create(entry, manifest->media_type, &manifest->digest,
			    (int64_t)manifest->json_len, err) ||
			descriptor_set_artifact_type(entry, manifest->artifact_type, err))
			return -1;
	} else if (folder->rebuilt &&
		   descriptor_set_content(entry, manifest->media_type, &manifest->digest,
			   (int64_t)manifest->json_len, err)) {
		return -1;
	}
	if (shown->read_only)
		return 0;
	if (set_entry_type(folder, err))
		return -1;
	if (descriptor_set_platform(entry, folder->has_platform ? &folder->platform : NULL, err))
		return -1;
	return folder->rebuilt ? descriptor_set_annotations(entry, &folder->notes.descriptor, err)
			       : 0;
}

/* All of a bottle's documents are made already. */
static int take_bottle(struct plan_folder *folder, struct error *err)
{
	descriptor_clear(&folder->entry);
	return document_copy(&folder->manifest, &folder->bottle.manifest, err) ||
			       descriptor_copy(&folder->entry, &folder->bottle.descriptor, err)
		       ? -1
		       : 0;
}

static int build_folder(struct plan *plan, struct plan_folder *folder, struct error *err)
{
	if (folder->left_out) {
		log_write(plan->tree->log, LOG_LEVEL_WARNING, "%s: an empty folder isn't published",
			folder->name);
		return 0;
	}
	if (folder->bottle.config)
		return check_notes(folder, err) ? -1 : take_bottle(folder, err);
	if (folder->rebuilt &&
		(check_notes(folder, err) || build_manifest(&folder->manifest, plan, folder, err)))
		return -1;
	return build_entry(folder, err);
}

int plan_build_attached(struct plan *plan, struct plan_folder *folder, struct error *err)
{
	const struct document *manifest = &folder->manifest;
	struct descriptor *entry = &folder->entry;

	return check_notes(folder, err) || build_manifest(&folder->manifest, plan, folder, err) ||
			       descriptor_create(entry, manifest->media_type, &manifest->digest,
				       (int64_t)manifest->json_len, err) ||
			       descriptor_set_artifact_type(entry, manifest->artifact_type, err) ||
			       descriptor_set_annotations(entry, &manifest->annotations, err)
		       ? -1
		       : 0;
}

static bool same_platform(const struct plan_folder *folder, const struct descriptor *entry)
{
	return folder->has_platform == entry->has_platform &&
	       (!entry->has_platform || platform_equal(&folder->platform, &entry->platform));
}

/* The folder that the tag is, where it goes on to be a single manifest. */
static struct plan_folder *single_folder(const struct plan *plan)
{
	struct plan_folder *only = NULL;
	size_t i;

	if (!version_is_single(&plan->tag->tag->base) || plan->annotations.count ||
		plan->of_homebrew)
		return NULL;
	for (i = 0; i < plan->folder_count; i++) {
		if (plan->folders[i].left_out)
			continue;
		if (only)
			return NULL;
		only = &plan->folders[i];
	}
	if (only && !only->config.tells_platform &&
		!same_platform(only, &plan->tag->tag->base.entry))
		return NULL;
	if (!only || !only->node->folder->has_entry || only->node->folder->has_given_entry)
		return NULL;
	return only->entry.annotations.count ? NULL : only;
}

static int make_index(struct document *out, const struct plan *plan,
	const struct descriptor *entries, size_t count, struct error *err)
{
	const struct version *version = &plan->tag->tag->base;
	const struct document *base =
		version_exists(version) && !version_is_single(version) ? &version->root : NULL;

	if (plan->of_homebrew)
		return homebrew_index_make(out, base, &plan->formula, entries, count, err);
	if (base ? document_copy(out, base, err)
		 : document_create(out, DOCUMENT_INDEX, NULL, plan->tree->options.style, err))
		return -1;
	return document_set_items(out, entries, count, err) ||
			       document_set_annotations(out, &plan->annotations, err)
		       ? -1
		       : 0;
}

static int build_index(struct plan *plan, struct error *err)
{
	/* borrowed: what makes the index copies them */
	cleanup_free struct descriptor *entries = calloc(plan->folder_count + 1, sizeof *entries);
	size_t i, count = 0;

	if (!entries)
		return error_set_memory(err);
	for (i = 0; i < plan->folder_count; i++)
		if (!plan->folders[i].left_out)
			entries[count++] = plan->folders[i].entry;
	return make_index(&plan->ours.root, plan, entries, count, err);
}

static int build_root(struct plan *plan, struct error *err)
{
	const struct plan_folder *single = single_folder(plan);

	if (!single)
		return build_index(plan, err);
	if (document_copy(&plan->ours.root,
		    single->rebuilt ? &single->manifest : single->node->folder->manifest, err))
		return -1;
	return descriptor_copy(&plan->ours.entry, &single->entry, err);
}

static int add_blob(struct plan *plan, const struct digest *digest, struct staged *staged,
	int64_t size, struct error *err)
{
	struct publish_blob *blobs;
	size_t i;

	for (i = 0; i < plan->blob_count; i++)
		if (digest_equal(&plan->blobs[i].digest, digest))
			return 0;
	blobs = reallocarray(plan->blobs, plan->blob_count + 1, sizeof *blobs);
	if (!blobs)
		return error_set_memory(err);
	plan->blobs = blobs;
	blobs[plan->blob_count++] = (struct publish_blob){
		.digest = *digest,
		.source = {.fd = staged_fd(staged), .size = size},
	};
	return 0;
}

int plan_stage_empty(struct plan *plan, struct digest *digest, int64_t *size, struct error *err)
{
	if (!plan->empty && staged_from_bytes(&plan->empty, plan->tree->staging, EMPTY_JSON,
				    strlen(EMPTY_JSON), err))
		return -1;
	return staged_seal(plan->empty, digest, size, NULL, err);
}

/* The empty config, which a new manifest names. */
static int add_empty(struct plan *plan, struct error *err)
{
	struct digest digest;
	int64_t size;

	if (plan_stage_empty(plan, &digest, &size, err))
		return -1;
	return add_blob(plan, &digest, plan->empty, size, err);
}

static int add_manifest(struct plan *plan, const struct document *manifest, struct error *err)
{
	struct document *manifests =
		reallocarray(plan->manifests, plan->manifest_count + 1, sizeof *manifests);

	if (!manifests)
		return error_set_memory(err);
	plan->manifests = manifests;
	memset(&manifests[plan->manifest_count], 0, sizeof *manifests);
	return document_copy(&manifests[plan->manifest_count++], manifest, err);
}

static bool is_empty_json(const struct descriptor *item)
{
	return !strcmp(item->digest.text, EMPTY_JSON_DIGEST) &&
	       item->size == (int64_t)strlen(EMPTY_JSON);
}

/* The empty config, or the empty layer, goes with a manifest that is new here. */
static bool needs_empty(const struct plan_folder *folder)
{
	const struct folder *shown = folder->node->folder;
	const struct document *manifest = &folder->manifest;
	bool needed = is_empty_json(&manifest->config);

	for (size_t i = 0; i < manifest->count; i++)
		needed |= is_empty_json(&manifest->items[i]);
	return needed && (!shown->manifest || shown->given);
}

/* The config that the folder's manifest names, where the registry may lack it. */
static int add_config(struct plan *plan, const struct plan_folder *folder, struct error *err)
{
	const struct plan_config *config = &folder->config;

	if (config->staged && add_blob(plan, &config->digest, config->staged, config->size, err))
		return -1;
	if (folder->written.staged &&
		digest_equal(&folder->written.digest, &folder->manifest.config.digest) &&
		add_blob(plan, &folder->written.digest, folder->written.staged,
			folder->written.size, err))
		return -1;
	return needs_empty(folder) ? add_empty(plan, err) : 0;
}

/* What has to be there before the root: blobs, and manifests other than the root itself. */
static int gather(struct plan *plan, const struct plan_folder *folder, struct error *err)
{
	const struct folder *shown = folder->node->folder;
	size_t i;

	if (!folder->rebuilt || folder->left_out)
		return 0;
	for (i = 0; i < folder->file_count; i++) {
		const struct plan_file *file = &folder->files[i];

		if (file->staged && add_blob(plan, &file->digest, file->staged, file->size, err))
			return -1;
	}
	if (add_config(plan, folder, err))
		return -1;
	if ((shown->has_entry && digest_equal(&shown->entry.digest, &folder->manifest.digest)) ||
		digest_equal(&folder->manifest.digest, &plan->ours.root.digest))
		return 0;
	return add_manifest(plan, &folder->manifest, err);
}

int plan_build(struct plan *plan, struct error *err)
{
	size_t i;

	if (!plan->folders)
		return 0;
	for (i = 0; i < plan->folder_count; i++)
		if (build_folder(plan, &plan->folders[i], err))
			return -1;
	if (build_root(plan, err))
		return -1;
	for (i = 0; i < plan->folder_count; i++)
		if (gather(plan, &plan->folders[i], err))
			return -1;
	return 0;
}

bool plan_is_needed(const struct plan *plan)
{
	const struct tag *tag = plan->tag->tag;

	if (!plan->folders)
		return false;
	if (tag->given) {
		struct digest now = version_digest(tag_now(tag));

		return tag->intents.count || !digest_equal(&now, &plan->ours.root.digest);
	}
	/* the registry may have what is not wanted any more: an earlier push whose answer was lost
	 */
	if (tag->intents.count)
		return true;
	if (!version_exists(&tag->base))
		return plan->ours.root.count > 0 || plan->annotations.count > 0;
	return !digest_equal(&tag->base.root.digest, &plan->ours.root.digest);
}
