#include "store.h"

#include <errno.h>

#include "registry/layout/layout.h"
#include "registry/remote/remote.h"
#include "registry/sender.h"

int store_open(struct store **out, const struct reference *reference,
	const struct store_options *options, struct log *log, struct error *err)
{
	if (reference->transport == REFERENCE_LAYOUT)
		return layout_open(out, reference, options, log, err);
	if (remote_open(out, reference, options, log, err))
		return -1;
	if (sender_new(&(*out)->sender, *out, err)) {
		store_close(*out);
		*out = NULL;
		return -1;
	}
	return 0;
}

void store_close(struct store *store)
{
	struct sender *sender = store->sender;

	store->ops->close(store);
	sender_free(sender);
}

int store_blob_put(struct store *store, const struct digest *digest,
	const struct store_source *source, struct cancel *cancel, struct error *err)
{
	if (store->sender)
		return sender_put(store->sender, digest, source, cancel, err);
	return store->ops->blob_put(store, digest, source, cancel, err);
}

bool store_blob_sending(struct store *store, const struct digest *digest, int64_t *sent)
{
	return store->sender && sender_sending(store->sender, digest, sent);
}

int store_tag_moved(struct error *err, const char *tag, const struct digest *expected,
	const struct digest *found)
{
	return error_set(err, ERROR_CONFLICT, "tag %s has moved: it was %s and is %s now", tag,
		digest_is_set(expected) ? expected->text : "not there",
		digest_is_set(found) ? found->text : "gone");
}

static int buf_sink(
	void *context, uint64_t offset, const void *bytes, size_t len, struct error *err)
{
	struct buf *out = context;

	if (offset != out->len)
		return error_set(err, ERROR_PROTOCOL, "bytes came out of order");
	if (buf_append(out, bytes, len))
		return error_set_errno(err, errno, "%zu bytes", out->limit);
	return 0;
}

int store_blob_read(struct store *store, struct buf *out, const struct descriptor *descriptor,
	struct cancel *cancel, struct error *err)
{
	const struct store_sink sink = {.write = buf_sink, .context = out};

	buf_reset(out);
	if ((uint64_t)descriptor->size > out->limit)
		return error_set(err, ERROR_TOO_LARGE, "%s: %lld bytes, over the limit of %zu",
			descriptor->digest.text, (long long)descriptor->size, out->limit);
	if (store->ops->blob_get(store, &descriptor->digest, descriptor->size, 0,
		    (uint64_t)descriptor->size, &sink, cancel, err) ||
		digest_check(&descriptor->digest, out->data ? out->data : "", out->len, err)) {
		buf_reset(out);
		return -1;
	}
	return 0;
}
