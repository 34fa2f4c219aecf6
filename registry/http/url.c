#include "registry/http/url.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "cleanup.h"
#include "reference.h"

static void cleanup_url(CURLU **url)
{
	curl_url_cleanup(*url);
}

static void cleanup_part(char **part)
{
	curl_free(*part);
}

static bool starts_with_https(const char *url)
{
	return strncasecmp(url, "https:", 6) == 0;
}

static int url_refuse(struct error *err, const char *what)
{
	return error_set(err, ERROR_PROTOCOL, "the URL that was sent %s", what);
}

static int url_error(CURLUcode code, struct error *err)
{
	switch (code) {
	case CURLUE_OUT_OF_MEMORY:
		return error_set_memory(err);
	case CURLUE_UNSUPPORTED_SCHEME:
		return url_refuse(err, "is neither http nor https");
	case CURLUE_USER_NOT_ALLOWED:
		return url_refuse(err, "carries credentials");
	default:
		return url_refuse(err, "is not a URL");
	}
}

static int url_check(const char *text, const char *base, struct error *err)
{
	if (strlen(text) > HTTP_URL_MAX)
		return url_refuse(err, "is too long");
	if (strncasecmp(text, "http:", 5) != 0 && !starts_with_https(text))
		return url_refuse(err, "is neither http nor https");
	if (starts_with_https(base) && !starts_with_https(text))
		return url_refuse(err, "leads from https to plain http");
	return 0;
}

static int url_resolve(char **out, const char *base, const char *location, struct error *err)
{
	cleanup_with(cleanup_url) CURLU *url = curl_url();
	cleanup_with(cleanup_part) char *text = NULL;
	CURLUcode code;

	if (!url)
		return error_set_memory(err);
	if (strlen(location) > HTTP_URL_MAX)
		return url_refuse(err, "is too long");
	code = curl_url_set(url, CURLUPART_URL, base, 0);
	if (code == CURLUE_OK)
		code = curl_url_set(url, CURLUPART_URL, location,
			CURLU_URLENCODE | CURLU_ALLOW_SPACE | CURLU_DISALLOW_USER);
	if (code == CURLUE_OK)
		code = curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0);
	if (code == CURLUE_OK)
		code = curl_url_get(url, CURLUPART_URL, &text, 0);
	if (code != CURLUE_OK)
		return url_error(code, err);
	if (url_check(text, base, err))
		return -1;
	*out = strdup(text);
	return *out ? 0 : error_set_memory(err);
}

int http_url_resolve(char **out, const char *base, const char *location, struct error *err)
{
	int host_len;
	const char *host = http_url_host(base, &host_len);

	*out = NULL;
	if (url_resolve(out, base, location, err) == 0)
		return 0;
	return error_prefix(err, "%.*s", host_len, host);
}

int http_url_encode(struct buf *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		int failed = isalnum(c) || strchr("-._~", c) ? buf_append(out, text, 1)
							     : buf_printf(out, "%%%02X", c);

		if (failed)
			return -1;
	}
	return 0;
}

static bool same_part(CURLU *a, CURLU *b, CURLUPart part)
{
	cleanup_with(cleanup_part) char *of_a = NULL;
	cleanup_with(cleanup_part) char *of_b = NULL;

	return curl_url_get(a, part, &of_a, CURLU_DEFAULT_PORT) == CURLUE_OK &&
	       curl_url_get(b, part, &of_b, CURLU_DEFAULT_PORT) == CURLUE_OK &&
	       strcasecmp(of_a, of_b) == 0;
}

bool http_url_same_origin(const char *a, const char *b)
{
	cleanup_with(cleanup_url) CURLU *url_a = curl_url();
	cleanup_with(cleanup_url) CURLU *url_b = curl_url();

	return url_a && url_b && curl_url_set(url_a, CURLUPART_URL, a, 0) == CURLUE_OK &&
	       curl_url_set(url_b, CURLUPART_URL, b, 0) == CURLUE_OK &&
	       same_part(url_a, url_b, CURLUPART_SCHEME) &&
	       same_part(url_a, url_b, CURLUPART_HOST) && same_part(url_a, url_b, CURLUPART_PORT);
}

const char *http_url_host(const char *url, int *len)
{
	const char *host = strstr(url, "://");

	host = host ? host + 3 : url;
	*len = (int)strcspn(host, "/?#");
	return host;
}

bool http_url_is_loopback(const char *url)
{
	char host[256];
	int len;
	const char *start = http_url_host(url, &len);

	if (len >= (int)sizeof(host))
		return false;
	memcpy(host, start, (size_t)len);
	host[len] = '\0';
	return host_is_loopback(host);
}
