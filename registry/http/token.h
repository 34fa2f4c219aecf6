/*
 * token.h - asks a token server for a token (distribution, "Token Authentication Specification").
 *
 *     GET REALM?service=S&scope=A&scope=B[&account=USER]    with Basic credentials or anonymously
 *     POST REALM    grant_type=refresh_token...             with an identity token (OAuth2)
 *
 * A token server that has no POST is asked by GET. No redirect is followed.
 */
#ifndef INDEXFS_HTTP_TOKEN_H
#define INDEXFS_HTTP_TOKEN_H

#include "log.h"
#include "registry/http/credentials.h"
#include "registry/http/http.h"

struct token {
	char *text; /* a secret */
	int64_t renew_ms; /* until when to use it, on the clock of clock_ms(): a bit before it ends
			   */
};

/* Wipes it. */
void token_clear(struct token *token);

struct token_request {
	const char *registry; /* SCHEME://HOST[:PORT] */
	const char *realm; /* as the registry names it; judged by realm_resolve() */
	const char *service; /* NULL: none was named */
	const char *scope; /* one or more, with spaces between; "" for none */
	const struct credential *credential;
	int64_t deadline_ms; /* on the clock of clock_ms() */
	int retries;
};

/* The token for that, or for less of it: what is granted is the token server's to decide.
 * ERROR_DENIED where it refuses or can't be asked; ERROR_PROTOCOL for an answer that is none. */
int token_fetch(struct token *out, struct http_layer *below, const struct token_request *request,
	struct log *log, struct cancel *cancel, struct error *err);

#endif
