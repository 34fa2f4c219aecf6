/*
 * url.h - URLs that a registry sends us: resolved, and never trusted with more than they deserve.
 */
#ifndef INDEXFS_HTTP_URL_H
#define INDEXFS_HTTP_URL_H

#include <stdbool.h>

#include "buf.h"
#include "error.h"

#define HTTP_URL_MAX ((size_t)16 << 10)

/* location as it was sent by base, absolute and without a fragment; the caller frees it. Keeps
 * the query as it is. ERROR_PROTOCOL where it's no URL, of another scheme than http and https,
 * carries a user or password, is too long, or leads from https to http. */
int http_url_resolve(char **out, const char *base, const char *location, struct error *err);

/* Appends text with %XX for all but letters, digits and "-._~" (RFC 3986, section 2.3). Returns 0
 * or -1 with errno of buf_append. */
int http_url_encode(struct buf *out, const char *text);

/* Same scheme, host and port: credentials for one are good for the other (RFC 6454). */
bool http_url_same_origin(const char *a, const char *b);

/* The HOST[:PORT] of a URL that this program has made, as a span of it. */
const char *http_url_host(const char *url, int *len);

/* Whether its host is this machine. */
bool http_url_is_loopback(const char *url);

#endif
