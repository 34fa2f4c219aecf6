/*
 * redirect.h - follows redirects of GET and HEAD (RFC 9110, section 15.4).
 *
 * At most REDIRECT_MAX of them, never from https to http, and without Authorization as soon as
 * one leads to another origin. All else, Range too, is sent again as it was.
 */
#ifndef INDEXFS_HTTP_REDIRECT_H
#define INDEXFS_HTTP_REDIRECT_H

#include "registry/http/http.h"

#define REDIRECT_MAX 5

/* Takes below, also when it fails. */
int redirect_layer_new(struct http_layer **out, struct http_layer *below, struct error *err);

#endif
