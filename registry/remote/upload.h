/*
 * upload.h - a blob on its way to the registry (distribution-spec 1.1, "Pushing Blobs").
 *
 * One file for each step: session.c opens upload sessions and asks how far they are, pace.c
 * knows how long a body may be, send.c sends bodies, chunked.c sends chunk after chunk and goes on
 * after a break, upload.c decides.
 */
#ifndef INDEXFS_REMOTE_UPLOAD_H
#define INDEXFS_REMOTE_UPLOAD_H

#include "registry/remote/remote_store.h"

struct upload {
	struct remote *remote;
	const struct digest *digest;
	const struct store_source *source;
	struct cancel *cancel;
	uint64_t body_max; /* no longer body gets through */
	char what[DIGEST_TEXT_SIZE + 16];
};

enum upload_result {
	UPLOAD_FAILED = -1, /* *err is set */
	UPLOAD_DONE,
	UPLOAD_LOST, /* the session is gone: from the beginning, in a new one */
	UPLOAD_WHOLE, /* the host takes no chunks: from the beginning, in one body */
};

/* Where bytes go. */
struct session {
	char *location; /* the newest one; NULL where there is nothing to send to */
	uint64_t offset; /* the registry has what is before it */
	uint64_t chunk_min; /* bytes in each chunk but the last (OCI-Chunk-Min-Length) */
};

#define SESSION_INIT                                                                               \
	{                                                                                          \
		.location = NULL                                                                   \
	}

void session_clear(struct session *session);

/* A new session; no location where the registry says that it has the blob. */
int session_open(const struct upload *upload, struct session *session, struct error *err);

/* The same while asking the registry to take the blob from another of its repositories. *mounted:
 * it did. A refusal is no error; there may be no location then. */
int session_open_by_mount(const struct upload *upload, const char *from, struct session *session,
	bool *mounted, struct error *err);

/* Follows an answer: its Location, if any, is where the session goes on. */
int session_follow(const struct upload *upload, struct session *session,
	const struct http_response *response, struct error *err);

/* Asks a session how far it has come, after a break: some of what is before `sent` may be there.
 * UPLOAD_DONE (the session goes on at its offset), UPLOAD_LOST or UPLOAD_FAILED. */
enum upload_result session_resume(
	const struct upload *upload, struct session *session, uint64_t sent, struct error *err);

/* What "Range: 0-N" says of how many bytes there are; false where it says nothing. "0-0" may mean
 * none or one: *bytes is 1. */
bool session_range(uint64_t *bytes, const struct http_response *response);

/* Sends a part of the source as a chunk; its progress is told at its place in the blob. The answer
 * may have any status. */
int upload_chunk(const struct upload *upload, const struct session *session, uint64_t length,
	struct http_response *response, struct error *err);

/* Closes the session with the bytes from its offset on, where there are any. */
int upload_close(const struct upload *upload, const struct session *session,
	struct http_response *response, struct error *err);

/* After an answer to the closing PUT: 201 (and 204) say that the blob stands; any other success is
 * believed once it can be seen. */
int upload_confirm(
	const struct upload *upload, const struct http_response *response, struct error *err);

/* Whether, and how long a chunk is. */
bool upload_goes_in_chunks(const struct upload *upload, const struct session *session);
uint64_t upload_chunk_size(const struct upload *upload, const struct session *session);

/* A body of that length broke on its way: the next ones are shorter. */
void upload_body_broke(struct upload *upload, uint64_t length);

/* Whether a body of that length was refused for its length, and shorter ones may be taken: by this
 * host, they are all shorter from now on. */
bool upload_body_too_long(
	struct upload *upload, uint64_t length, const struct http_response *response);

/* Sends all of it in chunks, taking up broken ones as long as each try brings something. */
enum upload_result upload_chunked(
	struct upload *upload, struct session *session, struct error *err);

#endif
