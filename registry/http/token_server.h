/*
 * token_server.h - the two ways of asking a token server.
 */
#ifndef INDEXFS_HTTP_TOKEN_SERVER_H
#define INDEXFS_HTTP_TOKEN_SERVER_H

#include "registry/http/token.h"

/* A token server that is being asked. */
struct token_server {
	const struct token_request *request;
	struct http_layer *below;
	struct cancel *cancel;
	char *url;
	enum http_reach reach;
	const char *host;
	int host_len;
};

/* Both give an answer of any status; faults that may pass are tried again before. */
int token_server_get(
	const struct token_server *server, struct http_response *response, struct error *err);
int token_server_post(
	const struct token_server *server, struct http_response *response, struct error *err);

/* Clears an answer that may hold a token, and wipes it. */
void token_response_clear(struct http_response *response);

#endif
