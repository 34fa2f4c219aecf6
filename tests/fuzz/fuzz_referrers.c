/* A document and a list of referrers: the document enters it once, and what is collected from it
 * has each digest once. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "registry/model/referrers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_tag(const struct document *document)
{
	char tag[TAG_MAX + 1];

	for (size_t i = 0; i < document->count; i++) {
		referrers_tag(tag, &document->items[i].digest);
		require(tag_valid(tag));
	}
}

static void check_collected(const struct document *list)
{
	struct referrers referrers = REFERRERS_INIT;
	struct document out;

	if (referrers_take(&referrers, list, NULL, NULL) == 0 &&
		referrers_index(&out, &referrers, NULL) == 0) {
		require(out.count <= list->count && (out.count > 0 || list->count == 0));
		for (size_t i = 1; i < out.count && i < 64; i++)
			require(!digest_equal(&out.items[i].digest, &out.items[0].digest));
		document_clear(&out);
	}
	referrers_clear(&referrers);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct document document;
	struct document list;
	struct descriptor entry;

	if (document_parse(&document, NULL, (const char *)data, size, NULL))
		return 0;
	check_tag(&document);
	require(referrers_entry(&entry, &document, NULL) == 0);
	require(digest_equal(&entry.digest, &document.digest));
	require(annotations_equal(&entry.annotations, &document.annotations));
	if (document.kind == DOCUMENT_INDEX) {
		require(document_copy(&list, &document, NULL) == 0);
		require(referrers_add(&list, &entry, NULL) == 0);
		require(list.count == document.count + 1);
		require(referrers_add(&list, &entry, NULL) == 0);
		require(list.count == document.count + 1);
		check_collected(&list);
		document_clear(&list);
	}
	descriptor_clear(&entry);
	document_clear(&document);
	return 0;
}
