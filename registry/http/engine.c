#include "registry/http/engine.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "clock.h"
#include "registry/base/thread.h"
#include "registry/http/call_list.h"
#include "registry/http/transfer.h"
#include "registry/http/trust.h"

#define SMALL_AT_ONCE 32
#define LANES 3
#define IDLE_MS 60000
#define BUSY_MS 1000

struct lane {
	struct call_list waiting;
	int moving, limit;
	bool patient; /* for as long as it takes, else for no longer than the timeout */
};

struct engine {
	struct http_options options; /* strings owned */
	CURLM *multi;
	CURLSH *share; /* TLS sessions; used by the engine's thread only, so without locks */
	pthread_t thread;

	pthread_mutex_t lock; /* for what stands here */
	struct call_list incoming;
	bool stopping;

	/* The engine's thread only. */
	struct lane lanes[LANES];
	struct call_list moving;
};

static struct lane *lane_of(struct engine *engine, const struct engine_call *call)
{
	return &engine->lanes[call->request->lane];
}

static void call_begin(struct engine *engine, struct engine_call *call)
{
	call->transfer = transfer_new(
		call->request, call->response, &engine->options, engine->share, &call->error);
	if (!call->transfer) {
		call->done(call);
		return;
	}
	call->transfer->cancelled = &call->cancelled;
	curl_easy_setopt(call->transfer->easy, CURLOPT_PRIVATE, call);
	if (curl_multi_add_handle(engine->multi, call->transfer->easy) != CURLM_OK) {
		error_set_memory(&call->error);
		transfer_free(call->transfer);
		call->done(call);
		return;
	}
	lane_of(engine, call)->moving++;
	call_list_append(&engine->moving, call);
}

/* The call is in no list any more when it is done: its memory may go. */
static void call_end(struct engine *engine, struct engine_call *call, CURLcode code)
{
	transfer_finish(call->transfer, code);
	curl_multi_remove_handle(engine->multi, call->transfer->easy);
	transfer_free(call->transfer);
	call->transfer = NULL;
	call_list_remove(&engine->moving, call);
	lane_of(engine, call)->moving--;
	call->done(call);
}

/* Moves what was submitted into the lanes. False once the engine is to stop. */
static bool engine_receive(struct engine *engine)
{
	struct engine_call *call, *next;
	bool stopping;

	pthread_mutex_lock(&engine->lock);
	call = engine->incoming.first;
	call_list_init(&engine->incoming);
	stopping = engine->stopping;
	pthread_mutex_unlock(&engine->lock);
	for (; call; call = next) {
		next = call->next;
		call_list_append(&lane_of(engine, call)->waiting, call);
	}
	return !stopping;
}

/* Whether a call that waits has to end now; its error says why. */
static bool call_lost(struct engine *engine, struct engine_call *call, bool patient, int64_t now)
{
	if (atomic_load(&call->cancelled)) {
		error_set(&call->error, ERROR_INTERRUPTED, "interrupted");
		return true;
	}
	if (!patient && now - call->queued_ms >= (int64_t)engine->options.timeout * 1000) {
		error_set(&call->error, ERROR_TIMEOUT,
			"all %d transfers at once are taken by others", engine->options.jobs);
		return true;
	}
	return false;
}

static void engine_drop_waiting(struct engine *engine, struct lane *lane)
{
	struct engine_call **link = &lane->waiting.first;
	int64_t now = clock_ms();

	while (*link) {
		if (call_lost(engine, *link, lane->patient, now)) {
			struct engine_call *call = call_list_take(&lane->waiting, link);

			call->done(call);
		} else {
			link = &(*link)->next;
		}
	}
}

static void engine_drop_cancelled(struct engine *engine)
{
	struct engine_call *call, *next;

	for (size_t i = 0; i < LANES; i++)
		engine_drop_waiting(engine, &engine->lanes[i]);
	for (call = engine->moving.first; call; call = next) {
		next = call->next;
		if (!atomic_load(&call->cancelled))
			continue;
		error_set(&call->error, ERROR_INTERRUPTED, "interrupted");
		call_end(engine, call, CURLE_ABORTED_BY_CALLBACK);
	}
}

static void engine_fill_lanes(struct engine *engine)
{
	for (size_t i = 0; i < LANES; i++) {
		struct lane *lane = &engine->lanes[i];

		while (lane->waiting.first && lane->moving < lane->limit)
			call_begin(engine, call_list_take(&lane->waiting, &lane->waiting.first));
	}
}

static void engine_reap(struct engine *engine)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(engine->multi, &left))) {
		struct engine_call *call = NULL;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
		call_end(engine, call, code);
	}
}

static bool engine_is_idle(const struct engine *engine)
{
	for (size_t i = 0; i < LANES; i++) {
		if (engine->lanes[i].waiting.first)
			return false;
	}
	return !engine->moving.first;
}

