#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "registry/remote/location.h"
#include "registry/remote/upload.h"

#define NUMBER_LEN_MAX 18 /* fits without overflow */

void session_clear(struct session *session)
{
	free(session->location);
	*session = (struct session)SESSION_INIT;
}

int session_follow(const struct upload *upload, struct session *session,
	const struct http_response *response, struct error *err)
{
	char *next;

	if (!http_headers_get(&response->headers, "Location"))
		return 0;
	if (location_of(&next, session->location, response, err))
		return error_prefix(err, "%s: %s", upload->remote->name, upload->what);
	free(session->location);
	session->location = next;
	return 0;
}

static bool parse_number(const char *text, uint64_t *out)
{
	size_t len = strspn(text, "0123456789");

	if (!len || len > NUMBER_LEN_MAX || text[len])
		return false;
	*out = strtoull(text, NULL, 10);
	return true;
}

bool session_range(uint64_t *bytes, const struct http_response *response)
{
	const char *text = http_headers_get(&response->headers, "Range");
	uint64_t last;

	if (text && strncmp(text, "bytes=", 6) == 0)
		text += 6;
	if (!text || strncmp(text, "0-", 2) != 0 || !parse_number(text + 2, &last))
		return false;
	*bytes = last + 1;
	return true;
}

/* *session is what a 202 to a request to url opens. */
static int session_take(const struct upload *upload, struct session *session, const char *url,
	const struct http_response *response, struct error *err)
{
	const char *min = http_headers_get(&response->headers, "OCI-Chunk-Min-Length");

	session_clear(session);
	if (location_of(&session->location, url, response, err))
		return error_prefix(err, "%s: %s", upload->remote->name, upload->what);
	if (min && !parse_number(min, &session->chunk_min))
		session->chunk_min = 0;
	return 0;
}

static bool is_success(const struct http_response *response)
{
	return response->status >= 200 && response->status <= 299;
}

static bool any_settles(const struct http_response *response)
{
	(void)response;
	return true;
}

/* A session that nobody uses ends by itself, so to ask for one twice does no harm. With a scope for
 * another repository, to mount from there, a refusal is an answer. */
static int session_post(const struct upload *upload, const char *url, const char *extra_scope,
	struct http_response *response, struct error *err)
{
	struct http_request request = {
		.method = "POST",
		.url = url,
		.repeatable = true,
		.settles = extra_scope ? any_settles : NULL,
		.extra_scope = extra_scope,
		.body_limit = HTTP_ERROR_BODY_MAX,
	};

	return remote_ask(upload->remote, &request, response, upload->cancel, err);
}

int session_open(const struct upload *upload, struct session *session, struct error *err)
{
	cleanup_free char *url = remote_url(upload->remote, err, "/blobs/uploads/");
	cleanup_with(http_response_clear) struct http_response response = HTTP_RESPONSE_INIT;

	session_clear(session);
	if (!url || session_post(upload, url, NULL, &response, err))
		return -1;
	if (response.status == 201)
		return answer_check_digest(
			upload->remote, &response, upload->digest, upload->what, err);
	if (!is_success(&response))
		return answer_refused(upload->remote, &response, upload->what, err);
	return session_take(upload, session, url, &response, err);
}

static int mount_url(char **out, const struct upload *upload, const char *from, struct error *err)
{
	cleanup_free char *url = remote_url(upload->remote, err, "/blobs/uploads/");
	cleanup_free char *with_digest = NULL;

	if (!url || location_with(&with_digest, url, "mount", upload->digest->text, err))
		return -1;
	return location_with(out, with_digest, "from", from, err);
}

/* What can't be mounted is sent, whatever the reason: from may be nothing that we may read, or the
 * token server may refuse to name it beside ours. */
static int mount_answered(const struct upload *upload, struct session *session, bool *mounted,
	const char *url, const struct http_response *response, struct error *err)
{
	struct error why = ERROR_INIT;

	if (response->status == 201) {
		*mounted = true;
		return answer_check_digest(
			upload->remote, response, upload->digest, upload->what, err);
	}
	if (is_success(response) && session_take(upload, session, url, response, &why))
		session_clear(session);
	return 0;
}

int session_open_by_mount(const struct upload *upload, const char *from, struct session *session,
	bool *mounted, struct error *err)
{
	cleanup_free char *url = NULL;
	cleanup_free char *scope = NULL;
	cleanup_with(http_response_clear) struct http_response response = HTTP_RESPONSE_INIT;
	struct error why = ERROR_INIT;

	*mounted = false;
	if (mount_url(&url, upload, from, err))
		return -1;
	if (asprintf(&scope, "repository:%s:pull", from) < 0) {
		scope = NULL;
		return error_set_memory(err);
	}
	if (session_post(upload, url, scope, &response, &why) == 0)
		return mount_answered(upload, session, mounted, url, &response, err);
	return why.kind == ERROR_DENIED ? 0 : error_copy(err, &why);
}

/* How far it has come, from what it says and what we know: what was acknowledged is there, whatever
 * it says (there are registries whose Range stands still), and what wasn't sent is not. */
static enum upload_result session_judge(const struct upload *upload, struct session *session,
	uint64_t sent, const struct http_response *response)
{
	uint64_t bytes;

	if (!session_range(&bytes, response) || bytes <= session->offset || bytes == 1)
		return UPLOAD_DONE;
	if (bytes > sent) {
		log_write(upload->remote->log, LOG_LEVEL_INFO,
			"%s: the session has %" PRIu64 " bytes, of %" PRIu64 " sent", upload->what,
			bytes, sent);
		return UPLOAD_LOST;
	}
	session->offset = bytes;
	return UPLOAD_DONE;
}

enum upload_result session_resume(
	const struct upload *upload, struct session *session, uint64_t sent, struct error *err)
{
	cleanup_with(http_response_clear) struct http_response response = HTTP_RESPONSE_INIT;
	struct http_request request = {
		.method = "GET",
		.url = session->location,
		.repeatable = true,
		.settles = answer_absent,
		.fresh = true,
		.body_limit = HTTP_ERROR_BODY_MAX,
	};

	if (remote_ask(upload->remote, &request, &response, upload->cancel, err))
		return UPLOAD_FAILED;
	if (response.status == 401 || response.status == 403 || response.status == 429 ||
		response.status >= 500) {
		answer_refused(upload->remote, &response, upload->what, err);
		return UPLOAD_FAILED;
	}
	if (!is_success(&response))
		return UPLOAD_LOST;
	if (session_follow(upload, session, &response, err))
		return UPLOAD_FAILED;
	return session_judge(upload, session, sent, &response);
}
