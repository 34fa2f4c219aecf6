/*
 * pace.c - how much of a blob goes in one body.
 *
 * As much as can be, since each body costs a round trip; less where that is refused, as by a proxy
 * before the registry (413), or doesn't get through a line that breaks all the time.
 */
#include <inttypes.h>

#include "registry/remote/upload.h"

#define HTTP_TOO_LARGE 413
#define BODY_MIN ((uint64_t)128 << 10) /* who takes less takes no blobs */

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

bool upload_goes_in_chunks(const struct upload *upload, const struct session *session)
{
	const struct remote *remote = upload->remote;
	uint64_t size = (uint64_t)upload->source->size;
	int64_t whole = remote->chunked_from > remote->chunk_size ? remote->chunked_from
								  : remote->chunk_size;

	return size > least((uint64_t)whole, upload->body_max) && size > session->chunk_min &&
	       host_trait_get(&remote->host->chunks) != HOST_NO;
}

uint64_t upload_chunk_size(const struct upload *upload, const struct session *session)
{
	uint64_t size = least((uint64_t)upload->remote->chunk_size, upload->body_max);

	return size > session->chunk_min ? size : session->chunk_min;
}

/* A power of two, of half the length at most: limits are mostly such, or a little more. */
static bool shrink(struct upload *upload, uint64_t length)
{
	uint64_t shorter = BODY_MIN;

	if (length / 2 < BODY_MIN || host_trait_get(&upload->remote->host->chunks) == HOST_NO)
		return false;
	while (shorter <= length / 4)
		shorter *= 2;
	upload->body_max = shorter;
	return true;
}

void upload_body_broke(struct upload *upload, uint64_t length)
{
	shrink(upload, length);
}

bool upload_body_too_long(
	struct upload *upload, uint64_t length, const struct http_response *response)
{
	struct host *host = upload->remote->host;

	if (response->status != HTTP_TOO_LARGE || !shrink(upload, length))
		return false;
	log_write(upload->remote->log, LOG_LEVEL_INFO,
		"%s takes no body of %" PRIu64 " bytes: blobs go in chunks of %" PRIu64, host->name,
		length, upload->body_max);
	atomic_store(&host->body_max, least(upload->body_max, atomic_load(&host->body_max)));
	return true;
}
