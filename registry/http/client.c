#include "registry/http/client.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "registry/http/auth.h"
#include "registry/http/circuit.h"
#include "registry/http/redirect.h"
#include "registry/http/retry.h"

struct http_client {
	struct http_layer *layers;
	struct log *log;
};

/* Each takes the one below, and frees it where it fails. */
static int stack_layers(struct http_layer **out, const struct http_options *options,
	struct log *log, struct error *err)
{
	if (engine_layer_new(out, options, err) || circuit_layer_new(out, *out, err))
		return -1;
	if (options->auth && auth_layer_new(out, *out, options, log, err))
		return -1;
	if (redirect_layer_new(out, *out, err))
		return -1;
	return retry_layer_new(out, *out, options, log, err);
}

int http_client_new(struct http_client **out, const struct http_options *options, struct log *log,
	struct error *err)
{
	struct http_client *client = calloc(1, sizeof(*client));

	*out = NULL;
	if (!client)
		return error_set_memory(err);
	client->log = log;
	if (stack_layers(&client->layers, options, log, err)) {
		free(client);
		return -1;
	}
	*out = client;
	return 0;
}

void http_client_free(struct http_client *client)
{
	if (!client)
		return;
	client->layers->free(client->layers);
	free(client);
}

int http_client_do(struct http_client *client, const struct http_request *request,
	struct http_response *response, struct cancel *cancel, struct error *err)
{
	struct error error = ERROR_INIT;
	int64_t begun_ms = clock_ms();
	int shown = (int)strcspn(request->url, "?"); /* a query can be a secret */
	int failed = client->layers->perform(client->layers, request, response, cancel, &error);

	if (failed) {
		log_write(client->log, LOG_LEVEL_DEBUG, "%s %.*s: %s", request->method, shown,
			request->url, error.message);
		return error_copy(err, &error);
	}
	log_write(client->log, LOG_LEVEL_DEBUG, "%s %.*s: %d, %lld ms", request->method, shown,
		request->url, response->status, (long long)(clock_ms() - begun_ms));
	return 0;
}
