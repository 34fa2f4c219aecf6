/*
 * demand.h - what a registry has asked for up to now: how to say who we are, and for which scopes.
 *
 * A read asks for pull only, so that who may only read can; a change for push too. What a challenge
 * names beyond that is remembered, apart for reads and changes, and asked for from the beginning
 * the next time. Thread-safe.
 */
#ifndef INDEXFS_HTTP_DEMAND_H
#define INDEXFS_HTTP_DEMAND_H

#include <pthread.h>
#include <stdbool.h>

#include "registry/http/http.h"
#include "registry/model/challenge.h"

struct demand {
	pthread_mutex_t lock;
	const char *repository; /* borrowed; NULL: none */
	struct challenge challenge; /* without its scope */
	char *learned[2]; /* by whether it's for a change; NULL: nothing */
};

void demand_init(struct demand *demand, const char *repository);
void demand_destroy(struct demand *demand);

/* Takes the challenges of a 401. *told is the best of them, which the caller clears; its scheme is
 * CHALLENGE_NONE where none is known here. ERROR_PROTOCOL where the scope is no scope. */
int demand_learn(struct demand *demand, struct challenge *told, const struct http_request *request,
	const struct http_response *response, struct error *err);

/* What is to be shown with a request: *out, which the caller clears, with all the scopes that it
 * needs. `told` (may be NULL) is a scope that is needed besides. */
int demand_for(struct demand *demand, struct challenge *out, const struct http_request *request,
	const char *told, struct error *err);

/* Nothing is known any more: the next 401 tells. */
void demand_forget(struct demand *demand);

#endif
