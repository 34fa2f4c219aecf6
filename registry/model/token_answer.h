/*
 * token_answer.h - what a token server answers (distribution, "Token Authentication
 * Specification" and "Oauth2 Token Authentication").
 *
 *     { "token": "...", "access_token": "...", "expires_in": 300, "issued_at":
 * "2009-11-10T23:00:00Z" }
 */
#ifndef INDEXFS_TOKEN_ANSWER_H
#define INDEXFS_TOKEN_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define TOKEN_ANSWER_MAX ((size_t)64 << 10)
#define TOKEN_LIFE_DEFAULT 60
#define TOKEN_LIFE_MAX ((int64_t)366 * 24 * 60 * 60)

struct token_answer {
	char *token; /* never NULL or "" once parsed; fit for a header */
	int64_t expires_in; /* seconds, from 0 to TOKEN_LIFE_MAX */
	int64_t issued_at; /* seconds since 1970; -1 where it isn't told */
};

/* ERROR_PROTOCOL for what isn't such an answer. What is wrong is told without quoting. */
int token_answer_parse(struct token_answer *out, const char *text, size_t len, struct error *err);

/* Wipes the token. */
void token_answer_clear(struct token_answer *answer);

#endif
