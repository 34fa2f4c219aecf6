/*
 * headers.h - the headers of an answer, bounded in number and size.
 */
#ifndef INDEXFS_HTTP_HEADERS_H
#define INDEXFS_HTTP_HEADERS_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "error.h"

#define HTTP_HEADERS_MAX 128
#define HTTP_HEADERS_SIZE_MAX ((size_t)64 << 10)

struct http_headers {
	struct buf text; /* name NUL value NUL ... */
	size_t count;
};

#define HTTP_HEADERS_INIT                                                                          \
	{                                                                                          \
		.text = BUF_INIT(HTTP_HEADERS_SIZE_MAX), .count = 0                                \
	}

void http_headers_clear(struct http_headers *headers);

/* Takes one line as it came. A line that isn't a header is passed over; ERROR_PROTOCOL where
 * there are too many. */
int http_headers_add(struct http_headers *headers, const char *line, size_t len, struct error *err);

/* The next value of that name after the value `after` (NULL: the first), or NULL. */
const char *http_headers_next(
	const struct http_headers *headers, const char *name, const char *after);
const char *http_headers_get(const struct http_headers *headers, const char *name);

/* Content-Length, or -1 where there is none that is a number. */
int64_t http_headers_length(const struct http_headers *headers);

#endif
