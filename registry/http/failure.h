/*
 * failure.h - what a failed transfer means, in words.
 */
#ifndef INDEXFS_HTTP_FAILURE_H
#define INDEXFS_HTTP_FAILURE_H

#include <curl/curl.h>

#include "registry/http/http.h"

/* Sets *err from curl's code, the errno of the connection (0: not known) and curl's own message
 * (may be ""), and response->transient and ->refused. Always returns -1. */
int failure_set(struct error *err, struct http_response *response, const char *url, CURLcode code,
	int os_errno, const char *message);

/* The same where a proxy has answered with this status to who wanted to be led on (CONNECT). */
int failure_set_proxy(
	struct error *err, struct http_response *response, const char *url, int status);

#endif
