#include "registry/remote/location.h"

#include <ctype.h>
#include <string.h>

#include "buf.h"
#include "cleanup.h"
#include "registry/http/url.h"

int location_of(
	char **out, const char *url, const struct http_response *response, struct error *err)
{
	const char *location = http_headers_get(&response->headers, "Location");

	*out = NULL;
	if (!location || !*location)
		return error_set(err, ERROR_PROTOCOL, "no Location to upload to");
	return http_url_resolve(out, url, location, err);
}

/* A digest of an unknown algorithm may have "+" and "=" in it. */
static int append_query_value(struct buf *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		int failed = isalnum(c) || strchr(":._-", c) ? buf_append(out, text, 1)
							     : buf_printf(out, "%%%02X", c);
		if (failed)
			return -1;
	}
	return 0;
}

int location_with(
	char **out, const char *url, const char *name, const char *value, struct error *err)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(HTTP_URL_MAX + 4096);
	const char *query = strchr(url, '?');
	const char *separator = !query ? "?" : "&";

	*out = NULL;
	if (query && (!query[1] || url[strlen(url) - 1] == '&'))
		separator = "";
	if (buf_printf(&text, "%s%s%s=", url, separator, name) || append_query_value(&text, value))
		return error_set_memory(err);
	*out = buf_steal(&text);
	return *out ? 0 : error_set_memory(err);
}

int location_with_digest(
	char **out, const char *location, const struct digest *digest, struct error *err)
{
	return location_with(out, location, "digest", digest->text, err);
}
