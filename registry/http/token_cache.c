#include "registry/http/token_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "secret.h"

#define ENTRIES_MAX 32

struct entry {
	struct entry *next;
	char *key;
	struct token token; /* no text: none is there */
	bool fetching;
	int users; /* who wait for it, and who fetches it: it stays */
	unsigned fetches; /* how many have ended */
	struct error error; /* of the last one */
};

struct token_cache {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct entry *entries; /* the newest first */
};

/* One who wants a token. */
struct wanting {
	struct token_cache *cache;
	const struct token_want *want;
	struct cancel *cancel;
	bool fired; /* by the lock of the cache */
};

struct token_cache *token_cache_new(void)
{
	struct token_cache *cache = calloc(1, sizeof(*cache));
	pthread_condattr_t attributes;

	if (!cache)
		return NULL;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_mutex_init(&cache->lock, NULL);
	pthread_cond_init(&cache->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	return cache;
}

static void entry_free(struct entry *entry)
{
	token_clear(&entry->token);
	free(entry->key);
	free(entry);
}

void token_cache_free(struct token_cache *cache)
{
	struct entry *entry;

	if (!cache)
		return;
	while ((entry = cache->entries)) {
		cache->entries = entry->next;
		entry_free(entry);
	}
	pthread_cond_destroy(&cache->changed);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

/* Drops the oldest that nobody needs where there are too many. */
static void drop_oldest(struct token_cache *cache)
{
	struct entry **oldest = NULL;
	int count = 0;

	for (struct entry **link = &cache->entries; *link; link = &(*link)->next) {
		count++;
		if (!(*link)->users)
			oldest = link;
	}
	if (count >= ENTRIES_MAX && oldest) {
		struct entry *entry = *oldest;

		*oldest = entry->next;
		entry_free(entry);
	}
}

static struct entry *find(const struct token_cache *cache, const char *key)
{
	struct entry *entry = cache->entries;

	while (entry && strcmp(entry->key, key) != 0)
		entry = entry->next;
	return entry;
}

static struct entry *find_or_add(struct token_cache *cache, const char *key)
{
	struct entry *entry = find(cache, key);

	if (entry)
		return entry;
	drop_oldest(cache);
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->key = strdup(key);
	if (!entry->key) {
		free(entry);
		return NULL;
	}
	entry->next = cache->entries;
	cache->entries = entry;
	return entry;
}

static bool is_good(const struct token_want *want, const struct token *token)
{
	return token->text && clock_ms() < token->renew_ms &&
	       !(want->refused && strcmp(token->text, want->refused) == 0);
}

static int copy_out(char **out, const struct token *token, struct error *err)
{
	*out = strdup(token->text);
	return *out ? 0 : error_set_memory(err);
}

static void wanting_fired(void *context)
{
	struct wanting *wanting = context;

	pthread_mutex_lock(&wanting->cache->lock);
	wanting->fired = true;
	pthread_cond_broadcast(&wanting->cache->changed);
	pthread_mutex_unlock(&wanting->cache->lock);
}

/* Until the fetch that is under way has ended. The lock is held. */
static int follow(struct wanting *wanting, const struct entry *entry, struct error *err)
{
	struct token_cache *cache = wanting->cache;
	unsigned fetches = entry->fetches;
	struct timespec until = {
		.tv_sec = wanting->want->deadline_ms / 1000,
		.tv_nsec = wanting->want->deadline_ms % 1000 * 1000000,
	};

	while (entry->fetches == fetches && !wanting->fired) {
		if (pthread_cond_timedwait(&cache->changed, &cache->lock, &until) == ETIMEDOUT)
			return error_set(err, ERROR_TIMEOUT, "no token in time");
	}
	if (wanting->fired)
		return error_set(err, ERROR_INTERRUPTED, "interrupted");
	return 0;
}

/* The lock is held, but not while it fetches. */
static void lead(struct wanting *wanting, struct entry *entry)
{
	struct token_cache *cache = wanting->cache;
	struct token token = {.text = NULL};
	struct error error = ERROR_INIT;

	entry->fetching = true;
	pthread_mutex_unlock(&cache->lock);
	wanting->want->fetch(wanting->want->context, &token, wanting->cancel, &error);
	pthread_mutex_lock(&cache->lock);
	entry->fetching = false;
	token_clear(&entry->token);
	entry->token = token;
	entry->error = error;
	entry->fetches++;
	pthread_cond_broadcast(&cache->changed);
}

/* The fetcher's own trouble, which isn't that of others. */
static bool is_private(const struct error *error)
{
	return error->kind == ERROR_INTERRUPTED || error->kind == ERROR_TIMEOUT;
}

/* A token that was fetched while this one waited is taken even if it lives for no time at all:
 * else two that want such a token would fetch for ever. */
static int get(
	struct wanting *wanting, struct entry *entry, char **out, bool *fresh, struct error *err)
{
	*fresh = false;
	while (!is_good(wanting->want, &entry->token)) {
		bool follows = entry->fetching;

		if (!follows)
			lead(wanting, entry);
		else if (follow(wanting, entry, err))
			return -1;
		*fresh = true;
		if (entry->token.text)
			break;
		if (error_is_set(&entry->error) && !(follows && is_private(&entry->error)))
			return error_copy(err, &entry->error);
	}
	return copy_out(out, &entry->token, err);
}

int token_cache_get(struct token_cache *cache, char **out, bool *fresh,
	const struct token_want *want, struct cancel *cancel, struct error *err)
{
	struct wanting wanting = {.cache = cache, .want = want, .cancel = cancel};
	struct cancel_watch watch = {.fired = wanting_fired, .context = &wanting};
	struct entry *entry;
	int failed;

	*out = NULL;
	if (cancel_watch(cancel, &watch))
		return error_set(err, ERROR_INTERRUPTED, "interrupted");
	pthread_mutex_lock(&cache->lock);
	entry = find_or_add(cache, want->key);
	if (entry) {
		entry->users++;
		failed = get(&wanting, entry, out, fresh, err);
		entry->users--;
	} else {
		failed = error_set_memory(err);
	}
	pthread_mutex_unlock(&cache->lock);
	cancel_unwatch(cancel, &watch);
	return failed;
}

void token_cache_drop(struct token_cache *cache, const char *key, const char *refused)
{
	struct entry *entry;

	pthread_mutex_lock(&cache->lock);
	entry = find(cache, key);
	if (entry && entry->token.text && strcmp(entry->token.text, refused) == 0)
		token_clear(&entry->token);
	pthread_mutex_unlock(&cache->lock);
}
