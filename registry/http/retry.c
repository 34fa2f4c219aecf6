#include "registry/http/retry.h"

#include <stdlib.h>

#include "clock.h"
#include "registry/http/attempts.h"
#include "registry/http/url.h"

struct retry_layer {
	struct http_layer layer;
	struct http_layer *below;
	struct log *log;
	int retries;
	bool refusals_stand;
	int timeout_ms;
};

static void log_retry(struct retry_layer *retry, const struct http_request *request,
	const struct http_response *response, const struct error *error)
{
	int host_len;
	const char *host = http_url_host(request->url, &host_len);

	if (error_is_set(error))
		log_write(retry->log, LOG_LEVEL_INFO, "%s again: %s", request->method,
			error->message);
	else
		log_write(retry->log, LOG_LEVEL_INFO, "%s again: %.*s: HTTP %d", request->method,
			host_len, host, response->status);
}

/* failure is NULL where there is an answer. */
static enum attempt_end judge(const struct retry_layer *retry, const struct http_request *request,
	const struct http_response *response, const struct error *failure)
{
	enum attempt_end end = attempt_judge(failure, response);
	bool settled = !failure && request->settles && request->settles(response);

	if (response->begun || (end == ATTEMPT_REFUSED && (settled || retry->refusals_stand)))
		return ATTEMPT_STANDS;
	return end;
}

static int retry_perform(struct http_layer *layer, const struct http_request *request,
	struct http_response *response, struct cancel *cancel, struct error *err)
{
	struct retry_layer *retry = (struct retry_layer *)layer;
	struct http_request attempt = *request;
	int limit_ms = request->timeout_ms ? request->timeout_ms : retry->timeout_ms;
	struct attempts attempts = {
		.limit = request->repeatable ? retry->retries : 0,
		.deadline_ms = clock_ms() + limit_ms,
	};

	for (;;) {
		struct error error = ERROR_INIT;
		int64_t left = attempts.deadline_ms - clock_ms();
		enum attempt_end end;
		int failed, again;

		attempt.timeout_ms = left > 1 ? (int)left : 1;
		attempt.stall_ms = attempts_stall_ms(&attempts, limit_ms);
		failed = retry->below->perform(retry->below, &attempt, response, cancel, &error);
		end = judge(retry, request, response, failed ? &error : NULL);
		again = attempts_pause(&attempts, end, response, cancel, err);
		if (again < 0)
			return -1;
		if (!again)
			return failed ? error_copy(err, &error) : 0;
		log_retry(retry, request, response, &error);
		/* another connection may lead to a replica that knows better */
		attempt.fresh = attempt.fresh || failed || end == ATTEMPT_REFUSED;
		http_response_clear(response);
	}
}

static void retry_free(struct http_layer *layer)
{
	struct http_layer *below = ((struct retry_layer *)layer)->below;

	below->free(below);
	free(layer);
}

int retry_layer_new(struct http_layer **out, struct http_layer *below,
	const struct http_options *options, struct log *log, struct error *err)
{
	struct retry_layer *layer = calloc(1, sizeof(*layer));

	*out = NULL;
	if (!layer) {
		below->free(below);
		return error_set_memory(err);
	}
	layer->layer.perform = retry_perform;
	layer->layer.free = retry_free;
	layer->below = below;
	layer->log = log;
	layer->retries = options->retries;
	layer->refusals_stand = options->refusals_stand;
	layer->timeout_ms = (options->timeout > 0 ? options->timeout : 1) * 1000;
	*out = &layer->layer;
	return 0;
}
