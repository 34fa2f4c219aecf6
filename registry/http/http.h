/*
 * http.h - requests, answers, and the one shape of the layers that carry them.
 *
 * A layer takes a request and gives its answer, asking the layer below it as often as it likes;
 * the engine is the lowest. An answer of any status is success here: what it means is decided by
 * who asked. Redirects, repeats (and what else a layer does) are above the engine.
 */
#ifndef INDEXFS_HTTP_H
#define INDEXFS_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "cancel.h"
#include "error.h"
#include "registry/http/headers.h"

/* What waits for what: at most `jobs` transfers move in each of the lanes for bodies, and small
 * requests wait for neither. */
enum http_lane { HTTP_SMALL, HTTP_DOWNLOAD, HTTP_UPLOAD };

enum http_body_kind { HTTP_BODY_NONE, HTTP_BODY_MEMORY, HTTP_BODY_FILE };

struct http_body {
	enum http_body_kind kind;
	const void *bytes;
	int fd; /* read by pread, from offset on */
	uint64_t offset;
	uint64_t length;
	/* Told the bytes sent, on the engine's thread; goes back when sending begins again. */
	void (*progress)(void *context, int64_t sent);
	void *context;
};

struct http_response;

/* Takes the body of an answer of 2xx. Both are called on the engine's thread and must not block
 * for long; -1, with *err set, ends the transfer with that error. */
struct http_sink {
	/* Once, when the headers are complete and before the first byte. */
	int (*begin)(void *context, const struct http_response *response, struct error *err);
	int (*write)(void *context, const void *bytes, size_t len, struct error *err);
	void *context;
};

struct http_header {
	const char *name;
	const char *value;
};

/* To which addresses a request may lead, whatever its host's name resolves to. */
enum http_reach {
	HTTP_ANYWHERE,
	HTTP_NOT_LINK_LOCAL, /* nor to where a cloud tells its machines their secrets */
	HTTP_NOT_LOCAL, /* nor to this machine */
};

/* All of it is borrowed until the answer is there. */
struct http_request {
	const char *method;
	const char *url;
	const struct http_header *headers;
	size_t header_count;
	struct http_body body;
	enum http_lane lane;
	bool repeatable; /* sending it twice does no harm */
	/* Whether a refusal is an answer that is of use to who asks, so that it isn't asked for
	 * again; NULL: none is. */
	bool (*settles)(const struct http_response *response);
	bool fresh; /* on a new connection: the old one may be the trouble */
	const struct http_sink *sink; /* NULL: the body is collected in the response */
	size_t body_limit; /* of a collected body of 2xx; more is ERROR_TOO_LARGE */
	int timeout_ms; /* in all, or in the lanes for bodies: without a byte. 0: the default */
	int stall_ms; /* without a byte, in every lane, where that is less. 0: no such limit */
	const char
		*extra_scope; /* what the token must be good for beside the usual; NULL: nothing */
	bool anonymous; /* goes without credentials and client certificate: it has left the
			   registry's origin */
	enum http_reach reach;
	int connect_ms; /* until it is connected, if less than the default; 0: that */
	/* Told on the engine's thread, once it is connected; may be NULL. */
	void (*connected)(void *context);
	void *connected_context;
};

/* How much is kept of the body that comes with a refusal. */
#define HTTP_ERROR_BODY_MAX ((size_t)16 << 10)

struct http_response {
	int status;
	struct http_headers headers;
	struct buf body; /* of a refusal, and of 2xx where there is no sink */
	bool begun; /* the sink has been given something */
	bool transient; /* after a failure: trying again may help */
	bool refused; /* after a failure: nobody listens there, or there is no such host */
	bool final; /* asking again would be in vain, or do harm: a password was refused */
	bool elsewhere; /* the answer is of another origin, to which a redirect led */
	bool unreached; /* after a failure: there was no connection */
};

#define HTTP_RESPONSE_INIT                                                                         \
	{                                                                                          \
		.headers = HTTP_HEADERS_INIT, .body = BUF_INIT(HTTP_ERROR_BODY_MAX)                \
	}

/* Releases all and makes it like new. Safe as a cleanup function. */
void http_response_clear(struct http_response *response);

struct http_layer {
	/* Blocks until the answer is complete. *response is empty before. */
	int (*perform)(struct http_layer *layer, const struct http_request *request,
		struct http_response *response, struct cancel *cancel, struct error *err);
	/* Frees this layer and those below it. */
	void (*free)(struct http_layer *layer);
};

#endif
