#include "registry/layout/referrers.h"

#include <string.h>

#include "cleanup.h"
#include "registry/layout/blobs.h"
#include "registry/layout/tags.h"
#include "registry/model/referrers.h"

#define DEPTH_MAX 8
#define READ_MAX 65536

struct search {
	int dir;
	const struct digest *subject;
	const char *artifact_type;
	struct cancel *cancel;
	size_t read; /* documents */
	struct referrers found;
};

static void search_clear(struct search *search)
{
	referrers_clear(&search->found);
}

static int document_read(
	int dir, struct document *out, const struct descriptor *entry, struct error *err)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(DOCUMENT_SIZE_MAX);

	if (layout_blob_read(dir, &text, &entry->digest, err) ||
		document_parse(out, entry->media_type, text.data ? text.data : "", text.len, err))
		return -1;
	out->digest = entry->digest;
	return 0;
}

static int found_add(struct search *search, const struct document *document, struct error *err)
{
	struct descriptor entry = DESCRIPTOR_INIT;
	struct document one = {.items = &entry, .count = 1};
	int failed;

	if (referrers_entry(&entry, document, err))
		return -1;
	failed = referrers_take(&search->found, &one, search->artifact_type, err);
	descriptor_clear(&entry);
	return failed;
}

static int index_search(
	struct search *search, const struct document *index, int depth, struct error *err);

static int entry_search(
	struct search *search, const struct descriptor *entry, int depth, struct error *err)
{
	cleanup_with(document_clear) struct document document = DOCUMENT_INIT;
	struct error why = ERROR_INIT;

	if (!media_type_is_index(entry->media_type) && !media_type_is_manifest(entry->media_type))
		return 0;
	if (cancel_fired(search->cancel))
		return error_set(err, ERROR_INTERRUPTED, "interrupted");
	if (search->read++ == READ_MAX)
		return error_set(err, ERROR_TOO_LARGE, "more than %d manifests", READ_MAX);
	if (document_read(search->dir, &document, entry, &why))
		return why.kind == ERROR_MEMORY ? error_copy(err, &why) : 0;
	if (document.has_subject && digest_equal(&document.subject.digest, search->subject) &&
		found_add(search, &document, err))
		return -1;
	return document.kind == DOCUMENT_INDEX ? index_search(search, &document, depth + 1, err)
					       : 0;
}

static int index_search(
	struct search *search, const struct document *index, int depth, struct error *err)
{
	for (size_t i = 0; i < index->count && depth < DEPTH_MAX; i++) {
		if (entry_search(search, &index->items[i], depth, err))
			return -1;
	}
	return 0;
}

int layout_referrers_find(int dir, struct document *out, const struct digest *subject,
	const char *artifact_type, struct cancel *cancel, struct error *err)
{
	cleanup_with(document_clear) struct document index = DOCUMENT_INIT;
	cleanup_with(search_clear) struct search search = {
		.dir = dir,
		.subject = subject,
		.artifact_type = artifact_type,
		.cancel = cancel,
		.found = REFERRERS_INIT,
	};

	if (layout_index_read(dir, &index, err) || index_search(&search, &index, 0, err))
		return -1;
	return referrers_index(out, &search.found, err);
}
