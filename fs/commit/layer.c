/*
 * layer.c - the layers that a plan's files become.
 */
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "fs/commit/plan.h"
#include "media_type.h"

/* The annotations of a layer: those of the base in their order with the values of the notes, the
 * title, what is new in the notes, and the mode where there is an execute bit. */
static int layer_annotations(struct annotations *out, const struct plan_file *file,
	const struct annotations *notes, struct error *err)
{
	const struct annotations *base = &file->base.annotations;
	char mode[8] = "";
	size_t i;

	if (file->mode & 0111)
		snprintf(mode, sizeof mode, "%04o", (unsigned)(file->mode & 0777));
	for (i = 0; i < base->count; i++) {
		const struct annotation *item = &base->items[i];
		const char *value = notes ? annotations_get(notes, item->key) : NULL;

		if (!strcmp(item->key, ANNOTATION_TITLE))
			value = file->same_title ? item->value : file->path;
		else if (!strcmp(item->key, ANNOTATION_MODE))
			value = !file->mode_set ? item->value : *mode ? mode : NULL;
		if (value && annotations_set(out, item->key, value, err))
			return -1;
	}
	if (!file->same_title && annotations_set(out, ANNOTATION_TITLE, file->path, err))
		return -1;
	for (i = 0; notes && i < notes->count; i++)
		if (annotations_set(out, notes->items[i].key, notes->items[i].value, err))
			return -1;
	return file->mode_set && *mode ? annotations_set(out, ANNOTATION_MODE, mode, err) : 0;
}

static int build_layer(const struct plan *plan, const struct plan_folder *folder,
	struct plan_file *file, struct error *err)
{
	cleanup_with(annotations_clear) struct annotations want = ANNOTATIONS_INIT;
	struct descriptor *out = &file->layer;
	const char *type = file->media_type;

	if (!type && file->has_base)
		type = file->base.media_type;
	if (!type)
		type = media_type_for_name(file->path, plan->tree->options.layer_type);
	if (file->has_base ? descriptor_copy(out, &file->base, err)
			   : descriptor_create(out, type, &file->digest, file->size, err))
		return -1;
	if (file->has_base &&
		descriptor_set_content(out, type, file->staged ? &file->digest : &out->digest,
			file->staged ? file->size : out->size, err))
		return -1;
	if (layer_annotations(&want, file, annotation_file_layer(&folder->notes, file->path), err))
		return -1;
	/* Homebrew's bottles have a title and nothing else; many are copied with all bits set */
	if (plan->tree->options.profile == PROFILE_HOMEBREW)
		annotations_remove(&want, ANNOTATION_MODE);
	return descriptor_set_annotations(out, &want, err);
}

static int build_layers(
	const struct plan *plan, struct plan_folder *folders, size_t count, struct error *err)
{
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; folders[i].rebuilt && k < folders[i].file_count; k++)
			if (build_layer(plan, &folders[i], &folders[i].files[k], err))
				return -1;
	return 0;
}

int plan_layers(struct plan *plan, struct error *err)
{
	return build_layers(plan, plan->folders, plan->folder_count, err) ||
			       build_layers(plan, plan->attached, plan->attached_count, err)
		       ? -1
		       : 0;
}
