#include <stdio.h>
#include <stdlib.h>

#include "crash_point.h"
#include "registry/http/wait.h"
#include "registry/remote/remote_store.h"

#define HTTP_BAD_REQUEST 400
#define PASSING_TRIES 5
#define PAUSE_MS 50

#define WHAT_SIZE (DIGEST_TEXT_SIZE + 16)

static int write_once(const struct remote *remote, const struct document *document, const char *tag,
	const struct http_header *condition, struct http_response *response, struct cancel *cancel,
	struct error *err)
{
	const char *reference = tag ? tag : document->digest.text;
	char what[WHAT_SIZE];
	cleanup_free char *url = remote_manifest_url(remote, reference, err);
	struct http_header headers[] = {{"Content-Type", document->media_type},
		condition ? *condition : (struct http_header){NULL, NULL}};
	struct http_request request = {
		.method = "PUT",
		.url = url,
		.headers = headers,
		.header_count = condition ? 2 : 1,
		.body = {.kind = HTTP_BODY_MEMORY,
			.bytes = document->json,
			.length = document->json_len},
		.repeatable = true,
		.body_limit = HTTP_ERROR_BODY_MAX,
	};

	if (!url)
		return -1;
	snprintf(what, sizeof(what), "manifest %s", reference);
	CRASH_POINT("document.put");
	if (remote_ask(remote, &request, response, cancel, err))
		return -1;
	CRASH_POINT("document.sent");
	if (response->status < 200 || response->status > 299)
		return answer_refused(remote, response, what, err);
	return answer_check_digest(remote, response, &document->digest, what, err);
}

/* A registry may not know for a moment what it has, while somebody else puts the very same there:
 * Debian's docker-registry writes its files anew in their places. What a document names was put
 * before it, so that it is unknown can pass. */
static bool is_passing(const struct error *why)
{
	return why->status == HTTP_BAD_REQUEST &&
	       (why->kind == ERROR_CORRUPT || why->kind == ERROR_NOT_FOUND);
}

static bool is_worth_another(const struct remote *remote, const struct error *why, int tries)
{
	if (is_passing(why))
		return tries < PASSING_TRIES;
	return tries == 0 && remote_is_worth_another(remote, why);
}

int remote_document_write(const struct remote *remote, const struct document *document,
	const char *tag, const struct http_header *condition, struct http_response *response,
	struct cancel *cancel, struct error *err)
{
	for (int tries = 0;; tries++) {
		struct error why = ERROR_INIT;

		if (write_once(remote, document, tag, condition, response, cancel, &why) == 0)
			return 0;
		if (!is_worth_another(remote, &why, tries))
			return error_copy(err, &why);
		if (is_passing(&why) && cancel_sleep(cancel, PAUSE_MS << tries, err))
			return -1;
		http_response_clear(response);
	}
}

/* A change that waits for what is expected of its tag. */
struct tag_change {
	struct remote *remote;
	const struct document *document;
	const char *tag;
	const struct digest *expected; /* NULL: nothing; unset: that it isn't there */
	struct http_response *response;
	struct cancel *cancel;
};

static int change_write(
	const struct tag_change *change, const struct http_header *condition, struct error *err)
{
	return remote_document_write(change->remote, change->document, change->tag, condition,
		change->response, change->cancel, err);
}

/* The host says that the condition doesn't hold. It may be wrong about it, and then none is put to
 * it any more; or what it has refused is what it has done already, on a try whose answer was lost.
 */
static int change_refused(const struct tag_change *change, struct error *err)
{
	struct remote *remote = change->remote;
	cleanup_with(descriptor_clear) struct descriptor now = DESCRIPTOR_INIT;
	struct digest found = DIGEST_NONE;
	struct error why = ERROR_INIT;

	if (remote_resolve(&remote->store, &now, change->tag, change->cancel, &why) == 0)
		found = now.digest;
	else if (why.kind != ERROR_NOT_FOUND)
		return error_copy(err, &why);
	if (digest_equal(&found, &change->document->digest))
		return 0;
	if (!digest_equal(&found, change->expected))
		return store_tag_moved(err, change->tag, change->expected, &found);
	host_trait_set(&remote->host->conditions, HOST_NO);
	log_write(remote->log, LOG_LEVEL_WARNING,
		"%s: conditional requests can't be used: HTTP 412 although tag %s was as expected",
		remote->name, change->tag);
	http_response_clear(change->response);
	return change_write(change, NULL, err);
}

static int change_make(const struct tag_change *change, struct error *err)
{
	struct remote *remote = change->remote;
	bool absent = change->expected && !digest_is_set(change->expected);
	cleanup_free char *etag = NULL;
	struct http_header condition = {"If-None-Match", "*"};
	struct error why = ERROR_INIT;

	if (change->expected && !absent) {
		etag = seen_etag(&remote->seen, change->tag, change->expected);
		condition = (struct http_header){"If-Match", etag};
	}
	if (!change->expected || !condition.value ||
		host_trait_get(&remote->host->conditions) == HOST_NO)
		return change_write(change, NULL, err);
	if (change_write(change, &condition, &why) == 0)
		return 0;
	return why.kind == ERROR_CONFLICT ? change_refused(change, err) : error_copy(err, &why);
}

int remote_document_put(struct store *store, const struct document *document, const char *tag,
	const struct digest *expected, struct cancel *cancel, struct error *err)
{
	struct remote *remote = remote_of(store);
	cleanup_with(http_response_clear) struct http_response response = HTTP_RESPONSE_INIT;
	struct tag_change change = {
		.remote = remote,
		.document = document,
		.tag = tag,
		.expected = tag ? expected : NULL,
		.response = &response,
		.cancel = cancel,
	};

	if (change_make(&change, err))
		return -1;
	return document->has_subject
		       ? remote_referrers_enter(remote, document, &response, cancel, err)
		       : 0;
}
