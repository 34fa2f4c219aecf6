#include "publish.h"

#include <strings.h>

int resolve_root(struct store *store, struct document *out, const struct reference *reference,
	struct cancel *cancel, struct error *err)
{
	bool pinned = digest_is_set(&reference->digest);

	if (!pinned && !reference->tag)
		return error_set(err, ERROR_INVALID, "neither a tag nor a digest is given");
	return store->ops->document_get(
		store, out, reference->tag, pinned ? &reference->digest : NULL, NULL, cancel, err);
}

/* image-spec descriptor.md, "Verification": the size first, then the digest. The media type must
 * agree too, or one reader takes for a manifest what another takes for an index. */
static int entry_check(
	const struct document *document, const struct descriptor *entry, struct error *err)
{
	if (document->json_len != (uint64_t)entry->size)
		return error_set(err, ERROR_CORRUPT, "%s: has %zu bytes, not %lld",
			entry->digest.text, document->json_len, (long long)entry->size);
	if (digest_check(&entry->digest, document->json, document->json_len, err))
		return -1;
	if (strcasecmp(document->media_type, entry->media_type) != 0)
		return error_set(err, ERROR_CORRUPT, "%s: is %s, not %s", entry->digest.text,
			document->media_type, entry->media_type);
	return 0;
}

int resolve_entry(struct store *store, struct document *out, const struct descriptor *entry,
	struct cancel *cancel, struct error *err)
{
	if ((uint64_t)entry->size > DOCUMENT_SIZE_MAX)
		return error_set(err, ERROR_TOO_LARGE, "%s: %lld bytes, over the limit of %zu",
			entry->digest.text, (long long)entry->size, DOCUMENT_SIZE_MAX);
	if (store->ops->document_get(
		    store, out, NULL, &entry->digest, entry->media_type, cancel, err))
		return -1;
	if (entry_check(out, entry, err)) {
		document_clear(out);
		return -1;
	}
	return 0;
}
