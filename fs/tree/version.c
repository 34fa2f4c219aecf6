#include "fs/tree/version.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "image_config.h"
#include "layer_path.h"
#include "media_type.h"
#include "publish.h"

/* The platform of a single manifest is its image config's. */
static int entry_set_platform(struct descriptor *entry, const struct document *manifest,
	struct store *store, struct cancel *cancel, struct error *err)
{
	cleanup_with(buf_free) struct buf config = BUF_INIT(DOCUMENT_SIZE_MAX);
	struct platform platform = PLATFORM_INIT;
	int result;

	if (!manifest->has_config || !media_type_is_image_config(manifest->config.media_type))
		return 0;
	if (store_blob_read(store, &config, &manifest->config, cancel, err))
		return -1;
	if (!image_config_platform(&platform, config.data, config.len))
		return 0;
	result = descriptor_set_platform(entry, &platform, err);
	platform_clear(&platform);
	return result;
}

static int set_entry(
	struct version *version, struct store *store, struct cancel *cancel, struct error *err)
{
	const struct document *manifest = &version->root;

	if (manifest->kind != DOCUMENT_MANIFEST)
		return 0;
	if (descriptor_create(&version->entry, manifest->media_type, &manifest->digest,
		    (int64_t)manifest->json_len, err))
		return -1;
	if (manifest->artifact_type &&
		descriptor_set_artifact_type(&version->entry, manifest->artifact_type, err))
		return -1;
	return entry_set_platform(&version->entry, manifest, store, cancel, err);
}

int version_fetch(struct version *out, struct store *store, const struct reference *reference,
	struct cancel *cancel, struct error *err)
{
	struct error why = ERROR_INIT;

	if (resolve_root(store, &out->root, reference, cancel, &why))
		return why.kind == ERROR_NOT_FOUND && reference->tag ? 0 : error_copy(err, &why);
	if (set_entry(out, store, cancel, err) == 0)
		return 0;
	version_clear(out);
	return -1;
}

int version_copy(struct version *out, const struct version *from, struct error *err)
{
	*out = (struct version)VERSION_INIT;
	if (!version_exists(from))
		return 0;
	if (document_copy(&out->root, &from->root, err) == 0 &&
		(!from->entry.json || descriptor_copy(&out->entry, &from->entry, err) == 0))
		return 0;
	version_clear(out);
	return -1;
}

void version_clear(struct version *version)
{
	document_clear(&version->root);
	descriptor_clear(&version->entry);
	*version = (struct version)VERSION_INIT;
}

void version_take(struct version *version, struct version *from)
{
	version_clear(version);
	*version = *from;
	*from = (struct version)VERSION_INIT;
}

static int single_name(char ***out, const struct descriptor *entry, struct error *err)
{
	char name[FOLDER_NAME_SIZE];
	char **names = calloc(1, sizeof *names);

	if (!entry->has_platform || !platform_name(name, &entry->platform))
		strcpy(name, PLATFORM_ANY);
	if (names)
		names[0] = strdup(name);
	if (!names || !names[0]) {
		free(names);
		return error_set_memory(err);
	}
	*out = names;
	return 0;
}

int version_entries(struct entry_list *out, const struct version *version, struct error *err)
{
	const struct document *root = &version->root;
	bool single = version_is_single(version);

	*out = (struct entry_list){.items = NULL};
	if (!version_exists(version))
		return 0;
	if (single ? single_name(&out->names, &version->entry, err)
		   : folder_names(&out->names, root, err))
		return -1;
	out->items = single ? &version->entry : root->items;
	out->count = single ? 1 : root->count;
	return 0;
}

void entry_list_clear(struct entry_list *list)
{
	if (list->names)
		layer_paths_free(list->names, list->count);
	*list = (struct entry_list){.items = NULL};
}
