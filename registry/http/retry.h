/*
 * retry.h - sends again what can be repeated and has met a fault that may pass.
 *
 * Up to `retries` times, within the timeout in all. A refusal that isn't what the request was to
 * find out (http_request.settles) is asked for once more: registries refuse in passing, too, what
 * their replicas, or the network before them, haven't heard of yet. A download whose first bytes
 * have been given out isn't repeated here: who asked for it knows from where to go on.
 */
#ifndef INDEXFS_HTTP_RETRY_H
#define INDEXFS_HTTP_RETRY_H

#include "log.h"
#include "registry/http/engine.h"

/* Takes below, also when it fails. */
int retry_layer_new(struct http_layer **out, struct http_layer *below,
	const struct http_options *options, struct log *log, struct error *err);

#endif
