/*
 * engine.h - the transfer engine: one thread that moves everything at once.
 *
 * The engine's thread owns curl's multi handle and with it the connections, which are kept for
 * the next request. Anyone may submit requests, from any thread, and waits for the answer or is
 * called back. Small requests wait for nothing; bodies move a few at a time in each direction.
 *
 * It leaves out what layers do: it follows no redirect, repeats nothing, knows no credentials.
 */
#ifndef INDEXFS_HTTP_ENGINE_H
#define INDEXFS_HTTP_ENGINE_H

#include <stdatomic.h>

#include "registry/http/http.h"

struct credentials;

/* Whom to be, and where. */
struct auth_options {
	const char *registry; /* SCHEME://HOST[:PORT], the only place that is told who we are */
	const char *host; /* HOST[:PORT] as the user knows it, for the credentials */
	const char *repository; /* NULL: the registry itself */
	struct credentials *credentials; /* borrowed; NULL: anonymous */
};

struct http_options {
	bool tls_verify;
	const char *ca_file; /* PEM; NULL: the system's */
	const char *ca_pem; /* text, trusted beside those; NULL: none */
	const char *cert, *key; /* client certificate, PEM; NULL: none */
	int timeout; /* seconds */
	int retries;
	bool refusals_stand; /* no refusal is asked for once more */
	int jobs; /* bodies at a time, each way */
	const struct auth_options *auth; /* NULL: no answer to a 401 */
};

struct engine;
struct transfer;

/* The options are copied; auth isn't used. */
int engine_new(struct engine **out, const struct http_options *options, struct error *err);

/* Stops the thread and closes the connections. Nothing may be under way. */
void engine_free(struct engine *engine);

/* A request on its way. The memory is the caller's, and stays until done() is called. */
struct engine_call {
	const struct http_request *request;
	struct http_response *response;
	struct error error; /* set where there is no answer */
	/* On the engine's thread, which doesn't touch the call any more: don't block in it. */
	void (*done)(struct engine_call *call);
	void *context;

	/* The engine's own. */
	struct engine *engine;
	struct engine_call *next;
	struct transfer *transfer;
	int64_t queued_ms;
	atomic_bool cancelled;
};

/* Returns at once; done() is called exactly once, for a failure of any sort too. */
void engine_submit(struct engine *engine, struct engine_call *call);

/* Ends a call soon, with ERROR_INTERRUPTED; done() is still called. The call must be submitted,
 * and may be done already as long as its memory is there. */
void engine_cancel(struct engine_call *call);

/* The engine as the lowest layer: submits and waits. Freeing the layer frees the engine. */
int engine_layer_new(
	struct http_layer **out, const struct http_options *options, struct error *err);

#endif
