#include <inttypes.h>
#include <stdio.h>

#include "media_type.h"
#include "registry/remote/location.h"
#include "registry/remote/upload.h"

/* Tells the source how far the blob is, not only this body of it. */
struct progress {
	const struct store_source *source;
	int64_t before;
};

static void progress_tell(void *context, int64_t sent)
{
	const struct progress *progress = context;

	progress->source->progress(progress->source->context, progress->before + sent);
}

/* ranges: whether the body is told to be a part, by its place in the blob. */
static int body_send(const struct upload *upload, const char *method, const char *url,
	uint64_t offset, uint64_t length, bool ranges, struct http_response *response,
	struct error *err)
{
	const struct store_source *source = upload->source;
	struct progress progress = {.source = source, .before = (int64_t)offset};
	char range[64];
	struct http_header headers[] = {
		{"Content-Type", MEDIA_TYPE_OCTETS}, {"Content-Range", range}};
	struct http_request request = {
		.method = method,
		.url = url,
		.headers = headers,
		.header_count = ranges ? 2 : 1,
		.body = {.kind = HTTP_BODY_FILE,
			.fd = source->fd,
			.offset = offset,
			.length = length,
			.progress = source->progress ? progress_tell : NULL,
			.context = &progress},
		.lane = HTTP_UPLOAD,
		.body_limit = HTTP_ERROR_BODY_MAX,
	};

	/* distribution-spec 1.1: "<start>-<end>", without a unit. */
	snprintf(range, sizeof(range), "%" PRIu64 "-%" PRIu64, offset, offset + length - 1);
	return remote_ask(upload->remote, &request, response, upload->cancel, err);
}

int upload_chunk(const struct upload *upload, const struct session *session, uint64_t length,
	struct http_response *response, struct error *err)
{
	return body_send(
		upload, "PATCH", session->location, session->offset, length, true, response, err);
}

int upload_close(const struct upload *upload, const struct session *session,
	struct http_response *response, struct error *err)
{
	uint64_t length = (uint64_t)upload->source->size - session->offset;
	cleanup_free char *url = NULL;

	if (location_with_digest(&url, session->location, upload->digest, err))
		return -1;
	return body_send(upload, "PUT", url, session->offset, length, session->offset && length,
		response, err);
}

int upload_confirm(
	const struct upload *upload, const struct http_response *response, struct error *err)
{
	bool exists = response->status == 201 || response->status == 204;
	struct remote *remote = upload->remote;

	if (!exists && remote_blob_exists(&remote->store, &exists, upload->digest,
			       upload->source->size, upload->cancel, err))
		return -1;
	if (!exists)
		return answer_wrong(remote, ERROR_PROTOCOL, upload->what,
			"the registry took it but doesn't have it", err);
	return answer_check_digest(remote, response, upload->digest, upload->what, err);
}
