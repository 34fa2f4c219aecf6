/* What is parsed is formatted to a text that parses to the same, and formats to itself. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "annotation_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_layers(const struct annotation_file *a, const struct annotation_file *b)
{
	size_t full = 0;

	for (size_t i = 0; i < a->layer_count; i++) {
		const struct annotations *layer;

		require(annotations_get(&a->layers[i].annotations, ANNOTATION_TITLE) == NULL);
		if (a->layers[i].annotations.count == 0)
			continue;
		layer = annotation_file_layer(b, a->layers[i].title);
		require(layer && annotations_equal(layer, &a->layers[i].annotations));
		full++;
	}
	require(full == b->layer_count);
}

static void check_round(const struct annotation_file *file)
{
	struct buf text = BUF_INIT(BUF_UNBOUNDED), again = BUF_INIT(BUF_UNBOUNDED);
	struct annotation_file back;

	require(annotation_file_format(&text, file, NULL) == 0);
	require(annotation_file_parse(&back, text.data, text.len, NULL) == 0);
	require(annotations_equal(&back.descriptor, &file->descriptor));
	require(annotations_equal(&back.manifest, &file->manifest));
	require(annotations_equal(&back.config, &file->config));
	check_layers(file, &back);
	require(annotation_file_format(&again, &back, NULL) == 0);
	require(again.len == text.len && memcmp(again.data, text.data, text.len) == 0);
	annotation_file_clear(&back);
	buf_free(&text);
	buf_free(&again);
}

static void check_index(const char *text, size_t size)
{
	struct buf again = BUF_INIT(BUF_UNBOUNDED);
	struct annotations map, back;
	struct error err = ERROR_INIT;

	if (index_annotations_parse(&map, text, size, &err)) {
		require(err.kind == ERROR_INVALID && strncmp(err.message, "line ", 5) == 0);
		return;
	}
	require(index_annotations_format(&again, &map, NULL) == 0);
	require(index_annotations_parse(&back, again.data, again.len, NULL) == 0);
	require(annotations_equal(&map, &back));
	annotations_clear(&map);
	annotations_clear(&back);
	buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct annotation_file file;
	struct error err = ERROR_INIT;

	check_index((const char *)data, size);
	if (annotation_file_parse(&file, (const char *)data, size, &err)) {
		require(err.kind == ERROR_INVALID && strncmp(err.message, "line ", 5) == 0);
		require(!file.layers && file.descriptor.count == 0);
		return 0;
	}
	check_round(&file);
	annotation_file_clear(&file);
	return 0;
}
