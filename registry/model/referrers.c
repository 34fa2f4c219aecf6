#include "registry/model/referrers.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cleanup.h"
#include "registry/model/array.h"

#define ALGORITHM_MAX 32
#define ENCODED_MAX 64

/* Each character that a tag can't have is replaced by "-". */
static char *tag_append(char *at, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		*at++ = (char)(isalnum(c) || c == '.' || c == '_' || c == '-' ? c : '-');
	}
	return at;
}

void referrers_tag(char out[static TAG_MAX + 1], const struct digest *subject)
{
	size_t algorithm = digest_algorithm_len(subject);
	const char *encoded = digest_encoded(subject);
	size_t len = strlen(encoded);
	char *at = tag_append(
		out, subject->text, algorithm < ALGORITHM_MAX ? algorithm : ALGORITHM_MAX);

	*at++ = '-';
	at = tag_append(at, encoded, len < ENCODED_MAX ? len : ENCODED_MAX);
	*at = '\0';
}

static const char *artifact_type_of(const struct document *document)
{
	if (document->artifact_type && *document->artifact_type)
		return document->artifact_type;
	return document->has_config ? document->config.media_type : NULL;
}

int referrers_entry(struct descriptor *out, const struct document *document, struct error *err)
{
	if (descriptor_create(
		    out, document->media_type, &document->digest, (int64_t)document->json_len, err))
		return -1;
	if (descriptor_set_artifact_type(out, artifact_type_of(document), err) == 0 &&
		descriptor_set_annotations(out, &document->annotations, err) == 0)
		return 0;
	descriptor_clear(out);
	return -1;
}

int referrers_add(struct document *list, const struct descriptor *entry, struct error *err)
{
	/* Borrows all of them. */
	cleanup_free struct descriptor *items = calloc(list->count + 1, sizeof(*items));

	if (!items)
		return error_set_memory(err);
	for (size_t i = 0; i < list->count; i++) {
		if (digest_equal(&list->items[i].digest, &entry->digest))
			return 0;
		items[i] = list->items[i];
	}
	items[list->count] = *entry;
	return document_set_items(list, items, list->count + 1, err);
}

bool referrers_filtered(const char *value)
{
	static const char name[] = "artifactType";

	while (value && *value) {
		size_t len;

		value += strspn(value, " \t,");
		len = strcspn(value, " \t,");
		if (len == strlen(name) && strncasecmp(value, name, len) == 0)
			return true;
		value += len;
	}
	return false;
}

void referrers_clear(struct referrers *referrers)
{
	for (size_t i = 0; i < referrers->count; i++)
		descriptor_clear(&referrers->items[i]);
	free(referrers->items);
	*referrers = (struct referrers)REFERRERS_INIT;
}

static int entry_take(
	struct referrers *referrers, const struct descriptor *entry, struct error *err)
{
	struct descriptor *items =
		array_grow(referrers->items, referrers->count, sizeof(*referrers->items));

	if (!items)
		return error_set_memory(err);
	referrers->items = items;
	referrers->bytes += entry->json_len + 1;
	if (referrers->bytes > DOCUMENT_SIZE_MAX)
		return error_set(err, ERROR_TOO_LARGE, "more referrers than %zu bytes can name",
			DOCUMENT_SIZE_MAX);
	if (descriptor_copy(&items[referrers->count], entry, err))
		return -1;
	referrers->count++;
	return 0;
}

int referrers_take(struct referrers *referrers, const struct document *page,
	const char *artifact_type, struct error *err)
{
	for (size_t i = 0; i < page->count; i++) {
		const struct descriptor *entry = &page->items[i];

		if (artifact_type &&
			(!entry->artifact_type || strcmp(entry->artifact_type, artifact_type) != 0))
			continue;
		if (entry_take(referrers, entry, err))
			return -1;
	}
	return 0;
}

/* By digest, and those of one digest as they came. */
static int place_compare(const void *a, const void *b)
{
	const struct descriptor *first = *(const struct descriptor *const *)a;
	const struct descriptor *second = *(const struct descriptor *const *)b;
	int order = strcmp(first->digest.text, second->digest.text);

	return order ? order : (first > second) - (first < second);
}

/* Leaves of each digest the first entry. */
static int duplicates_drop(struct referrers *referrers, struct error *err)
{
	cleanup_free struct descriptor **places = calloc(referrers->count + 1, sizeof(*places));
	size_t kept = 0;

	if (!places)
		return error_set_memory(err);
	for (size_t i = 0; i < referrers->count; i++)
		places[i] = &referrers->items[i];
	qsort(places, referrers->count, sizeof(*places), place_compare);
	/* Compared before the one before it may have been cleared. */
	for (size_t i = referrers->count; i-- > 1;) {
		if (digest_equal(&places[i]->digest, &places[i - 1]->digest))
			descriptor_clear(places[i]);
	}
	for (size_t i = 0; i < referrers->count; i++) {
		if (referrers->items[i].json)
			referrers->items[kept++] = referrers->items[i];
	}
	referrers->count = kept;
	return 0;
}

int referrers_index(struct document *out, struct referrers *referrers, struct error *err)
{
	if (duplicates_drop(referrers, err) ||
		document_create(out, DOCUMENT_INDEX, NULL, DOCUMENT_COMPACT, err))
		return -1;
	if (document_set_items(out, referrers->items, referrers->count, err) == 0)
		return 0;
	document_clear(out);
	return -1;
}
