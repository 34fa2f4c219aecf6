#include "annotation_file.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "registry/model/annotation_file_json.h"
#include "registry/model/array.h"

static void layer_clear(struct layer_annotations *layer)
{
	free(layer->title);
	annotations_clear(&layer->annotations);
}

void annotation_file_clear(struct annotation_file *file)
{
	annotations_clear(&file->descriptor);
	annotations_clear(&file->manifest);
	annotations_clear(&file->config);
	for (size_t i = 0; i < file->layer_count; i++)
		layer_clear(&file->layers[i]);
	free(file->layers);
	*file = (struct annotation_file)ANNOTATION_FILE_INIT;
}

struct annotations *annotation_file_layer_append(
	struct annotation_file *file, const char *title, struct error *err)
{
	struct layer_annotations layer = {.title = strdup(title)};
	struct layer_annotations *grown;

	if (!layer.title) {
		error_set_memory(err);
		return NULL;
	}
	grown = array_grow(file->layers, file->layer_count, sizeof(layer));
	if (!grown) {
		free(layer.title);
		error_set_memory(err);
		return NULL;
	}
	file->layers = grown;
	file->layers[file->layer_count] = layer;
	return &file->layers[file->layer_count++].annotations;
}

static int layers_copy(
	struct annotation_file *out, const struct annotation_file *from, struct error *err)
{
	for (size_t i = 0; i < from->layer_count; i++) {
		struct annotations *layer =
			annotation_file_layer_append(out, from->layers[i].title, err);

		if (!layer || annotations_copy(layer, &from->layers[i].annotations, err))
			return -1;
	}
	return 0;
}

int annotation_file_copy(
	struct annotation_file *out, const struct annotation_file *from, struct error *err)
{
	*out = (struct annotation_file)ANNOTATION_FILE_INIT;
	if (annotations_copy(&out->descriptor, &from->descriptor, err) ||
		annotations_copy(&out->manifest, &from->manifest, err) ||
		annotations_copy(&out->config, &from->config, err) || layers_copy(out, from, err)) {
		annotation_file_clear(out);
		return -1;
	}
	return 0;
}

static struct layer_annotations *layer_find(const struct annotation_file *file, const char *title)
{
	for (size_t i = 0; i < file->layer_count; i++)
		if (strcmp(file->layers[i].title, title) == 0)
			return &file->layers[i];
	return NULL;
}

struct annotations *annotation_file_layer(const struct annotation_file *file, const char *title)
{
	struct layer_annotations *layer = layer_find(file, title);

	return layer ? &layer->annotations : NULL;
}

struct annotations *annotation_file_layer_make(
	struct annotation_file *file, const char *title, struct error *err)
{
	struct layer_annotations *layer = layer_find(file, title);

	return layer ? &layer->annotations : annotation_file_layer_append(file, title, err);
}

void annotation_file_layer_remove(struct annotation_file *file, const char *title)
{
	struct layer_annotations *layer = layer_find(file, title);
	size_t after;

	if (!layer)
		return;
	layer_clear(layer);
	after = (size_t)(file->layers + file->layer_count - (layer + 1));
	memmove(layer, layer + 1, after * sizeof(*layer));
	file->layer_count--;
}
