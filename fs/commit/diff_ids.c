#include "fs/commit/diff_ids.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diff_id.h"
#include "fs/cache/cache.h"
#include "fs/tree/folder.h"

/* What the present config says, by the layer's place in the present manifest. */
static bool find_known(struct digest *out, const struct document *manifest,
	const struct base_config *base, const struct descriptor *layer)
{
	if (!manifest || !base->json || base->count != manifest->count)
		return false;
	for (size_t i = 0; i < manifest->count; i++)
		if (digest_equal(&manifest->items[i].digest, &layer->digest) &&
			!strcmp(manifest->items[i].media_type, layer->media_type)) {
			*out = base->diff_ids[i];
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
	const struct document *manifest = folder->node->folder->manifest;
	cleanup_free struct digest *found = calloc(folder->file_count + 1, sizeof *found);

	if (!found)
		return error_set_memory(err);
	for (size_t i = 0; i < folder->file_count; i++) {
		const struct plan_file *file = &folder->files[i];

		if (!find_known(&found[i], manifest, base, &file->layer) &&
			compute(&found[i], plan, folder, file, cancel, err))
			return -1;
	}
	*out = steal_ptr(found);
	return 0;
}
