/*
 * attempts.h - how often, and after what pause, something is tried again.
 */
#ifndef INDEXFS_HTTP_ATTEMPTS_H
#define INDEXFS_HTTP_ATTEMPTS_H

#include "log.h"
#include "registry/http/http.h"

struct attempts {
	int made;
	int limit;
	int64_t deadline_ms; /* no pause reaches beyond it; 0: none */
};

/* Whether an answer, or a failure (failed), is one that may be gone the next time: a connection
 * that broke or was refused, 408, 429, 5xx. */
bool attempt_is_transient(bool failed, const struct http_response *response);

/* Counts an attempt that has ended so. Returns 1 after the pause that is due (with jitter, and as
 * long as Retry-After asks), 0 where it is not to be tried again, -1 where cancel has fired. */
int attempts_pause(struct attempts *attempts, bool failed, const struct http_response *response,
	struct cancel *cancel, struct error *err);

/* How long an attempt may stand still of the limit for all: one that isn't the last leaves time for
 * the next. 0: for as long as there is. */
int attempts_stall_ms(const struct attempts *attempts, int limit_ms);

#endif
