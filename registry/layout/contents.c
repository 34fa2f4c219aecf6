#include "registry/layout/contents.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "media_type.h"
#include "registry/layout/blobs.h"

/* The digests that a document names, borrowed from it, in order. */
struct named {
	const char **digests;
	size_t count;
};

static int text_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int named_find(struct named *out, const struct document *document, struct error *err)
{
	*out = (struct named){.digests = calloc(document->count + 1, sizeof(*out->digests))};
	if (!out->digests)
		return error_set_memory(err);
	for (size_t i = 0; i < document->count; i++)
		out->digests[out->count++] = document->items[i].digest.text;
	if (document->has_config)
		out->digests[out->count++] = document->config.digest.text;
	qsort(out->digests, out->count, sizeof(*out->digests), text_compare);
	return 0;
}

static void named_clear(struct named *named)
{
	free(named->digests);
}

static bool named_has(const struct named *named, const struct digest *digest)
{
	const char *text = digest->text;

	return bsearch(&text, named->digests, named->count, sizeof(text), text_compare);
}

/* Layers that are kept elsewhere, and content that nobody here could verify, need not be there. */
static bool content_required(const struct descriptor *descriptor)
{
	return digest_verifiable(&descriptor->digest) &&
	       !media_type_is_elsewhere(descriptor->media_type);
}

static int content_check(
	int dir, const struct descriptor *descriptor, const struct named *before, struct error *err)
{
	bool present;

	if (!content_required(descriptor) || named_has(before, &descriptor->digest))
		return 0;
	if (layout_blob_present(dir, &present, &descriptor->digest, descriptor->size, err))
		return -1;
	if (!present)
		return error_set(err, ERROR_NOT_FOUND,
			"blob %s, which the document names, isn't there", descriptor->digest.text);
	return 0;
}

int layout_contents_check(
	int dir, const struct document *document, const struct document *before, struct error *err)
{
	cleanup_with(named_clear) struct named named;

	if (named_find(&named, before, err))
		return -1;
	if (document->has_config && content_check(dir, &document->config, &named, err))
		return -1;
	for (size_t i = 0; i < document->count; i++) {
		if (content_check(dir, &document->items[i], &named, err))
			return -1;
	}
	return 0;
}
