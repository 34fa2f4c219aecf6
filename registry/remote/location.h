/*
 * location.h - where an upload goes on (distribution-spec 1.1, "Pushing blobs").
 */
#ifndef INDEXFS_REMOTE_LOCATION_H
#define INDEXFS_REMOTE_LOCATION_H

#include "digest.h"
#include "error.h"
#include "registry/http/http.h"

/* The Location of an answer to a request to url, absolute; the caller frees it. ERROR_PROTOCOL
 * where there is none, or one that may not be used: see http_url_resolve(). */
int location_of(
	char **out, const char *url, const struct http_response *response, struct error *err);

/* The location with digest= added to whatever query it has; the caller frees it. */
int location_with_digest(
	char **out, const char *location, const struct digest *digest, struct error *err);

/* A URL with NAME=VALUE added to whatever query it has; the caller frees it. */
int location_with(
	char **out, const char *url, const char *name, const char *value, struct error *err);

#endif
