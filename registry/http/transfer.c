#include "registry/http/transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/http/failure.h"
#include "registry/http/guard.h"
#include "registry/http/url.h"

#define DOCUMENT_BUFFER (64L << 10)
#define BODY_BUFFER (256L << 10)
#define UPLOAD_BUFFER (1L << 20)
#define EXPECT_FROM ((uint64_t)1 << 20)
#define CONNECT_TIMEOUT_MAX 30L
#define TIMEOUT_MAX (24L * 60 * 60)

/* The first failure of any of these is the one that counts. */
#define SET(transfer, code, option, value)                                                         \
	do {                                                                                       \
		if ((code) == CURLE_OK)                                                            \
			(code) = curl_easy_setopt((transfer)->easy, (option), (value));            \
	} while (0)

static CURLcode set_tls(struct transfer *transfer)
{
	const struct http_options *options = transfer->options;
	CURLcode code = CURLE_OK;

	SET(transfer, code, CURLOPT_SSL_VERIFYPEER, options->tls_verify ? 1L : 0L);
	SET(transfer, code, CURLOPT_SSL_VERIFYHOST, options->tls_verify ? 2L : 0L);
	if (options->ca_pem) {
		struct curl_blob pem = {
			.data = (void *)options->ca_pem,
			.len = strlen(options->ca_pem),
			.flags = CURL_BLOB_NOCOPY,
		};

		SET(transfer, code, CURLOPT_CAINFO_BLOB, &pem);
	} else if (options->ca_file) {
		SET(transfer, code, CURLOPT_CAINFO, options->ca_file);
	}
	if (transfer->request->anonymous)
		return code;
	if (options->cert)
		SET(transfer, code, CURLOPT_SSLCERT, options->cert);
	if (options->key)
		SET(transfer, code, CURLOPT_SSLKEY, options->key);
	return code;
}

void transfer_connected(struct transfer *transfer)
{
	const struct http_request *request = transfer->request;

	transfer->connected = true;
	if (request->connected)
		request->connected(request->connected_context);
}

/* A resolver that hangs mustn't hold the engine's thread when its transfer is given up: that is
 * what QUICK_EXIT is for. PIPEWAIT stays off: with it, a request waits for a stalled one to tell
 * whether their connection can be shared. */
