#include "publish.h"

#include "crash_point.h"
#include "parallel.h"

/* Where this much is to be sent, a moved tag is looked for beforehand too. */
#define CHECK_FIRST_BYTES ((int64_t)16 << 20)

struct run {
	struct store *store;
	struct publication *publication;
	struct cancel *cancel;
};

static int blob_send(void *context, size_t i, struct error *err)
{
	const struct run *run = context;
	const struct publish_blob *blob = &run->publication->blobs[i];

	return store_blob_put(run->store, &blob->digest, &blob->source, run->cancel, err);
}

static int document_send(const struct run *run, const struct document *document, struct error *err)
{
	return run->store->ops->document_put(run->store, document, NULL, NULL, run->cancel, err);
}

static int manifest_send(void *context, size_t i, struct error *err)
{
	const struct run *run = context;
	const struct document *manifest = &run->publication->manifests[i];

	return manifest->kind == DOCUMENT_MANIFEST ? document_send(run, manifest, err) : 0;
}

static int blobs_send(struct run *run, struct error *err)
{
	struct publication *publication = run->publication;

	if (!publication->blobs_sent &&
		parallel_for(publication->blob_count, run->store->jobs, blob_send, run, err))
		return -1;
	publication->blobs_sent = true;
	return 0;
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

/* What the tag names now; unset where it isn't there. */
static int tag_read(const struct run *run, struct digest *out, struct error *err)
{
	struct descriptor now = DESCRIPTOR_INIT;
	struct error why = ERROR_INIT;

	*out = (struct digest)DIGEST_NONE;
	if (run->store->ops->resolve(run->store, &now, run->publication->tag, run->cancel, &why))
		return why.kind == ERROR_NOT_FOUND ? 0 : error_copy(err, &why);
	*out = now.digest;
	descriptor_clear(&now);
	return 0;
}

/* ERROR_CONFLICT unless the tag is where it is to be moved from. *done: it is at the root already,
 * as after a push whose answer was lost, or another's of equal content. */
static int tag_check(const struct run *run, bool *done, struct error *err)
{
	const struct publication *publication = run->publication;
	struct digest found;

	if (tag_read(run, &found, err))
		return -1;
	*done = digest_equal(&found, &publication->root->digest);
	if (*done || digest_equal(&found, &publication->base))
		return 0;
	return store_tag_moved(err, publication->tag, &publication->base, &found);
}

static int64_t blobs_size(const struct publication *publication)
{
	int64_t size = 0;

	for (size_t i = 0; i < publication->blob_count && !publication->blobs_sent; i++)
		size += publication->blobs[i].source.size;
	return size;
}

static int tag_check_early(const struct run *run, bool *done, struct error *err)
{
	return blobs_size(run->publication) < CHECK_FIRST_BYTES ? 0 : tag_check(run, done, err);
}

static int tag_move(const struct run *run, struct error *err)
{
	const struct publication *publication = run->publication;

	return run->store->ops->document_put(run->store, publication->root, publication->tag,
		&publication->base, run->cancel, err);
}

/* Where others may write in the same moment, what the tag names is what they have left of it. */
static int tag_read_back(const struct run *run, struct digest *found, struct error *err)
{
	*found = run->publication->root->digest;
	return run->store->atomic_tags ? 0 : tag_read(run, found, err);
}

static int tag_publish(const struct run *run, struct digest *found, struct error *err)
{
	bool done;

	if (tag_check(run, &done, err))
		return -1;
	if (done)
		return 0;
	CRASH_POINT("publish.checked");
	if (tag_move(run, err))
		return -1;
	CRASH_POINT("publish.tagged");
	return tag_read_back(run, found, err);
}

static int tag_publish_in_turn(const struct run *run, struct digest *found, struct error *err)
{
	const struct publication *publication = run->publication;
	int result;

	if (!publication->turn_begin)
		return tag_publish(run, found, err);
	if (publication->turn_begin(publication->turn, run->cancel, err))
		return -1;
	result = tag_publish(run, found, err);
	publication->turn_end(publication->turn);
	return result;
}

int publish(struct store *store, struct publication *publication, struct digest *found,
	struct cancel *cancel, struct error *err)
{
	struct run run = {.store = store, .publication = publication, .cancel = cancel};
	bool done = false;

	*found = publication->root->digest;
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
	return tag_publish_in_turn(&run, found, err);
}
