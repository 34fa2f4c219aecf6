/* A document keeps its bytes where nothing changes, and what it is told where something does. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_same(const struct document *document)
{
	struct document copy;

	require(document_copy(&copy, document, NULL) == 0);
	require(document_set_items(&copy, document->items, document->count, NULL) == 0);
	require(document_set_annotations(&copy, &document->annotations, NULL) == 0);
	require(document_set_artifact_type(&copy, document->artifact_type, NULL) == 0);
	require(document_set_subject(
			&copy, document->has_subject ? &document->subject : NULL, NULL) == 0);
	if (document->has_config)
		require(document_set_config(&copy, &document->config, NULL) == 0);
	require(digest_equal(&copy.digest, &document->digest));
	require(copy.json_len == document->json_len);
	require(memcmp(copy.json, document->json, copy.json_len) == 0);
	document_clear(&copy);
}

static void check_item(const struct descriptor *a, const struct descriptor *b)
{
	require(strcmp(a->media_type, b->media_type) == 0);
	require(digest_equal(&a->digest, &b->digest) && a->size == b->size);
	require(annotations_equal(&a->annotations, &b->annotations));
	require(a->has_platform == b->has_platform);
	require(!a->has_platform || platform_equal(&a->platform, &b->platform));
}

/* One item is added between all others, turned round. */
static void check_items(const struct document *document, const struct descriptor *more)
{
	size_t count = document->count + 1;
	struct descriptor *items = calloc(count, sizeof(*items));
	struct document edited;

	require(items != NULL);
	for (size_t i = 0, from = 0; i < count; i++)
		items[i] = i == document->count / 2 ? *more : document->items[from++];
	for (size_t i = 0; i < count / 2; i++) {
		struct descriptor swapped = items[i];

		items[i] = items[count - 1 - i];
		items[count - 1 - i] = swapped;
	}
	require(document_copy(&edited, document, NULL) == 0);
	require(document_set_items(&edited, items, count, NULL) == 0);
	require(edited.count == count);
	for (size_t i = 0; i < count; i++)
		check_item(&edited.items[i], &items[i]);
	require(document_set_items(&edited, NULL, 0, NULL) == 0 && edited.count == 0);
	require(annotations_equal(&edited.annotations, &document->annotations));
	document_clear(&edited);
	free(items);
}

static void check_annotations(const struct document *document)
{
	struct document edited;
	struct annotations want;

	require(document_copy(&edited, document, NULL) == 0);
	require(annotations_copy(&want, &document->annotations, NULL) == 0);
	if (want.count > 1)
		annotations_remove(&want, want.items[0].key);
	require(annotations_set(&want, "new", "\"value\"", NULL) == 0);
	require(document_set_annotations(&edited, &want, NULL) == 0);
	require(annotations_equal(&edited.annotations, &want));
	require(document_set_artifact_type(&edited, "x/y", NULL) == 0);
	require(strcmp(edited.artifact_type, "x/y") == 0 && edited.count == document->count);
	for (size_t i = 0; i < edited.count; i++)
		check_item(&edited.items[i], &document->items[i]);
	annotations_clear(&want);
	document_clear(&edited);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char text[] =
		"{ \"mediaType\":\"a/b\",\n\"digest\": \"x:1\",\"size\":0 ,\"u\":[{}]}";
	struct descriptor more;
	struct document document;
	struct error err = ERROR_INIT;

	if (document_parse(&document, NULL, (const char *)data, size, &err)) {
		require(err.kind == ERROR_CORRUPT || err.kind == ERROR_TOO_LARGE);
		require(!document.json && !document.items);
		return 0;
	}
	require(document.json_len == size && memcmp(document.json, data, size) == 0);
	require(descriptor_parse(&more, text, strlen(text), NULL) == 0);
	check_same(&document);
	check_items(&document, &more);
	check_annotations(&document);
	descriptor_clear(&more);
	document_clear(&document);
	return 0;
}
