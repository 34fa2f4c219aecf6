#include "registry/layout/layout.h"

#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "registry/layout/blobs.h"
#include "registry/layout/contents.h"
#include "registry/layout/folder.h"
#include "registry/layout/referrers.h"
#include "registry/layout/tags.h"

/* What is shared by all threads never changes after layout_open(). */
struct layout {
	struct store store; /* first, so that one is the other */
	int dir;
	int timeout;
	char *path; /* for messages */
};

static const struct layout *layout_of(struct store *store)
{
	return (const struct layout *)store;
}

static int failed(const struct layout *layout, struct error *err)
{
	return error_prefix(err, "%s", layout->path);
}

/* Whether a call may begin. */
static int call_begin(
	const struct layout *layout, bool writes, struct cancel *cancel, struct error *err)
{
	if (cancel_fired(cancel))
		return error_set(err, ERROR_INTERRUPTED, "interrupted");
	if (writes && layout->store.read_only)
		return error_set(err, ERROR_READ_ONLY, "can't be written");
	return 0;
}

static int op_resolve(struct store *store, struct descriptor *out, const char *tag,
	struct cancel *cancel, struct error *err)
{
	const struct layout *layout = layout_of(store);

	if (call_begin(layout, false, cancel, err) || layout_tag_find(layout->dir, out, tag, err))
		return failed(layout, err);
	return 0;
}

static int document_read(const struct layout *layout, struct document *out,
	const struct digest *digest, const char *media_type, struct error *err)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(DOCUMENT_SIZE_MAX);

	if (layout_blob_read(layout->dir, &text, digest, err))
		return -1;
	if (document_parse(out, media_type, text.data ? text.data : "", text.len, err))
		return error_prefix(err, "%s", digest->text);
	/* The name by which it was asked for; the same but where that is a sha512. */
	out->digest = *digest;
	return 0;
}

static int tagged_read(
	const struct layout *layout, struct document *out, const char *tag, struct error *err)
{
	cleanup_with(descriptor_clear) struct descriptor entry = DESCRIPTOR_INIT;

	if (layout_tag_find(layout->dir, &entry, tag, err) ||
		document_read(layout, out, &entry.digest, entry.media_type, err))
		return -1;
	if (out->json_len == (uint64_t)entry.size)
		return 0;
	error_set(err, ERROR_CORRUPT, "%s: has %zu bytes, not %lld", entry.digest.text,
		out->json_len, (long long)entry.size);
	document_clear(out);
	return -1;
}

static int op_document_get(struct store *store, struct document *out, const char *tag,
	const struct digest *digest, const char *media_type, struct cancel *cancel,
	struct error *err)
{
	const struct layout *layout = layout_of(store);

	if (call_begin(layout, false, cancel, err))
		return failed(layout, err);
	if (digest ? document_read(layout, out, digest, media_type, err)
		   : tagged_read(layout, out, tag, err))
		return failed(layout, err);
	return 0;
}

/* The tag's document now, which may be missing or damaged: then it says nothing. */
static int before_read(
	const struct layout *layout, struct document *out, const char *tag, struct error *err)
{
	struct error why = ERROR_INIT;

	if (tag && tagged_read(layout, out, tag, &why) && why.kind == ERROR_MEMORY)
		return error_copy(err, &why);
	return 0;
}

static int contents_check(const struct layout *layout, const struct document *document,
	const char *tag, struct error *err)
{
	cleanup_with(document_clear) struct document before = DOCUMENT_INIT;

	if (before_read(layout, &before, tag, err))
		return -1;
	return layout_contents_check(layout->dir, document, &before, err);
}

static int op_document_put(struct store *store, const struct document *document, const char *tag,
	const struct digest *expected, struct cancel *cancel, struct error *err)
{
	const struct layout *layout = layout_of(store);

	if (call_begin(layout, true, cancel, err) || contents_check(layout, document, tag, err) ||
		layout_blob_write_bytes(
			layout->dir, &document->digest, document->json, document->json_len, err))
		return failed(layout, err);
	if (tag && layout_tag_point(
			   layout->dir, tag, document, expected, layout->timeout, cancel, err))
		return failed(layout, err);
	if (!tag && document->has_subject &&
		layout_entry_keep(layout->dir, document, layout->timeout, cancel, err))
		return failed(layout, err);
	return 0;
}

