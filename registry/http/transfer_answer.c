#include "registry/http/transfer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "registry/http/url.h"

static int answer_fail(struct transfer *transfer, enum error_kind kind, const char *what)
{
	int host_len;
	const char *host = http_url_host(transfer->request->url, &host_len);

	return error_set(transfer->error, kind, "%.*s: %s", host_len, host, what);
}

static bool is_success(const struct transfer *transfer)
{
	return transfer->response->status >= 200 && transfer->response->status < 300;
}

/* Of "HTTP/1.1 200 OK"; 0 where there is none. */
static int parse_status(const char *line, size_t len)
{
	const char *at = memchr(line, ' ', len);
	int status = 0;

	while (at && ++at < line + len && *at >= '0' && *at <= '9' && status < 1000)
		status = status * 10 + (*at - '0');
	return status;
}

/* A new answer: the first, or one after an interim one (100 Continue), or after curl has sent
 * the request again because the server doesn't take Expect (417). */
static int answer_start(struct transfer *transfer, const char *line, size_t len)
{
	struct http_response *response = transfer->response;

	if (response->begun)
		return answer_fail(transfer, ERROR_PROTOCOL, "a second answer to one request");
	http_headers_clear(&response->headers);
	buf_reset(&response->body);
	transfer->answered = false;
	response->status = parse_status(line, len);
	if (response->status < 100 || response->status > 599)
		return answer_fail(transfer, ERROR_PROTOCOL, "an answer without a status");
	return 0;
}

/* What was asked for may be too large; what only says how it went breaks the protocol. */
static int body_too_large(struct transfer *transfer)
{
	bool asked_for = strcmp(transfer->request->method, "GET") == 0;
	char what[64];

	snprintf(what, sizeof(what), "the answer is larger than %zu bytes",
		transfer->request->body_limit);
	return answer_fail(transfer, asked_for ? ERROR_TOO_LARGE : ERROR_PROTOCOL, what);
}

/* The headers are complete. */
static int answer_begin(struct transfer *transfer)
{
	const struct http_request *request = transfer->request;
	struct http_response *response = transfer->response;

	if (response->status < 200)
		return 0;
	transfer->answered = true;
	response->body.limit = is_success(transfer) ? request->body_limit : HTTP_ERROR_BODY_MAX;
	if (!is_success(transfer))
		return 0;
	if (request->sink) {
		response->begun = true;
		return request->sink->begin(request->sink->context, response, transfer->error);
	}
	/* The length that a HEAD tells is of a body that doesn't come. */
	if (strcmp(request->method, "HEAD") != 0 &&
		http_headers_length(&response->headers) > (int64_t)request->body_limit)
		return body_too_large(transfer);
	return 0;
}

static int take_line(struct transfer *transfer, const char *line, size_t len)
{
	transfer->header_bytes += len;
	if (transfer->header_bytes > HTTP_HEADERS_SIZE_MAX)
		return answer_fail(transfer, ERROR_PROTOCOL, "the answer has too many headers");
	if (len >= 5 && memcmp(line, "HTTP/", 5) == 0)
		return answer_start(transfer, line, len);
	if (transfer->answered)
		return 0; /* a trailer: nothing that was checked before may change */
	if (len && (*line == '\r' || *line == '\n'))
		return answer_begin(transfer);
	return http_headers_add(&transfer->response->headers, line, len, transfer->error);
}

size_t transfer_on_header(char *line, size_t size, size_t count, void *context)
{
	size_t len = size * count;

	return take_line(context, line, len) ? 0 : len;
}

/* Of a refusal the beginning is enough. */
static size_t take_refusal(struct transfer *transfer, const char *bytes, size_t len)
{
	struct buf *body = &transfer->response->body;
	size_t room = body->limit - body->len;

	if (buf_append(body, bytes, len < room ? len : room)) {
		error_set_memory(transfer->error);
		return 0;
	}
	transfer->cut = len > room;
	return transfer->cut ? 0 : len;
}

size_t transfer_on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	const struct http_sink *sink = transfer->request->sink;
	size_t len = size * count;

	/* Here too: curl may go on for a hundred pieces before the engine has its turn again. */
	if (atomic_load(transfer->cancelled)) {
		error_set(transfer->error, ERROR_INTERRUPTED, "interrupted");
		return 0;
	}
	if (!is_success(transfer))
		return take_refusal(transfer, bytes, len);
	if (sink)
		return sink->write(sink->context, bytes, len, transfer->error) ? 0 : len;
	if (buf_append(&transfer->response->body, bytes, len) == 0)
		return len;
	if (errno == EFBIG)
		body_too_large(transfer);
	else
		error_set_memory(transfer->error);
	return 0;
}