static CURLcode set_connection(struct transfer *transfer, CURLSH *share)
{
	const struct http_request *request = transfer->request;
	CURLcode code = CURLE_OK;

	SET(transfer, code, CURLOPT_URL, request->url);
	SET(transfer, code, CURLOPT_PROTOCOLS_STR, "http,https");
	SET(transfer, code, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	SET(transfer, code, CURLOPT_FRESH_CONNECT, request->fresh ? 1L : 0L);
	SET(transfer, code, CURLOPT_NOSIGNAL, 1L);
	SET(transfer, code, CURLOPT_QUICK_EXIT, 1L);
	SET(transfer, code, CURLOPT_TCP_NODELAY, 1L);
	SET(transfer, code, CURLOPT_TCP_KEEPALIVE, 1L);
	SET(transfer, code, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(transfer, code, CURLOPT_SHARE, share);
	SET(transfer, code, CURLOPT_USERAGENT, "indexfs/" INDEXFS_VERSION);
	if (http_url_is_loopback(request->url))
		SET(transfer, code, CURLOPT_PROXY, "");
	return code == CURLE_OK ? guard_set(transfer) : code;
}

static CURLcode set_timeouts(struct transfer *transfer)
{
	const struct http_request *request = transfer->request;
	long timeout = transfer->options->timeout;
	long connect, total = request->timeout_ms;
	CURLcode code = CURLE_OK;

	if (timeout < 1)
		timeout = 1;
	if (timeout > TIMEOUT_MAX)
		timeout = TIMEOUT_MAX;
	connect = timeout < CONNECT_TIMEOUT_MAX ? timeout : CONNECT_TIMEOUT_MAX;
	if (!total)
		total = timeout * 1000;
	SET(transfer, code, CURLOPT_CONNECTTIMEOUT_MS,
		total < connect * 1000 ? total : connect * 1000);
	if (request->lane == HTTP_SMALL)
		SET(transfer, code, CURLOPT_TIMEOUT_MS, total);
	if (request->lane != HTTP_SMALL || request->stall_ms) {
		/* transfer_on_progress() is what ends a stall; the limit makes curl call it. */
		SET(transfer, code, CURLOPT_LOW_SPEED_LIMIT, 1L);
		SET(transfer, code, CURLOPT_LOW_SPEED_TIME, timeout * 2);
	}
	if (request->connect_ms && request->connect_ms < connect * 1000 &&
		request->connect_ms < total)
		SET(transfer, code, CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_ms);
	return code;
}

static CURLcode set_callbacks(struct transfer *transfer)
{
	bool small = transfer->request->lane == HTTP_SMALL;
	CURLcode code = CURLE_OK;

	SET(transfer, code, CURLOPT_ERRORBUFFER, transfer->message);
	SET(transfer, code, CURLOPT_HEADERFUNCTION, transfer_on_header);
	SET(transfer, code, CURLOPT_HEADERDATA, transfer);
	SET(transfer, code, CURLOPT_WRITEFUNCTION, transfer_on_body);
	SET(transfer, code, CURLOPT_WRITEDATA, transfer);
	SET(transfer, code, CURLOPT_NOPROGRESS, 0L);
	SET(transfer, code, CURLOPT_XFERINFOFUNCTION, transfer_on_progress);
	SET(transfer, code, CURLOPT_XFERINFODATA, transfer);
	SET(transfer, code, CURLOPT_BUFFERSIZE, small ? DOCUMENT_BUFFER : BODY_BUFFER);
	return code;
}

/* A POST without a body, too, says Content-Length: 0. */
static CURLcode set_method(struct transfer *transfer)
{
	const struct http_request *request = transfer->request;
	CURLcode code = CURLE_OK;

	if (strcmp(request->method, "HEAD") == 0) {
		SET(transfer, code, CURLOPT_NOBODY, 1L);
	} else if (strcmp(request->method, "GET") == 0) {
		SET(transfer, code, CURLOPT_HTTPGET, 1L);
	} else if (request->body.length) {
		SET(transfer, code, CURLOPT_UPLOAD, 1L);
		SET(transfer, code, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->body.length);
		SET(transfer, code, CURLOPT_READFUNCTION, transfer_on_read);
		SET(transfer, code, CURLOPT_READDATA, transfer);
		SET(transfer, code, CURLOPT_SEEKFUNCTION, transfer_on_seek);
		SET(transfer, code, CURLOPT_SEEKDATA, transfer);
		if (request->body.length > (uint64_t)UPLOAD_BUFFER / 4)
			SET(transfer, code, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER);
		SET(transfer, code, CURLOPT_CUSTOMREQUEST, request->method);
	} else {
		SET(transfer, code, CURLOPT_POST, 1L);
		SET(transfer, code, CURLOPT_POSTFIELDS, "");
		SET(transfer, code, CURLOPT_POSTFIELDSIZE, 0L);
		SET(transfer, code, CURLOPT_CUSTOMREQUEST, request->method);
	}
	return code;
}

static int header_append(struct transfer *transfer, const char *line, struct error *err)
{
	struct curl_slist *longer = curl_slist_append(transfer->headers, line);

	if (!longer)
		return error_set_memory(err);
	transfer->headers = longer;
	return 0;
}

/* Values come from documents of others: none may begin a header of its own. */
static bool header_value_valid(const char *value)
{
	for (; *value; value++) {
		if ((unsigned char)*value < 0x20 || *value == 0x7f)
			return false;
	}
	return true;
}

static int header_add(
	struct transfer *transfer, const struct http_header *header, struct error *err)
{
	char *line;
	int failed;

	if (!header_value_valid(header->value))
		return error_set(err, ERROR_INVALID, "%s: not a value for a header", header->name);
	if (asprintf(&line, "%s: %s", header->name, header->value) < 0)
		return error_set_memory(err);
	failed = header_append(transfer, line, err);
	free(line);
	return failed;
}

static int set_headers(struct transfer *transfer, struct error *err)
{
	const struct http_request *request = transfer->request;
	bool typed = false;

	for (size_t i = 0; i < request->header_count; i++) {
		if (header_add(transfer, &request->headers[i], err))
			return -1;
		typed = typed || strcasecmp(request->headers[i].name, "Content-Type") == 0;
	}
	/* "Name:" takes away what curl would send on its own. */
	if (!typed && header_append(transfer, "Content-Type:", err))
		return -1;
	if (request->body.length < EXPECT_FROM && header_append(transfer, "Expect:", err))
		return -1;
	if (header_append(transfer, "Accept-Encoding: identity", err))
		return -1;
	if (curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers) != CURLE_OK)
		return error_set_memory(err);
	return 0;
}

static int transfer_set(struct transfer *transfer, CURLSH *share, struct error *err)
{
	CURLcode code = set_connection(transfer, share);

	if (code == CURLE_OK)
		code = set_tls(transfer);
	if (code == CURLE_OK)
		code = set_timeouts(transfer);
	if (code == CURLE_OK)
		code = set_callbacks(transfer);
	if (code == CURLE_OK)
		code = set_method(transfer);
	if (code != CURLE_OK)
		return failure_set(err, transfer->response, transfer->request->url, code, 0, "");
	return set_headers(transfer, err);
}

struct transfer *transfer_new(const struct http_request *request, struct http_response *response,
	const struct http_options *options, CURLSH *share, struct error *err)
{
	struct transfer *transfer = calloc(1, sizeof(*transfer));

	if (!transfer) {
		error_set_memory(err);
		return NULL;
	}
	transfer->request = request;
	transfer->response = response;
	transfer->options = options;
	transfer->error = err;
	transfer->easy = curl_easy_init();
	if (transfer->easy && transfer_set(transfer, share, err) == 0)
		return transfer;
	error_set_memory(err); /* nothing where it's set already */
	transfer_free(transfer);
	return NULL;
}

void transfer_free(struct transfer *transfer)
{
	if (!transfer)
		return;
	curl_easy_cleanup(transfer->easy);
	for (struct curl_slist *header = transfer->headers; header; header = header->next)
		explicit_bzero(header->data, strlen(header->data)); /* one may be a secret */
	curl_slist_free_all(transfer->headers);
	free(transfer);
}

static bool is_of_connecting(CURLcode code)
{
	return code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
	       code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_OPERATION_TIMEDOUT ||
	       code == CURLE_ABORTED_BY_CALLBACK;
}

static void failure_explain(struct transfer *transfer, CURLcode code)
{
	struct http_response *response = transfer->response;
	long os_errno = 0, proxy_status = 0;

	/* Which is what the library says of one line that is over its limit, too. */
	if (code == CURLE_OUT_OF_MEMORY && transfer->connected && !transfer->answered) {
		error_set(transfer->error, ERROR_PROTOCOL,
			"the answer has a header that there is no memory for");
		return;
	}
	curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &os_errno);
	curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
	if (proxy_status >= 300 && !transfer->connected)
		failure_set_proxy(
			transfer->error, response, transfer->request->url, (int)proxy_status);
	else
		failure_set(transfer->error, response, transfer->request->url, code, (int)os_errno,
			transfer->message);
	response->unreached = !transfer->connected && is_of_connecting(code);
}

/* What keeps us from connecting will do so again, unless it is known to pass. */
void transfer_finish(struct transfer *transfer, CURLcode code)
{
	struct http_response *response = transfer->response;

	/* Refused before all was sent: the answer is what counts, not the broken connection. */
	if (code == CURLE_OK || transfer->cut ||
		(!error_is_set(transfer->error) && transfer->answered && response->status >= 400))
		return;
	if (!error_is_set(transfer->error))
		failure_explain(transfer, code);
	response->final = !transfer->connected && !response->transient;
}
