/*
 * chunked.c - a blob in chunks (distribution-spec 1.1, "Pushing a blob in chunks").
 *
 * The last chunk goes with the PUT that closes the session: that saves a request, and there are
 * registries that refuse an empty one. Whether a host takes chunks at all is found by trying: some
 * refuse the first for its size, some the second for being one.
 */
#include <inttypes.h>
#include <stdio.h>

#include "crash_point.h"
#include "registry/http/attempts.h"
#include "registry/remote/upload.h"

#define HTTP_RANGE_NOT_SATISFIABLE 416

/* A chunk on its way. */
struct chunk {
	uint64_t length;
	bool closes; /* by PUT, and with all that is left */
	bool failed; /* there was no answer */
	struct http_response response;
};

static void chunk_clear(struct chunk *chunk)
{
	http_response_clear(&chunk->response);
}

static void chunk_plan(
	struct chunk *chunk, const struct upload *upload, const struct session *session)
{
	uint64_t left = (uint64_t)upload->source->size - session->offset;
	uint64_t size = upload_chunk_size(upload, session);
	bool last_in_put = host_trait_get(&upload->remote->host->last_in_put) != HOST_NO;

	chunk->length = left < size ? left : size;
	chunk->closes = !left || (chunk->length == left && last_in_put);
}

/* A Range that says less than was sent is believed where it lies within the chunk; one that hasn't
 * moved is of a registry whose Range stands still. */
static int chunk_accepted(const struct upload *upload, struct session *session,
	const struct chunk *chunk, struct error *err)
{
	uint64_t end = session->offset + chunk->length;
	uint64_t bytes;

	if (session_range(&bytes, &chunk->response) && bytes > session->offset && bytes < end &&
		bytes > 1)
		end = bytes;
	if (session->offset)
		host_trait_set(&upload->remote->host->chunks, HOST_YES);
	session->offset = end;
	return session_follow(upload, session, &chunk->response, err);
}

static bool is_success(const struct http_response *response)
{
	return response->status >= 200 && response->status <= 299;
}

/* *err says why where it isn't DONE and the answer isn't a success. */
static enum upload_result chunk_send(const struct upload *upload, struct session *session,
	struct chunk *chunk, struct error *err)
{
	if (chunk->closes) {
		chunk->failed = upload_close(upload, session, &chunk->response, err) != 0;
	} else {
		chunk->failed =
			upload_chunk(upload, session, chunk->length, &chunk->response, err) != 0;
	}
	if (chunk->failed)
		return UPLOAD_FAILED;
	if (is_success(&chunk->response))
		return UPLOAD_DONE;
	answer_refused(upload->remote, &chunk->response, upload->what, err);
	return UPLOAD_FAILED;
}

/* The answers of hosts that don't take what they were sent as it was. */
static bool says_not_so(const struct http_response *response)
{
	switch (response->status) {
	case 400:
	case 404:
	case 405:
	case 416:
	case 501:
		return true;
	default:
		return false;
	}
}

static bool says_wrong_digest(const struct error *why)
{
	return why->kind == ERROR_CORRUPT;
}

static void host_learns(
	const struct upload *upload, atomic_int *trait, const char *what, const struct error *why)
{
	log_write(upload->remote->log, LOG_LEVEL_INFO, "%s %s: %s", upload->remote->host->name,
		what, why->message);
	host_trait_set(trait, HOST_NO);
}

/* What a refusal, not of the moment, means for what comes next. UPLOAD_DONE: the session may know
 * more. */
static enum upload_result chunk_refused(const struct upload *upload, const struct session *session,
	const struct chunk *chunk, const struct error *why)
{
	struct host *host = upload->remote->host;
	int status = chunk->response.status;

	if (says_wrong_digest(why))
		return UPLOAD_FAILED;
	if (status == HTTP_RANGE_NOT_SATISFIABLE)
		return UPLOAD_DONE;
	if (chunk->closes && session->offset) {
		if (status == HTTP_NOT_FOUND)
			return UPLOAD_LOST;
		if (!chunk->length || host_trait_get(&host->last_in_put) == HOST_NO)
			return UPLOAD_FAILED;
		host_learns(upload, &host->last_in_put, "takes no bytes with the closing PUT", why);
		return UPLOAD_DONE;
	}
	if (host_trait_get(&host->chunks) == HOST_YES)
		return status == HTTP_NOT_FOUND ? UPLOAD_LOST : UPLOAD_FAILED;
	host_learns(upload, &host->chunks, "takes no chunks", why);
	return UPLOAD_WHOLE;
}

