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

static bool head_settles(const struct http_response *response)
{
	return answer_absent(response) || was_sent_elsewhere(response);
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
	struct http_request request = {
		.method = "HEAD", .url = url, .repeatable = true, .settles = head_settles};

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

/* What an answer has brought: an error where that isn't all. */
static int check_answer(
	const struct reading *reading, const struct http_response *response, struct error *err)
{
	const struct blob_reader *reader = reading->reader;

	if (response->status == HTTP_RANGE_NOT_SATISFIABLE)
		return answer_wrong(reading->remote, ERROR_CORRUPT, reading->what,
			"the registry has fewer bytes of it", err);
	if (!response->begun)
		return answer_refused(reading->remote, response, reading->what, err);
	if (reader->next == reader->end)
		return 0;
	return error_set(err, ERROR_CORRUPT,
		"%s: the registry's answer ends after %" PRIu64 " bytes of %" PRIu64, reader->label,
		reader->at, reader->size);
}

static void ranges_give_up(const struct remote *remote, const struct error *why)
{
	if (host_trait_get(&remote->host->ranges) != HOST_NO)
		log_write(remote->log, LOG_LEVEL_WARNING,
			"%s: its ranges can't be used, blobs are read whole: %s",
			remote->host->name, why->message);
	host_trait_set(&remote->host->ranges, HOST_NO);
}

/* What has not begun has been tried often enough by the layers below. What the registry sent
 * otherwise than it said is refused by us, and asked for once more. */
static enum attempt_end judge(const struct http_response *response, const struct error *error)
{
	if (!response->begun)
		return ATTEMPT_STANDS;
	if (error->kind == ERROR_CORRUPT && !response->transient)
		return ATTEMPT_REFUSED;
	return attempt_judge(error, response);
}

/* Whether to ask again: 1, 0 where all is here after all, -1 where it has failed for good. */
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
	again = attempts_pause(
		&reading->attempts, judge(response, error), response, reading->cancel, err);
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
		bool complete = read_rest(reading, &response, &error) == 0 &&
				check_answer(reading, &response, &error) == 0;

		if (reading->reader->next != before)
			attempts_reset(&reading->attempts);
		again = complete ? 0 : after_failure(reading, &response, &error, err);
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
	blob_note(remote, digest);
	return 0;
}
