#include "registry/http/headers.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void http_headers_clear(struct http_headers *headers)
{
	buf_free(&headers->text);
	headers->count = 0;
}

static int headers_overflow(int errnum, struct error *err)
{
	if (errnum == ENOMEM)
		return error_set_memory(err);
	return error_set(err, ERROR_PROTOCOL, "the answer has too many headers");
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int http_headers_add(struct http_headers *headers, const char *line, size_t len, struct error *err)
{
	const char *colon = memchr(line, ':', len);
	const char *value, *end = line + len;
	size_t before = headers->text.len;

	if (!colon || colon == line || is_blank(*line) || memchr(line, '\0', len))
		return 0;
	for (value = colon + 1; value < end && is_blank(*value);)
		value++;
	while (end > value && is_blank(end[-1]))
		end--;
	if (headers->count == HTTP_HEADERS_MAX)
		return headers_overflow(EFBIG, err);
	if (buf_append(&headers->text, line, (size_t)(colon - line)) ||
		buf_append(&headers->text, "", 1) ||
		buf_append(&headers->text, value, (size_t)(end - value)) ||
		buf_append(&headers->text, "", 1)) {
		int errnum = errno;

		headers->text.len = before;
		return headers_overflow(errnum, err);
	}
	headers->count++;
	return 0;
}

const char *http_headers_next(
	const struct http_headers *headers, const char *name, const char *after)
{
	const char *at = headers->text.data;

	for (size_t i = 0; i < headers->count; i++) {
		const char *value = at + strlen(at) + 1;

		if (after && value == after)
			after = NULL;
		else if (!after && strcasecmp(at, name) == 0)
			return value;
		at = value + strlen(value) + 1;
	}
	return NULL;
}

const char *http_headers_get(const struct http_headers *headers, const char *name)
{
	return http_headers_next(headers, name, NULL);
}

int64_t http_headers_length(const struct http_headers *headers)
{
	const char *text = http_headers_get(headers, "Content-Length");
	char *end;
	long long value;

	if (!text || *text < '0' || *text > '9')
		return -1;
	errno = 0;
	value = strtoll(text, &end, 10);
	return errno || *end ? -1 : value;
}
