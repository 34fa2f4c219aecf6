#include "registry/http/failure.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "registry/base/redact.h"
#include "registry/http/url.h"

struct failure {
	enum error_kind kind;
	bool transient;
	const char *text; /* NULL: curl's own message */
};

static const struct {
	CURLcode code;
	struct failure failure;
} failures[] = {
	{CURLE_OUT_OF_MEMORY, {ERROR_MEMORY, false, "out of memory"}},
	{CURLE_URL_MALFORMAT, {ERROR_INVALID, false, NULL}},
	{CURLE_UNSUPPORTED_PROTOCOL, {ERROR_PROTOCOL, false, NULL}},
	{CURLE_COULDNT_RESOLVE_HOST, {ERROR_UNREACHABLE, true, "no such host"}},
	{CURLE_COULDNT_RESOLVE_PROXY, {ERROR_UNREACHABLE, false, "the proxy's host is not known"}},
	{CURLE_COULDNT_CONNECT, {ERROR_UNREACHABLE, true, NULL}},
	{CURLE_OPERATION_TIMEDOUT, {ERROR_TIMEOUT, true, "no answer in time"}},
	{CURLE_ABORTED_BY_CALLBACK, {ERROR_TIMEOUT, true, "the transfer stalled"}},
	{CURLE_PEER_FAILED_VERIFICATION, {ERROR_CERTIFICATE, false, NULL}},
	{CURLE_SSL_CACERT_BADFILE, {ERROR_INVALID, false, NULL}},
	{CURLE_SSL_ISSUER_ERROR, {ERROR_CERTIFICATE, false, NULL}},
	{CURLE_SSL_CERTPROBLEM, {ERROR_INVALID, false, NULL}},
	{CURLE_PARTIAL_FILE, {ERROR_CORRUPT, true, "the connection ended in the middle of a body"}},
	{CURLE_GOT_NOTHING, {ERROR_PROTOCOL, true, "the connection ended without an answer"}},
	{CURLE_RECV_ERROR, {ERROR_PROTOCOL, true, "the connection broke while receiving"}},
	{CURLE_SEND_ERROR, {ERROR_PROTOCOL, true, "the connection broke while sending"}},
	{CURLE_HTTP2, {ERROR_PROTOCOL, true, NULL}},
	{CURLE_HTTP2_STREAM, {ERROR_PROTOCOL, true, NULL}},
	{CURLE_WEIRD_SERVER_REPLY, {ERROR_PROTOCOL, false, "the answer is not HTTP"}},
	{CURLE_BAD_CONTENT_ENCODING, {ERROR_CORRUPT, false, NULL}},
};

static const struct {
	int os_errno;
	struct failure failure;
} connect_failures[] = {
	{ECONNREFUSED, {ERROR_REFUSED, true, "connection refused"}},
	{EHOSTUNREACH, {ERROR_UNREACHABLE, true, "no route to host"}},
	{ENETUNREACH, {ERROR_UNREACHABLE, true, "network is unreachable"}},
	{ETIMEDOUT, {ERROR_TIMEOUT, true, "no answer in time"}},
	{ECONNRESET, {ERROR_PROTOCOL, true, "connection reset"}},
};

/* A server that is being replaced, or a balancer without one, ends the handshake so. The library
 * tells it from a handshake that can't succeed only in words. */
static bool handshake_broke(const char *message)
{
	return strstr(message, "SSL_ERROR_SYSCALL") || strstr(message, "reset by peer") ||
	       strstr(message, "unexpected eof");
}

/* With TLS 1.3 a server says so only after the handshake, so not by a code of its own. */
static bool wants_certificate(CURLcode code, const char *message)
{
	return (code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR ||
		       code == CURLE_SSL_CONNECT_ERROR) &&
	       strstr(message, " alert ") && strstr(message, "certificate");
}

static struct failure failure_of(CURLcode code, int os_errno, const char *message)
{
	static const struct failure unknown = {
		ERROR_DENIED, false, "the server wants a client certificate, or another one"};
	struct failure other = {ERROR_PROTOCOL, false, NULL};

	if (wants_certificate(code, message))
		return unknown;
	if (code == CURLE_SSL_CONNECT_ERROR && handshake_broke(message))
		other.transient = true;
	if (code == CURLE_COULDNT_CONNECT) {
		for (size_t i = 0; i < sizeof(connect_failures) / sizeof(*connect_failures); i++) {
			if (connect_failures[i].os_errno == os_errno)
				return connect_failures[i].failure;
		}
	}
	for (size_t i = 0; i < sizeof(failures) / sizeof(*failures); i++) {
		if (failures[i].code == code)
			return failures[i].failure;
	}
	return other;
}

/* Of "Failed to connect to NAME port NUMBER after ...", NAME as a span; NULL where it's the URL's
 * own host, or another message. */
static const char *proxy_named(const char *message, const char *url, int *len)
{
	static const char start[] = "Failed to connect to ";
	const char *name = strstr(message, start);
	const char *end = name ? strstr(name, " port ") : NULL;
	int host_len;
	const char *host = http_url_host(url, &host_len);

	if (!end)
		return NULL;
	name += strlen(start);
	*len = (int)(end - name);
	host += *host == '[';
	return strncasecmp(host, name, (size_t)*len) == 0 && strchr(":]/?#", host[*len]) ? NULL
											 : name;
}

int failure_set(struct error *err, struct http_response *response, const char *url, CURLcode code,
	int os_errno, const char *message)
{
	struct failure failure = failure_of(code, os_errno, message);
	const char *text = failure.text;
	int host_len;
	const char *host = http_url_host(url, &host_len);
	char shown[CURL_ERROR_SIZE];
	const char *proxy;
	int proxy_len;

	/* It may quote a proxy's URL. */
	redact(shown, sizeof(shown), *message ? message : curl_easy_strerror(code));
	if (!text)
		text = shown;
	response->transient = failure.transient;
	response->refused = failure.kind == ERROR_REFUSED || code == CURLE_COULDNT_RESOLVE_HOST;
	proxy = proxy_named(shown, url, &proxy_len);
	if (proxy)
		return error_set(err, failure.kind, "%.*s: the proxy %.*s: %s", host_len, host,
			proxy_len, proxy, text);
	return error_set(err, failure.kind, "%.*s: %s", host_len, host, text);
}

int failure_set_proxy(
	struct error *err, struct http_response *response, const char *url, int status)
{
	int host_len;
	const char *host = http_url_host(url, &host_len);

	response->transient = status >= 500;
	if (status == 407)
		return error_set_http(err, ERROR_DENIED, status,
			"%.*s: the proxy wants a name and password, or others (HTTP 407)", host_len,
			host);
	if (status >= 500)
		return error_set_http(err, ERROR_UNREACHABLE, status,
			"%.*s: the proxy can't reach it (HTTP %d)", host_len, host, status);
	return error_set_http(err, ERROR_DENIED, status,
		"%.*s: the proxy doesn't let anybody through (HTTP %d)", host_len, host, status);
}
