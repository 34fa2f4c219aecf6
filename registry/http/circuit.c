#include "registry/http/circuit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "registry/http/url.h"
#include "registry/http/wait.h"

#define LOOK_AGAIN_MS 20
#define HOSTS_MAX 32 /* what is beyond isn't watched */

/* A host that wasn't reached the last time. */
struct trouble {
	struct trouble *next;
	int failures; /* in a row */
	int64_t until_ms; /* before that nobody tries, if they are enough */
	int64_t probed_ms; /* since when somebody has been trying; 0: nobody is */
	struct error error;
	bool refused;
	char origin[];
};

struct circuit {
	struct http_layer layer;
	struct http_layer *below;
	pthread_mutex_t lock;
	struct trouble *troubles;
	int count;
};

/* A request on its way through. */
struct passage {
	struct circuit *circuit;
	const char *origin; /* SCHEME://HOST[:PORT], as a span of its URL */
	size_t origin_len;
	bool probes;
	bool connected;
	int64_t begun_ms;
};

enum verdict { LET_THROUGH, FAIL, WAIT };

static struct trouble **trouble_find(struct circuit *circuit, const struct passage *passage)
{
	struct trouble **link = &circuit->troubles;

	while (*link && (strlen((*link)->origin) != passage->origin_len ||
				memcmp((*link)->origin, passage->origin, passage->origin_len) != 0))
		link = &(*link)->next;
	return link;
}

/* NULL where there are too many, or no memory: then it's not watched. */
static struct trouble *trouble_add(struct circuit *circuit, const struct passage *passage)
{
	struct trouble *trouble;

	if (circuit->count == HOSTS_MAX)
		return NULL;
	trouble = calloc(1, sizeof(*trouble) + passage->origin_len + 1);
	if (!trouble)
		return NULL;
	memcpy(trouble->origin, passage->origin, passage->origin_len);
	trouble->next = circuit->troubles;
	circuit->troubles = trouble;
	circuit->count++;
	return trouble;
}

/* Whether a request may go now. */
static enum verdict trouble_judge(struct trouble *trouble, struct passage *passage)
{
	int64_t now = clock_ms();

	if (trouble->failures < CIRCUIT_FAILURES)
		return LET_THROUGH;
	if (now < trouble->until_ms)
		return FAIL;
	if (trouble->probed_ms)
		return now - trouble->probed_ms < CIRCUIT_CONNECT_MS ? WAIT : FAIL;
	passage->probes = true;
	trouble->probed_ms = now;
	return LET_THROUGH;
}

static enum verdict passage_judge(
	struct passage *passage, struct http_response *response, struct error *err)
{
	struct circuit *circuit = passage->circuit;
	enum verdict verdict = LET_THROUGH;
	struct trouble *trouble;

	pthread_mutex_lock(&circuit->lock);
	trouble = *trouble_find(circuit, passage);
	if (trouble)
		verdict = trouble_judge(trouble, passage);
	if (verdict == FAIL) {
		response->refused = trouble->refused;
		error_copy(err, &trouble->error);
	}
	pthread_mutex_unlock(&circuit->lock);
	return verdict;
}

/* The host is there, or it costs nothing to see that it isn't. */
static void trouble_forget(const struct passage *passage)
{
	struct circuit *circuit = passage->circuit;
	struct trouble **link, *trouble;

	pthread_mutex_lock(&circuit->lock);
	link = trouble_find(circuit, passage);
	trouble = *link;
	if (trouble) {
		*link = trouble->next;
		circuit->count--;
		free(trouble);
	}
	pthread_mutex_unlock(&circuit->lock);
}

static void passage_connected(void *context)
{
	struct passage *passage = context;

	passage->connected = true;
	trouble_forget(passage);
}

static void trouble_note(const struct passage *passage, const struct http_response *response,
	const struct error *error)
{
	struct circuit *circuit = passage->circuit;
	struct trouble *trouble;
	int64_t now = clock_ms();
	int64_t took = now - passage->begun_ms;

	pthread_mutex_lock(&circuit->lock);
	trouble = *trouble_find(circuit, passage);
	if (!trouble)
		trouble = trouble_add(circuit, passage);
	if (trouble) {
		trouble->failures++;
		trouble->until_ms =
			now + (took < CIRCUIT_PAUSE_MAX_MS ? took : CIRCUIT_PAUSE_MAX_MS);
		trouble->error = *error;
		trouble->refused = response->refused;
		if (passage->probes)
			trouble->probed_ms = 0;
	}
	pthread_mutex_unlock(&circuit->lock);
}

/* It was given up before anything was found out. */
static void passage_abandoned(const struct passage *passage)
{
	struct circuit *circuit = passage->circuit;
	struct trouble *trouble;

	pthread_mutex_lock(&circuit->lock);
	trouble = *trouble_find(circuit, passage);
	if (trouble && passage->probes)
		trouble->probed_ms = 0;
	pthread_mutex_unlock(&circuit->lock);
}

static int passage_perform(struct passage *passage, const struct http_request *request,
	struct http_response *response, struct cancel *cancel, struct error *err)
{
	struct http_layer *below = passage->circuit->below;
	struct http_request attempt = *request;
	struct error error = ERROR_INIT;
	int failed;

	attempt.connected = passage_connected;
	attempt.connected_context = passage;
	if (passage->probes)
		attempt.connect_ms = CIRCUIT_CONNECT_MS;
	passage->begun_ms = clock_ms();
	failed = below->perform(below, &attempt, response, cancel, &error);
	if (failed && response->unreached && clock_ms() - passage->begun_ms >= CIRCUIT_CHEAP_MS)
		trouble_note(passage, response, &error);
	else if (!failed || response->unreached)
		trouble_forget(passage);
	else if (!passage->connected)
		passage_abandoned(passage);
	return failed ? error_copy(err, &error) : 0;
}

static int circuit_perform(struct http_layer *layer, const struct http_request *request,
	struct http_response *response, struct cancel *cancel, struct error *err)
{
	int len;
	const char *host = http_url_host(request->url, &len);
	struct passage passage = {
		.circuit = (struct circuit *)layer,
		.origin = request->url,
		.origin_len = (size_t)(host - request->url) + (size_t)len,
	};

	for (;;) {
		switch (passage_judge(&passage, response, err)) {
		case LET_THROUGH:
			return passage_perform(&passage, request, response, cancel, err);
		case FAIL:
			return -1;
		case WAIT:
			if (cancel_sleep(cancel, LOOK_AGAIN_MS, err))
				return -1;
			break;
		}
	}
}

static void circuit_free(struct http_layer *layer)
{
	struct circuit *circuit = (struct circuit *)layer;
	struct trouble *trouble, *next;

	circuit->below->free(circuit->below);
	for (trouble = circuit->troubles; trouble; trouble = next) {
		next = trouble->next;
		free(trouble);
	}
	pthread_mutex_destroy(&circuit->lock);
	free(circuit);
}

int circuit_layer_new(struct http_layer **out, struct http_layer *below, struct error *err)
{
	struct circuit *circuit = calloc(1, sizeof(*circuit));

	*out = NULL;
	if (!circuit) {
		below->free(below);
		return error_set_memory(err);
	}
	circuit->layer.perform = circuit_perform;
	circuit->layer.free = circuit_free;
	circuit->below = below;
	pthread_mutex_init(&circuit->lock, NULL);
	*out = &circuit->layer;
	return 0;
}
