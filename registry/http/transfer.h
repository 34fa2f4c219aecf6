/*
 * transfer.h - one request in curl's terms: what is sent, and what is taken of the answer.
 *
 * All of it is called on the engine's thread.
 */
#ifndef INDEXFS_HTTP_TRANSFER_H
#define INDEXFS_HTTP_TRANSFER_H

#include <curl/curl.h>

#include "registry/http/engine.h"

struct transfer {
	CURL *easy;
	struct curl_slist *headers;
	const struct http_request *request;
	struct http_response *response;
	struct error *error;
	const atomic_bool *cancelled; /* nobody wants the rest of the answer */
	const struct http_options *options;
	char message[CURL_ERROR_SIZE];
	uint64_t sent; /* place in the body */
	size_t header_bytes; /* of all answers, interim ones too */
	bool connected; /* the request was about to be sent */
	bool answered; /* the headers of the last answer are complete */
	bool cut; /* enough was received of a refusal's body */
	int64_t moved, moved_ms; /* bytes both ways, and when that last changed */
};

/* Makes the handle, without starting it. share may be NULL. NULL with *err set. */
struct transfer *transfer_new(const struct http_request *request, struct http_response *response,
	const struct http_options *options, CURLSH *share, struct error *err);
void transfer_free(struct transfer *transfer);

/* A connection is there for it. */
void transfer_connected(struct transfer *transfer);

/* Curl is done with it: sets the error, if any. */
void transfer_finish(struct transfer *transfer, CURLcode code);

/* transfer_answer.c: curl's callbacks for the headers and the body. */
size_t transfer_on_header(char *line, size_t size, size_t count, void *context);
size_t transfer_on_body(char *bytes, size_t size, size_t count, void *context);

/* transfer_send.c: curl's callbacks for what is sent and how it goes. */
size_t transfer_on_read(char *out, size_t size, size_t count, void *context);
int transfer_on_seek(void *context, curl_off_t offset, int origin);
int transfer_on_progress(
	void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up);

#endif
