/*
 * client.h - the layers put together: retry over redirect over auth over circuit over the
 * engine.
 *
 * Auth sees every hop of a redirect, and knows by its origin whether it may be told who we are;
 * what it asks of a token server itself follows no redirect.
 *
 * A broken transfer behind a redirect is begun again where it was asked for, because the place
 * that the redirect named may have been for a short time only.
 */
#ifndef INDEXFS_HTTP_CLIENT_H
#define INDEXFS_HTTP_CLIENT_H

#include "log.h"
#include "registry/http/engine.h"

struct http_client;

/* The options are copied; log is borrowed. */
int http_client_new(struct http_client **out, const struct http_options *options, struct log *log,
	struct error *err);
/* Nothing may be under way. */
void http_client_free(struct http_client *client);

/* Sends a request and waits for its answer, whatever its status; *response must be empty. From
 * any thread. Failures: the errors of the network, of the sink, and ERROR_INTERRUPTED. */
int http_client_do(struct http_client *client, const struct http_request *request,
	struct http_response *response, struct cancel *cancel, struct error *err);

#endif
