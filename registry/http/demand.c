#include "registry/http/demand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "registry/model/scope.h"

void demand_init(struct demand *demand, const char *repository)
{
	*demand = (struct demand){.repository = repository};
	pthread_mutex_init(&demand->lock, NULL);
}

static void clear(struct demand *demand)
{
	challenge_clear(&demand->challenge);
	for (size_t i = 0; i < sizeof(demand->learned) / sizeof(*demand->learned); i++) {
		free(demand->learned[i]);
		demand->learned[i] = NULL;
	}
}

void demand_destroy(struct demand *demand)
{
	clear(demand);
	pthread_mutex_destroy(&demand->lock);
}

void demand_forget(struct demand *demand)
{
	pthread_mutex_lock(&demand->lock);
	clear(demand);
	pthread_mutex_unlock(&demand->lock);
}

static bool is_change(const struct http_request *request)
{
	return strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0;
}

/* Adds to *scope, which is replaced. */
static int scope_add(char **scope, const char *more, struct error *err)
{
	char *merged;

	if (scope_merge(&merged, *scope, more, err))
		return -1;
	free(*scope);
	*scope = merged;
	return 0;
}

/* The lock is held. What a request with a scope of its own was told may be for that alone. */
static int remember(struct demand *demand, const struct challenge *told,
	const struct http_request *request, struct error *err)
{
	struct challenge kept;

	if (told->scope && !request->extra_scope &&
		scope_add(&demand->learned[is_change(request)], told->scope, err))
		return -1;
	if (challenge_equal(&demand->challenge, told))
		return 0;
	if (challenge_copy(&kept, told, err))
		return -1;
	free(kept.scope);
	kept.scope = NULL;
	challenge_clear(&demand->challenge);
	demand->challenge = kept;
	return 0;
}

int demand_learn(struct demand *demand, struct challenge *told, const struct http_request *request,
	const struct http_response *response, struct error *err)
{
	const char *value = NULL;
	int failed = 0;

	*told = (struct challenge)CHALLENGE_INIT;
	while (!failed &&
		(value = http_headers_next(&response->headers, "WWW-Authenticate", value)))
		failed = challenge_read(told, value, err);
	if (!failed && told->scheme != CHALLENGE_NONE) {
		pthread_mutex_lock(&demand->lock);
		failed = remember(demand, told, request, err);
		pthread_mutex_unlock(&demand->lock);
	}
	if (failed)
		challenge_clear(told);
	return failed;
}

/* The lock is held. Our own repository comes first: some token servers take the first only. */
static int collect_scope(const struct demand *demand, char **out,
	const struct http_request *request, const char *told, struct error *err)
{
	const char *actions = is_change(request) ? "pull,push" : "pull";
	const char *more[] = {demand->learned[is_change(request)], request->extra_scope, told};
	cleanup_free char *scope = NULL;

	if (demand->repository &&
		asprintf(&scope, "repository:%s:%s", demand->repository, actions) < 0) {
		scope = NULL;
		return error_set_memory(err);
	}
	for (size_t i = 0; i < sizeof(more) / sizeof(*more); i++) {
		if (scope_add(&scope, more[i], err))
			return -1;
	}
	*out = steal_ptr(scope);
	return 0;
}

int demand_for(struct demand *demand, struct challenge *out, const struct http_request *request,
	const char *told, struct error *err)
{
	int failed;

	pthread_mutex_lock(&demand->lock);
	failed = challenge_copy(out, &demand->challenge, err);
	if (!failed && out->scheme == CHALLENGE_BEARER &&
		collect_scope(demand, &out->scope, request, told, err)) {
		challenge_clear(out);
		failed = -1;
	}
	pthread_mutex_unlock(&demand->lock);
	return failed;
}