/* The session has been asked after a 416 (distribution-spec 1.1: the answer to a chunk that is out
 * of order). Where it is no further than we knew, the chunk was in order: the host doesn't take
 * chunks like it. */
static enum upload_result chunk_out_of_order(const struct upload *upload,
	const struct session *session, uint64_t before, const struct error *why)
{
	struct host *host = upload->remote->host;

	if (session->offset != before || host_trait_get(&host->chunks) == HOST_YES)
		return UPLOAD_DONE;
	host_learns(upload, &host->chunks, "takes no chunks", why);
	return UPLOAD_WHOLE;
}

/* Whether to ask the session how far it is: UPLOAD_DONE. Pauses before, where it may help. */
static enum upload_result chunk_judge(struct upload *upload, const struct session *session,
	const struct chunk *chunk, struct attempts *attempts, const struct error *why,
	struct error *err)
{
	enum attempt_end end = attempt_judge(chunk->failed ? why : NULL, &chunk->response);
	enum upload_result result;
	int again;

	if (chunk->failed || !says_not_so(&chunk->response)) {
		again = attempts_pause(attempts, end, &chunk->response, upload->cancel, err);
		if (!again && upload_body_too_long(upload, chunk->length, &chunk->response))
			again = 1;
		if (!again)
			error_copy(err, why);
		return again > 0 ? UPLOAD_DONE : UPLOAD_FAILED;
	}
	result = chunk_refused(upload, session, chunk, why);
	if (result == UPLOAD_FAILED)
		error_copy(err, why);
	if (result == UPLOAD_DONE && attempts->made++ >= attempts->limit)
		return UPLOAD_LOST;
	return result;
}

static enum upload_result chunk_retry(struct upload *upload, struct session *session,
	const struct chunk *chunk, struct attempts *attempts, const struct error *why,
	struct error *err)
{
	uint64_t before = session->offset;
	enum upload_result result = chunk_judge(upload, session, chunk, attempts, why, err);

	if (result != UPLOAD_DONE)
		return result;
	result = session_resume(upload, session, before + chunk->length, err);
	if (result == UPLOAD_DONE && chunk->failed && session->offset == before &&
		attempts->made > 1)
		upload_body_broke(upload, chunk->length);
	if (result == UPLOAD_DONE && chunk->response.status == HTTP_RANGE_NOT_SATISFIABLE)
		result = chunk_out_of_order(upload, session, before, why);
	if (result == UPLOAD_DONE)
		log_write(upload->remote->log, LOG_LEVEL_INFO, "%s again from %" PRIu64 ": %s",
			upload->what, session->offset, why->message);
	return result;
}

/* 1: there is more to do. */
static int chunk_step(struct upload *upload, struct session *session, struct attempts *attempts,
	enum upload_result *result, struct error *err)
{
	cleanup_with(chunk_clear) struct chunk chunk = {.response = HTTP_RESPONSE_INIT};
	struct error why = ERROR_INIT;
	uint64_t before = session->offset;

	chunk_plan(&chunk, upload, session);
	CRASH_POINT("upload.chunk");
	*result = chunk_send(upload, session, &chunk, &why);
	CRASH_POINT("upload.chunk.sent");
	if (*result != UPLOAD_DONE) {
		*result = chunk_retry(upload, session, &chunk, attempts, &why, err);
	} else if (chunk.closes) {
		*result =
			upload_confirm(upload, &chunk.response, err) ? UPLOAD_FAILED : UPLOAD_DONE;
		if (*result == UPLOAD_DONE && before)
			host_trait_set(&upload->remote->host->chunks, HOST_YES);
		return 0;
	} else if (chunk_accepted(upload, session, &chunk, err)) {
		*result = UPLOAD_FAILED;
	}
	if (session->offset > before)
		attempts_reset(attempts);
	return *result == UPLOAD_DONE;
}

enum upload_result upload_chunked(struct upload *upload, struct session *session, struct error *err)
{
	struct attempts attempts = {.limit = upload->remote->retries};
	enum upload_result result;

	while (chunk_step(upload, session, &attempts, &result, err))
		;
	return result;
}