static void *engine_run(void *context)
{
	struct engine *engine = context;
	int running;

	while (engine_receive(engine)) {
		engine_drop_cancelled(engine);
		curl_multi_perform(engine->multi, &running);
		engine_reap(engine);
		engine_fill_lanes(engine);
		curl_multi_poll(
			engine->multi, NULL, 0, engine_is_idle(engine) ? IDLE_MS : BUSY_MS, NULL);
	}
	return NULL;
}

void engine_submit(struct engine *engine, struct engine_call *call)
{
	call->engine = engine;
	call->transfer = NULL;
	call->queued_ms = clock_ms();
	atomic_init(&call->cancelled, false);
	pthread_mutex_lock(&engine->lock);
	call_list_append(&engine->incoming, call);
	pthread_mutex_unlock(&engine->lock);
	curl_multi_wakeup(engine->multi);
}

void engine_cancel(struct engine_call *call)
{
	atomic_store(&call->cancelled, true);
	curl_multi_wakeup(call->engine->multi);
}

static void engine_stop(struct engine *engine)
{
	pthread_mutex_lock(&engine->lock);
	engine->stopping = true;
	pthread_mutex_unlock(&engine->lock);
	curl_multi_wakeup(engine->multi);
	pthread_join(engine->thread, NULL);
}

static void engine_release(struct engine *engine)
{
	curl_multi_cleanup(engine->multi);
	curl_share_cleanup(engine->share);
	pthread_mutex_destroy(&engine->lock);
	free((char *)engine->options.ca_file);
	free((char *)engine->options.ca_pem);
	free((char *)engine->options.cert);
	free((char *)engine->options.key);
	free(engine);
}

void engine_free(struct engine *engine)
{
	if (!engine)
		return;
	engine_stop(engine);
	engine_release(engine);
}

static int copy_text(const char **text, struct error *err)
{
	if (!*text)
		return 0;
	*text = strdup(*text);
	return *text ? 0 : error_set_memory(err);
}

static int join_trust(struct engine *engine, const struct http_options *options, struct error *err)
{
	struct buf pem = BUF_INIT(TRUST_SIZE_MAX);

	if (!options->ca_pem)
		return 0;
	if (trust_join(&pem, options->ca_pem, options->ca_file, err)) {
		buf_free(&pem);
		return -1;
	}
	engine->options.ca_pem = buf_steal(&pem);
	return engine->options.ca_pem ? 0 : error_set_memory(err);
}

static int engine_set_options(
	struct engine *engine, const struct http_options *options, struct error *err)
{
	const char *ca_file = options->ca_file, *cert = options->cert, *key = options->key;
	int failed = 0;

	engine->options = *options;
	engine->options.ca_pem = NULL;
	failed |= join_trust(engine, options, err);
	failed |= copy_text(&ca_file, err);
	failed |= copy_text(&cert, err);
	failed |= copy_text(&key, err);
	engine->options.ca_file = ca_file;
	engine->options.cert = cert;
	engine->options.key = key;
	engine->options.auth = NULL;
	if (engine->options.timeout < 1)
		engine->options.timeout = 1;
	if (engine->options.jobs < 1)
		engine->options.jobs = 1;
	return failed;
}

static void engine_set_lanes(struct engine *engine)
{
	static const bool patient[LANES] = {[HTTP_UPLOAD] = true};

	for (size_t i = 0; i < LANES; i++) {
		call_list_init(&engine->lanes[i].waiting);
		engine->lanes[i].limit = engine->options.jobs;
		engine->lanes[i].patient = patient[i];
	}
	engine->lanes[HTTP_SMALL].limit = SMALL_AT_ONCE;
	call_list_init(&engine->incoming);
	call_list_init(&engine->moving);
}

/* The one global of libcurl. */
static void curl_start(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static int engine_set_curl(struct engine *engine, struct error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, curl_start);
	engine->multi = curl_multi_init();
	engine->share = curl_share_init();
	if (!engine->multi || !engine->share)
		return error_set_memory(err);
	curl_share_setopt(engine->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	curl_multi_setopt(engine->multi, CURLMOPT_MAXCONNECTS,
		(long)(SMALL_AT_ONCE + 2 * engine->options.jobs));
	return 0;
}

int engine_new(struct engine **out, const struct http_options *options, struct error *err)
{
	struct engine *engine = calloc(1, sizeof(*engine));
	int errnum;

	*out = NULL;
	if (!engine)
		return error_set_memory(err);
	pthread_mutex_init(&engine->lock, NULL);
	if (engine_set_options(engine, options, err) || engine_set_curl(engine, err))
		goto fail;
	engine_set_lanes(engine);
	errnum = thread_start(&engine->thread, engine_run, engine);
	if (errnum) {
		error_set_errno(err, errnum, "starting the transfer thread");
		goto fail;
	}
	*out = engine;
	return 0;
fail:
	engine_release(engine);
	return -1;
}
