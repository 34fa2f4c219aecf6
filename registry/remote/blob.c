#include <inttypes.h>
#include <stdio.h>

#include "registry/http/attempts.h"
#include "registry/remote/blob_reader.h"
#include "registry/remote/remote_store.h"

#define WHAT_SIZE (DIGEST_TEXT_SIZE + 16)
#define HTTP_RANGE_NOT_SATISFIABLE 416
#define LABEL_SIZE 512 /* messages may cut a very long name */

/* Storage behind a registry often signs its URLs for GET alone and refuses the HEAD; that the
 * registry has sent us there is answer enough. */
static bool was_sent_elsewhere(const struct http_response *response)
{
	return response->elsewhere && (response->status == 403 || response->status == 405);
}

static void blob_note(const struct remote *remote, const struct digest *digest)
{
	known_note(hosts_known(remote->hosts), remote->host->name, digest, remote->repository);
}

int remote_blob_exists(struct store *store, bool *out, const struct digest *digest, int64_t size,
	struct cancel *cancel, struct error *err)
{
	const struct remote *remote = remote_of(store);
	char what[WHAT_SIZE];
	int64_t length;
	cleanup_free char *url = remote_url(remote, err, "/blobs/%s", digest->text);
	cleanup_with(http_response_clear) struct http_response response = HTTP_RESPONSE_INIT;
	struct http_request request = {.method = "HEAD", .url = url, .repeatable = true};

	*out = false;
	if (!url || remote_ask(remote, &request, &response, cancel, err))
		return -1;
	if (response.status == HTTP_NOT_FOUND)
		return 0;
	snprintf(what, sizeof(what), "blob %s", digest->text);
	if (response.status != 200 && !was_sent_elsewhere(&response))
		return answer_refused(remote, &response, what, err);
	length = http_headers_length(&response.headers);
	*out = response.status != 200 || length < 0 || length == size;
	if (*out)
		blob_note(remote, digest);
	else
		log_write(remote->log, LOG_LEVEL_WARNING,
			"%s: %s: the registry has %" PRId64 " bytes, not %" PRId64, remote->name,
			what, length, size);
	return 0;
}

struct reading {
	const struct remote *remote;
	struct blob_reader *reader;
	const char *url;
	const char *what;
	struct cancel *cancel;
	struct attempts attempts;
	bool fresh; /* the next request goes on a new connection */
	bool resent; /* the place to which the registry had sent us was asked for anew */
};

/* Asks once for what the reader misses. */
static int read_rest(struct reading *reading, struct http_response *response, struct error *err)
{
	struct blob_reader *reader = reading->reader;
	struct http_sink sink = blob_reader_sink(reader);
	char range[64];
	struct http_header header = {"Range", range};
	struct http_request request = {
		.method = "GET",
		.url = reading->url,
		.headers = &header,
		.header_count = blob_reader_is_partial(reader),
		.lane = HTTP_DOWNLOAD,
		.repeatable = true,
		.fresh = reading->fresh,
		.sink = &sink,
	};

	reading->fresh = false;
	snprintf(range, sizeof(range), "bytes=%" PRIu64 "-%" PRIu64, reader->next, reader->end - 1);
	return remote_ask(reading->remote, &request, response, reading->cancel, err);
}

/* 0 where the answer brought it, 1 to ask again, -1 where it was refused. */
static int after_answer(
	struct reading *reading, const struct http_response *response, struct error *err)
{
	if (response->begun)
		return 0;
	if (was_sent_elsewhere(response) && !reading->resent) {
		reading->resent = true; /* that place may have been for a short time only */
		return 1;
	}
	if (response->status == HTTP_RANGE_NOT_SATISFIABLE)
		return answer_wrong(reading->remote, ERROR_CORRUPT, reading->what,
			"the registry has fewer bytes of it", err);
	return answer_refused(reading->remote, response, reading->what, err);
}

static void ranges_give_up(const struct remote *remote, const struct error *why)
{
	if (host_trait_get(&remote->host->ranges) != HOST_NO)
		log_write(remote->log, LOG_LEVEL_WARNING,
			"%s: its ranges can't be used, blobs are read whole: %s",
			remote->host->name, why->message);
	host_trait_set(&remote->host->ranges, HOST_NO);
}

/* The same after a failure. What has not begun has been tried often enough by the layers below. */
static int after_failure(struct reading *reading, const struct http_response *response,
	const struct error *error, struct error *err)
{
	const struct remote *remote = reading->remote;
	struct blob_reader *reader = reading->reader;
	int again;

	if (reader->enough)
		return 0;
	if (reader->misfit && !reader->whole) {
		ranges_give_up(remote, error);
		reader->whole = true;
		return 1;
	}
	reading->attempts.deadline_ms = reader->moved_ms + remote->timeout_ms;
	again = response->begun
			? attempts_pause(&reading->attempts, true, response, reading->cancel, err)
			: 0;
	if (again == 0)
		return error_copy(err, error);
	if (again < 0)
		return -1;
	reading->fresh = true;
	log_write(remote->log, LOG_LEVEL_INFO, "%s again from %" PRIu64 ": %s", reading->what,
		reader->next, error->message);
	return 1;
}

/* Goes on where a transfer broke, as long as each try brings something, `retries` times where it
 * doesn't, and no longer than the timeout after the last byte. */
static int read_all(struct reading *reading, struct error *err)
{
	int again;

	do {
		cleanup_with(http_response_clear) struct http_response response =
			HTTP_RESPONSE_INIT;
		struct error error = ERROR_INIT;
		uint64_t before = reading->reader->next;
		int failed = read_rest(reading, &response, &error);

		if (reading->reader->next != before)
			reading->attempts.made = 0;
		again = failed ? after_failure(reading, &response, &error, err)
			       : after_answer(reading, &response, err);
	} while (again > 0);
	return again;
}

int remote_blob_get(struct store *store, const struct digest *digest, int64_t size, uint64_t offset,
	uint64_t length, const struct store_sink *sink, struct cancel *cancel, struct error *err)
{
	const struct remote *remote = remote_of(store);
	struct blob_reader reader;
	struct reading reading = {
		.remote = remote,
		.reader = &reader,
		.cancel = cancel,
		.attempts = {.limit = remote->retries},
	};
	char what[WHAT_SIZE];
	char label[LABEL_SIZE];
	cleanup_free char *url = remote_url(remote, err, "/blobs/%s", digest->text);

	if (!url)
		return -1;
	if (size < 0 || offset > (uint64_t)size || length > (uint64_t)size - offset)
		return error_set(err, ERROR_INVALID, "%s: a range beyond the end", digest->text);
	if (!length)
		return 0;
	snprintf(what, sizeof(what), "blob %s", digest->text);
	snprintf(label, sizeof(label), "%s: %s", remote->name, what);
	blob_reader_init(&reader, sink, label, (uint64_t)size, offset, length);
	reader.whole = host_trait_get(&remote->host->ranges) == HOST_NO;
	reading.url = url;
	reading.what = what;
	if (read_all(&reading, err))
		return -1;
	if (reader.next != reader.end)
		return error_set(err, ERROR_CORRUPT,
			"%s: %s: the registry's answer ends after %" PRIu64 " bytes of %" PRIu64,
			remote->name, what, reader.at, reader.size);
	blob_note(remote, digest);
	return 0;
}
