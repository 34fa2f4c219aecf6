#include "clock.h"
#include "registry/http/transfer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crash_point.h"

static ssize_t body_read(const struct http_body *body, uint64_t at, char *out, size_t len)
{
	ssize_t got;

	if (body->kind == HTTP_BODY_MEMORY) {
		memcpy(out, (const char *)body->bytes + at, len);
		return (ssize_t)len;
	}
	do
		got = pread(body->fd, out, len, (off_t)(body->offset + at));
	while (got < 0 && errno == EINTR);
	return got;
}

size_t transfer_on_read(char *out, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	const struct http_body *body = &transfer->request->body;
	uint64_t left = body->length - transfer->sent;
	size_t room = size * count;
	ssize_t got;

	if (room > left)
		room = (size_t)left;
	if (!room)
		return 0;
	CRASH_POINT("http.body");
	got = body_read(body, transfer->sent, out, room);
	if (got <= 0) {
		if (got < 0)
			error_set_errno(transfer->error, errno, "reading what is to be sent");
		else
			error_set(transfer->error, ERROR_CORRUPT,
				"the file became shorter while it was sent");
		return CURL_READFUNC_ABORT;
	}
	transfer->sent += (uint64_t)got;
	return (size_t)got;
}

int transfer_on_seek(void *context, curl_off_t offset, int origin)
{
	struct transfer *transfer = context;

	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > transfer->request->body.length)
		return CURL_SEEKFUNC_FAIL;
	transfer->sent = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

/* What is small has a limit in all besides. */
static int64_t stall_limit_ms(const struct transfer *transfer)
{
	const struct http_request *request = transfer->request;
	int64_t limit = request->timeout_ms;

	if (!limit)
		limit = (int64_t)transfer->options->timeout * 1000;
	if (request->lane == HTTP_SMALL)
		limit = INT64_MAX;
	return request->stall_ms && request->stall_ms < limit ? request->stall_ms : limit;
}

/* Called once a second even if nothing moves. Curl's own low-speed limit averages over some
 * seconds, so it ends a stall later than was promised. */
int transfer_on_progress(
	void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
	struct transfer *transfer = context;
	const struct http_body *body = &transfer->request->body;
	int64_t now = clock_ms();
	int64_t limit = stall_limit_ms(transfer);

	(void)down_total;
	(void)up_total;
	if (down + up != transfer->moved || !transfer->moved_ms) {
		transfer->moved = down + up;
		transfer->moved_ms = now;
		if (body->progress && up)
			body->progress(body->context, up);
	}
	return now - transfer->moved_ms >= limit;
}
