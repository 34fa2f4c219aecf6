#include "publish.h"

#include "crash_point.h"
#include "parallel.h"

/* Where this much is to be sent, a moved tag is looked for beforehand too. */
#define CHECK_FIRST_BYTES ((int64_t)16 << 20)

struct run {
	struct store *store;
	const struct publication *publication;
	struct cancel *cancel;
};

static int blob_send(void *context, size_t i, struct error *err)
{
	const struct run *run = context;
	const struct publish_blob *blob = &run->publication->blobs[i];

	return run->store->ops->blob_put(
		run->store, &blob->digest, &blob->source, run->cancel, err);
}

static int document_send(const struct run *run, const struct document *document, struct error *err)
{
	return run->store->ops->document_put(run->store, document, NULL, run->cancel, err);
}

static int manifest_send(void *context, size_t i, struct error *err)
{
	const struct run *run = context;
	const struct document *manifest = &run->publication->manifests[i];

	return manifest->kind == DOCUMENT_MANIFEST ? document_send(run, manifest, err) : 0;
}

static int blobs_send(struct run *run, struct error *err)
{
	return parallel_for(run->publication->blob_count, run->store->jobs, blob_send, run, err);
}

/* Nested indexes go last and in their order, each after what it names. */
static int manifests_send(struct run *run, struct error *err)
{
	const struct publication *publication = run->publication;

	if (parallel_for(publication->manifest_count, run->store->jobs, manifest_send, run, err))
		return -1;
	for (size_t i = 0; i < publication->manifest_count; i++) {
		if (publication->manifests[i].kind == DOCUMENT_INDEX &&
			document_send(run, &publication->manifests[i], err))
			return -1;
	}
	return 0;
}

/* ERROR_CONFLICT unless the tag is where the change began. *done: it is at the root already, as
 * after a push whose answer was lost, or another's of equal content. */
static int tag_check(const struct run *run, bool *done, struct error *err)
{
	const struct publication *publication = run->publication;
	struct descriptor now = DESCRIPTOR_INIT;
	struct error why = ERROR_INIT;
	struct digest found = DIGEST_NONE;

	if (run->store->ops->resolve(run->store, &now, publication->tag, run->cancel, &why) == 0)
		found = now.digest;
	else if (why.kind != ERROR_NOT_FOUND)
		return error_copy(err, &why);
	descriptor_clear(&now);
	*done = digest_is_set(&found) && digest_equal(&found, &publication->root->digest);
	if (*done || digest_equal(&found, &publication->base))
		return 0;
	return error_set(err, ERROR_CONFLICT, "tag %s has moved: it was %s and is %s now",
		publication->tag,
		digest_is_set(&publication->base) ? publication->base.text : "not there",
		digest_is_set(&found) ? found.text : "gone");
}

static int64_t blobs_size(const struct publication *publication)
{
	int64_t size = 0;

	for (size_t i = 0; i < publication->blob_count; i++)
		size += publication->blobs[i].source.size;
	return size;
}

static int tag_check_early(const struct run *run, bool *done, struct error *err)
{
	return blobs_size(run->publication) < CHECK_FIRST_BYTES ? 0 : tag_check(run, done, err);
}

int publish(struct store *store, const struct publication *publication, struct cancel *cancel,
	struct error *err)
{
	struct run run = {.store = store, .publication = publication, .cancel = cancel};
	bool done = false;

	if (store->read_only)
		return error_set(err, ERROR_READ_ONLY, "this store can't be written");
	if (tag_check_early(&run, &done, err))
		return -1;
	if (done)
		return 0;
	CRASH_POINT("publish.begin");
	if (blobs_send(&run, err))
		return -1;
	CRASH_POINT("publish.blobs");
	if (manifests_send(&run, err))
		return -1;
	CRASH_POINT("publish.manifests");
	if (tag_check(&run, &done, err))
		return -1;
	if (done)
		return 0;
	CRASH_POINT("publish.checked");
	return store->ops->document_put(store, publication->root, publication->tag, cancel, err);
}
