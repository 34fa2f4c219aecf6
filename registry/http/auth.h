/*
 * auth.h - tells a registry who we are, once it asks (distribution-spec 1.1, "Authentication").
 *
 * Nothing is shown before the first 401. Its challenge is remembered: from then on each request
 * carries Basic credentials, or a token that is fetched beforehand and replaced before its time is
 * up. A request that meets a 401 nevertheless is sent once more if there is something new to show,
 * and what was refused then isn't shown by the next one.
 * Only the registry's own origin is ever told. What stays a 401 or 403 is the caller's to judge; in
 * the body that comes with a refusal no credential is left.
 */
#ifndef INDEXFS_HTTP_AUTH_H
#define INDEXFS_HTTP_AUTH_H

#include "log.h"
#include "registry/http/engine.h"

/* options->auth must be there; its strings are copied. Takes below, also when it fails. */
int auth_layer_new(struct http_layer **out, struct http_layer *below,
	const struct http_options *options, struct log *log, struct error *err);

#endif
