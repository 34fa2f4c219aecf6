#include "registry/http/redirect.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cleanup.h"
#include "registry/http/url.h"

struct redirect_layer {
	struct http_layer layer;
	struct http_layer *below;
};

static bool is_redirect(const struct http_request *request, const struct http_response *response)
{
	if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0)
		return false;
	switch (response->status) {
	case 301:
	case 302:
	case 303:
	case 307:
	case 308:
		return http_headers_get(&response->headers, "Location") != NULL;
	default:
		return false;
	}
}

/* A request on its way from one place to the next. */
struct trip {
	struct http_request request;
	char *url; /* where it is, if not where it began */
	struct http_header *headers; /* what it may tell another origin, if it is at one */
};

static void trip_clear(struct trip *trip)
{
	free(trip->url);
	free(trip->headers);
}

/* Leaves out what is meant for the first origin only, for good. */
static int trip_leave_origin(struct trip *trip, struct error *err)
{
	struct http_request *request = &trip->request;
	struct http_header *kept;
	size_t count = 0;

	if (trip->headers)
		return 0;
	kept = calloc(request->header_count + 1, sizeof(*kept));
	if (!kept)
		return error_set_memory(err);
	for (size_t i = 0; i < request->header_count; i++) {
		if (strcasecmp(request->headers[i].name, "Authorization") != 0)
			kept[count++] = request->headers[i];
	}
	trip->headers = kept;
	request->headers = kept;
	request->header_count = count;
	request->anonymous = true;
	return 0;
}

/* To where the answer points; the answer is spent. */
static int trip_follow(struct trip *trip, struct http_response *response, struct error *err)
{
	const char *location = http_headers_get(&response->headers, "Location");
	char *next;

	if (http_url_resolve(&next, trip->request.url, location, err))
		return -1;
	if (!http_url_same_origin(trip->request.url, next) && trip_leave_origin(trip, err)) {
		free(next);
		return -1;
	}
	free(trip->url);
	trip->url = next;
	trip->request.url = next;
	http_response_clear(response);
	return 0;
}

static int redirect_perform(struct http_layer *layer, const struct http_request *request,
	struct http_response *response, struct cancel *cancel, struct error *err)
{
	struct http_layer *below = ((struct redirect_layer *)layer)->below;
	cleanup_with(trip_clear) struct trip trip = {.request = *request};
	int host_len;
	const char *host = http_url_host(request->url, &host_len);

	for (int hops = 0; hops <= REDIRECT_MAX; hops++) {
		if (below->perform(below, &trip.request, response, cancel, err))
			return -1;
		if (!is_redirect(request, response)) {
			response->elsewhere = trip.headers != NULL;
			return 0;
		}
		if (trip_follow(&trip, response, err))
			return -1;
	}
	return error_set(err, ERROR_PROTOCOL, "%.*s: too many redirects", host_len, host);
}

static void redirect_free(struct http_layer *layer)
{
	struct http_layer *below = ((struct redirect_layer *)layer)->below;

	below->free(below);
	free(layer);
}

int redirect_layer_new(struct http_layer **out, struct http_layer *below, struct error *err)
{
	struct redirect_layer *layer = calloc(1, sizeof(*layer));

	*out = NULL;
	if (!layer) {
		below->free(below);
		return error_set_memory(err);
	}
	layer->layer.perform = redirect_perform;
	layer->layer.free = redirect_free;
	layer->below = below;
	*out = &layer->layer;
	return 0;
}