static int op_blob_exists(struct store *store, bool *out, const struct digest *digest, int64_t size,
	struct cancel *cancel, struct error *err)
{
	const struct layout *layout = layout_of(store);

	if (call_begin(layout, false, cancel, err) ||
		layout_blob_present(layout->dir, out, digest, size, err))
		return failed(layout, err);
	return 0;
}

static int op_blob_get(struct store *store, const struct digest *digest, int64_t size,
	uint64_t offset, uint64_t length, const struct store_sink *sink, struct cancel *cancel,
	struct error *err)
{
	const struct layout *layout = layout_of(store);

	if (call_begin(layout, false, cancel, err) ||
		layout_blob_copy_out(layout->dir, digest, size, offset, length, sink, cancel, err))
		return failed(layout, err);
	return 0;
}

static int op_blob_put(struct store *store, const struct digest *digest,
	const struct store_source *source, struct cancel *cancel, struct error *err)
{
	const struct layout *layout = layout_of(store);

	if (call_begin(layout, true, cancel, err) ||
		layout_blob_write(layout->dir, digest, source, cancel, err))
		return failed(layout, err);
	return 0;
}

static int op_blob_open(
	struct store *store, const struct digest *digest, int64_t size, struct error *err)
{
	const struct layout *layout = layout_of(store);
	int fd = layout_blob_open(layout->dir, digest, size, err);

	return fd < 0 ? failed(layout, err) : fd;
}

static int op_tags(struct store *store,
	int (*take)(void *context, const char *tag, struct error *err), void *context,
	struct cancel *cancel, struct error *err)
{
	const struct layout *layout = layout_of(store);

	if (call_begin(layout, false, cancel, err))
		return failed(layout, err);
	return layout_tags_list(layout->dir, take, context, err);
}

static int op_referrers(struct store *store, struct document *out, const struct digest *subject,
	const char *artifact_type, struct cancel *cancel, struct error *err)
{
	const struct layout *layout = layout_of(store);

	if (call_begin(layout, false, cancel, err) ||
		layout_referrers_find(layout->dir, out, subject, artifact_type, cancel, err))
		return failed(layout, err);
	return 0;
}

static void op_close(struct store *store)
{
	struct layout *layout = (struct layout *)store;

	if (layout->dir >= 0)
		close(layout->dir);
	free(layout->path);
	free(layout);
}

static const struct store_ops layout_ops = {
	.resolve = op_resolve,
	.document_get = op_document_get,
	.document_put = op_document_put,
	.blob_exists = op_blob_exists,
	.blob_get = op_blob_get,
	.blob_put = op_blob_put,
	.blob_open = op_blob_open,
	.tags = op_tags,
	.referrers = op_referrers,
	.close = op_close,
};

int layout_open(struct store **out, const struct reference *reference,
	const struct store_options *options, struct log *log, struct error *err)
{
	bool made = false;
	struct layout *layout = calloc(1, sizeof(*layout));
	cleanup_with(store_closep) struct store *store = layout ? &layout->store : NULL;

	if (!layout)
		return error_set_memory(err);
	layout->store.ops = &layout_ops;
	layout->store.jobs = options->jobs;
	layout->store.atomic_tags = true;
	layout->timeout = options->timeout;
	layout->dir = -1;
	layout->path = strdup(reference->path);
	if (!layout->path)
		return error_set_memory(err);
	layout->dir = layout_folder_open(layout->path, layout->timeout, &made, err);
	if (layout->dir < 0)
		return failed(layout, err);
	layout->store.read_only = layout_folder_read_only(layout->dir);
	if (made)
		log_write(log, LOG_LEVEL_INFO, "%s: made an OCI image layout", layout->path);
	*out = steal_ptr(store);
	return 0;
}
