#include <stdlib.h>

#include "registry/http/engine.h"
#include "registry/http/wait.h"

struct engine_layer {
	struct http_layer layer;
	struct engine *engine;
};

static void wait_answered(struct engine_call *call)
{
	waiter_wake(call->context);
}

static void wait_cancelled(void *context)
{
	engine_cancel(context);
}

static int engine_layer_perform(struct http_layer *layer, const struct http_request *request,
	struct http_response *response, struct cancel *cancel, struct error *err)
{
	struct waiter waiter;
	struct engine_call call = {
		.request = request,
		.response = response,
		.error = ERROR_INIT,
		.done = wait_answered,
		.context = &waiter,
	};
	struct cancel_watch watch = {.fired = wait_cancelled, .context = &call};

	if (cancel_fired(cancel))
		return error_set(err, ERROR_INTERRUPTED, "interrupted");
	waiter_init(&waiter);
	engine_submit(((struct engine_layer *)layer)->engine, &call);
	if (cancel_watch(cancel, &watch))
		engine_cancel(&call);
	waiter_wait(&waiter);
	cancel_unwatch(cancel, &watch);
	waiter_destroy(&waiter);
	return error_is_set(&call.error) ? error_copy(err, &call.error) : 0;
}

static void engine_layer_free(struct http_layer *layer)
{
	engine_free(((struct engine_layer *)layer)->engine);
	free(layer);
}

int engine_layer_new(struct http_layer **out, const struct http_options *options, struct error *err)
{
	struct engine_layer *layer = calloc(1, sizeof(*layer));

	*out = NULL;
	if (!layer)
		return error_set_memory(err);
	if (engine_new(&layer->engine, options, err)) {
		free(layer);
		return -1;
	}
	layer->layer.perform = engine_layer_perform;
	layer->layer.free = engine_layer_free;
	*out = &layer->layer;
	return 0;
}
