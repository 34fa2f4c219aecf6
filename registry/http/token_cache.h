/*
 * token_cache.h - tokens for as long as they are good, and each fetched once however many want it.
 */
#ifndef INDEXFS_HTTP_TOKEN_CACHE_H
#define INDEXFS_HTTP_TOKEN_CACHE_H

#include <stdbool.h>

#include "registry/http/token.h"

struct token_cache;

struct token_cache *token_cache_new(void);
/* Wipes the tokens. Nobody may be in it. */
void token_cache_free(struct token_cache *cache);

/* What is wanted, and how it is got where it isn't there. */
struct token_want {
	const char *key;
	const char *refused; /* one that is no good any more; NULL: none */
	int64_t deadline_ms; /* on the clock of clock_ms() */
	/* Called without a lock, by one of those that want it. */
	int (*fetch)(void *context, struct token *out, struct cancel *cancel, struct error *err);
	void *context;
};

/* A copy of the token under that key, the caller's to wipe and free; *fresh says that it has been
 * fetched for this call. One whose time is up isn't given out, nor the one that was refused. The
 * error of a fetch is told to all who waited for it, unless it is the fetcher's own time that was
 * up. */
int token_cache_get(struct token_cache *cache, char **out, bool *fresh,
	const struct token_want *want, struct cancel *cancel, struct error *err);

/* Forgets the token under that key, if it's this one: it was refused. */
void token_cache_drop(struct token_cache *cache, const char *key, const char *refused);

#endif
