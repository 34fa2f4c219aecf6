#include "registry/remote/upload.h"

#include <stdio.h>
#include <string.h>

#include "crash_point.h"
#include "registry/http/attempts.h"

/* One way through a session, and how it went. */
struct passage {
	enum { NOT_SENT, SENT_WHOLE, SENT_CHUNKED } how;
	struct http_response response; /* to the body, where it was sent whole */
	struct error why; /* it failed */
};

#define PASSAGE_INIT                                                                               \
	{                                                                                          \
		.how = NOT_SENT, .response = HTTP_RESPONSE_INIT, .why = ERROR_INIT                 \
	}

static void passage_clear(struct passage *passage)
{
	http_response_clear(&passage->response);
}

/* Sends all of it in one body. */
static enum upload_result upload_whole(
	const struct upload *upload, const struct session *session, struct passage *passage)
{
	struct http_response *response = &passage->response;

	CRASH_POINT("upload.whole");
	if (upload_close(upload, session, response, &passage->why))
		return UPLOAD_FAILED;
	CRASH_POINT("upload.whole.sent");
	if (response->status == HTTP_NOT_FOUND)
		return UPLOAD_LOST;
	if (response->status < 200 || response->status > 299) {
		answer_refused(upload->remote, response, upload->what, &passage->why);
		return UPLOAD_FAILED;
	}
	return upload_confirm(upload, response, &passage->why) ? UPLOAD_FAILED : UPLOAD_DONE;
}

/* Uses the session, or a new one where it has no location. */
static enum upload_result upload_once(
	struct upload *upload, struct session *session, struct passage *passage)
{
	if (!session->location) {
		if (session_open(upload, session, &passage->why))
			return UPLOAD_FAILED;
		if (!session->location)
			return UPLOAD_DONE;
	}
	CRASH_POINT("upload.opened");
	passage->how = upload_goes_in_chunks(upload, session) ? SENT_CHUNKED : SENT_WHOLE;
	return passage->how == SENT_CHUNKED ? upload_chunked(upload, session, &passage->why)
					    : upload_whole(upload, session, passage);
}

/* A session that is gone may have been closed by us, and only the answer was lost. Else begins
 * anew, as often as anything that fails is tried again. */
static enum upload_result upload_after_loss(
	const struct upload *upload, struct attempts *attempts, struct error *err)
{
	const struct http_response lost = HTTP_RESPONSE_INIT;
	bool exists;
	int again;

	if (remote_blob_exists(&upload->remote->store, &exists, upload->digest,
		    upload->source->size, upload->cancel, err))
		return UPLOAD_FAILED;
	if (exists)
		return UPLOAD_DONE;
	again = attempts_pause(attempts, ATTEMPT_BROKE, &lost, upload->cancel, err);
	if (!again)
		answer_wrong(upload->remote, ERROR_PROTOCOL, upload->what,
			"the registry has lost the upload session again and again", err);
	return again > 0 ? UPLOAD_LOST : UPLOAD_FAILED;
}

/* What opens a session, and each chunk, has been tried often enough. What arrived as something else
 * is sent once more, as what was refused is: to send gigabytes may be in vain. */
static enum attempt_end passage_judge(const struct passage *passage)
{
	const struct http_response *response = &passage->response;
	bool arrived = passage->how == SENT_CHUNKED || (response->status && !response->transient);

	if (passage->how == NOT_SENT)
		return ATTEMPT_STANDS;
	if (passage->why.kind == ERROR_CORRUPT && arrived)
		return ATTEMPT_REFUSED;
	if (passage->how == SENT_CHUNKED)
		return ATTEMPT_STANDS;
	return attempt_judge(response->status < 300 ? &passage->why : NULL, response);
}

/* A body that didn't get through whole may do so in pieces. */
static bool broke_on_its_way(const struct passage *passage)
{
	const struct http_response *response = &passage->response;

	return passage->how == SENT_WHOLE && response->status < 200 && response->transient &&
	       !response->unreached;
}

/* Sent again, it is in a new session: the old one is left behind. */
static enum upload_result upload_after_failure(struct upload *upload, struct attempts *attempts,
	const struct passage *passage, struct error *err)
{
	uint64_t size = (uint64_t)upload->source->size;
	int again = attempts_pause(
		attempts, passage_judge(passage), &passage->response, upload->cancel, err);

	if (!again && upload_body_too_long(upload, size, &passage->response))
		again = 1;
	if (!again)
		error_copy(err, &passage->why);
	if (again <= 0)
		return UPLOAD_FAILED;
	if (broke_on_its_way(passage))
		upload_body_broke(upload, size);
	log_write(upload->remote->log, LOG_LEVEL_INFO, "%s again: %s", upload->what,
		passage->why.message);
	return UPLOAD_LOST;
}

static int upload_repeat(struct upload *upload, struct session *session, struct error *err)
{
	struct attempts attempts = {.limit = upload->remote->retries};
	enum upload_result result;

	do {
		cleanup_with(passage_clear) struct passage passage = PASSAGE_INIT;

		result = upload_once(upload, session, &passage);
		if (result == UPLOAD_LOST)
			result = upload_after_loss(upload, &attempts, err);
		else if (result == UPLOAD_FAILED)
			result = upload_after_failure(upload, &attempts, &passage, err);
		session_clear(session);
	} while (result == UPLOAD_LOST || result == UPLOAD_WHOLE);
	return result == UPLOAD_DONE ? 0 : -1;
}

/* distribution-spec 1.1, "Mounting a blob from another repository". *session may be open after. */
static int upload_mount(
	const struct upload *upload, struct session *session, bool *mounted, struct error *err)
{
	const struct remote *remote = upload->remote;
	struct known *known = hosts_known(remote->hosts);
	const char *from = upload->source->mount_from;
	cleanup_free char *found = NULL;

	*mounted = false;
	if (!from)
		from = found =
			known_find(known, remote->host->name, upload->digest, remote->repository);
	if (!from || strcmp(from, remote->repository) == 0)
		return 0;
	if (session_open_by_mount(upload, from, session, mounted, err))
		return -1;
	if (found && !*mounted)
		known_forget(known, remote->host->name, upload->digest);
	return 0;
}

static void upload_note(const struct upload *upload)
{
	const struct remote *remote = upload->remote;

	known_note(
		hosts_known(remote->hosts), remote->host->name, upload->digest, remote->repository);
}

static int upload_send(struct upload *upload, struct error *err)
{
	cleanup_with(session_clear) struct session session = SESSION_INIT;
	bool mounted;

	if (upload_mount(upload, &session, &mounted, err))
		return -1;
	return mounted ? 0 : upload_repeat(upload, &session, err);
}

int remote_blob_put(struct store *store, const struct digest *digest,
	const struct store_source *source, struct cancel *cancel, struct error *err)
{
	struct upload upload = {
		.remote = remote_of(store),
		.digest = digest,
		.source = source,
		.cancel = cancel,
		.body_max = atomic_load(&remote_of(store)->host->body_max),
	};
	bool exists;

	snprintf(upload.what, sizeof(upload.what), "blob %s", digest->text);
	CRASH_POINT("upload.begin");
	if (remote_blob_exists(store, &exists, digest, source->size, cancel, err))
		return -1;
	if (!exists && upload_send(&upload, err))
		return -1;
	CRASH_POINT("upload.done");
	upload_note(&upload);
	return 0;
}
