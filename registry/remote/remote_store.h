/*
 * remote_store.h - what the files of this folder share: the store, and its functions by concern.
 */
#ifndef INDEXFS_REMOTE_STORE_H
#define INDEXFS_REMOTE_STORE_H

#include <pthread.h>

#include "cleanup.h"
#include "registry/http/client.h"
#include "registry/remote/connection.h"
#include "registry/remote/host.h"
#include "registry/remote/seen.h"
#include "store.h"

#define HTTP_NOT_FOUND 404

/* What remote_open() does once it is decided how the reference's repository, which is given, is
 * reached: registries.conf isn't asked. */
int remote_open_exactly(struct store **out, const struct reference *reference,
	const struct store_options *options, struct log *log, struct error *err);

/* Whether anything that speaks HTTP (or HTTPS, as the store does) answers there; how soon is
 * bounded. -1 with the reason where it doesn't. */
int remote_answers(struct store *store, struct cancel *cancel, struct error *err);

struct remote {
	struct store store;
	struct connection connection;
	struct http_client *http; /* of the connection */
	struct log *log; /* borrowed */
	char *name; /* HOST/REPOSITORY, as the user knows it */
	char *base; /* SCHEME://HOST/v2/REPOSITORY */
	int retries;
	int timeout_ms;
	struct store_hosts *hosts;
	struct store_hosts *own_hosts; /* the same where nobody else has it, else NULL */
	struct host *host;
	char *repository;
	int64_t chunked_from; /* a larger blob goes in chunks, where the host takes them */
	int64_t chunk_size;
	struct seen seen;
	pthread_mutex_t referrers_turn; /* who changes a referrers tag */
};

/* ask.c: http_client_do(), and what the registry warns of goes to the log, once. */
int remote_ask(const struct remote *remote, const struct http_request *request,
	struct http_response *response, struct cancel *cancel, struct error *err);

/* Whether what went wrong with a document may go well the second time: what was damaged on its
 * way. */
bool remote_is_worth_another(const struct remote *remote, const struct error *why);

static inline struct remote *remote_of(struct store *store)
{
	return (struct remote *)store;
}

/* base followed by the formatted path; the caller frees it. NULL with *err set. */
char *remote_url(const struct remote *remote, struct error *err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The URL of a tag or digest. ERROR_INVALID where the text is neither: it could lead anywhere. */
char *remote_manifest_url(const struct remote *remote, const char *reference, struct error *err);

/* answer.c: what answers mean. Both return -1 with *err set, quoting the registry. `what` is the
 * thing that was asked for: "manifest v1". */
int answer_refused(const struct remote *remote, const struct http_response *response,
	const char *what, struct error *err);
int answer_wrong(const struct remote *remote, enum error_kind kind, const char *what,
	const char *why, struct error *err);

/* As of http_request.settles: 404 says that it isn't there. */
bool answer_absent(const struct http_response *response);

/* 0 where the answer's Docker-Content-Digest is absent, or of another algorithm than the digest,
 * or the digest; else ERROR_CORRUPT. */
int answer_check_digest(const struct remote *remote, const struct http_response *response,
	const struct digest *digest, const char *what, struct error *err);

/* document.c */
int remote_document_get(struct store *store, struct document *out, const char *tag,
	const struct digest *digest, const char *media_type, struct cancel *cancel,
	struct error *err);

/* What is asked for with every manifest (distribution-spec 1.1, "Pulling manifests"). */
extern const char remote_accept[];

/* document_put.c */
int remote_document_put(struct store *store, const struct document *document, const char *tag,
	const struct digest *expected, struct cancel *cancel, struct error *err);

/* The bare PUT, with a header that may be NULL. *response must be empty; any answer but 2xx is an
 * error: ERROR_CONFLICT where the header's condition doesn't hold. */
int remote_document_write(const struct remote *remote, const struct document *document,
	const char *tag, const struct http_header *condition, struct http_response *response,
	struct cancel *cancel, struct error *err);

/* tags.c */
int remote_tags(struct store *store, int (*take)(void *context, const char *tag, struct error *err),
	void *context, struct cancel *cancel, struct error *err);

/* referrers.c */
int remote_referrers(struct store *store, struct document *out, const struct digest *subject,
	const char *artifact_type, struct cancel *cancel, struct error *err);

/* After a document with a subject has been put, with this answer: sees to it that it's among the
 * subject's referrers (distribution-spec 1.1, "Pushing Manifests with Subject"). */
int remote_referrers_enter(struct remote *remote, const struct document *document,
	const struct http_response *response, struct cancel *cancel, struct error *err);

/* referrers_tag.c: the same for a host without the Referrers API. */
int referrers_tag_get(struct remote *remote, struct document *out, const struct digest *subject,
	struct cancel *cancel, struct error *err);
int referrers_tag_enter(struct remote *remote, const struct document *document,
	struct cancel *cancel, struct error *err);

/* tag.c */
int remote_resolve(struct store *store, struct descriptor *out, const char *tag,
	struct cancel *cancel, struct error *err);

/* blob.c */
int remote_blob_exists(struct store *store, bool *out, const struct digest *digest, int64_t size,
	struct cancel *cancel, struct error *err);
int remote_blob_get(struct store *store, const struct digest *digest, int64_t size, uint64_t offset,
	uint64_t length, const struct store_sink *sink, struct cancel *cancel, struct error *err);

/* upload.c */
int remote_blob_put(struct store *store, const struct digest *digest,
	const struct store_source *source, struct cancel *cancel, struct error *err);

#endif
