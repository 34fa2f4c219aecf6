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
	bool asked_again; /* after a refusal: the next one stands */
};

/* How an attempt has ended. */
enum attempt_end {
	ATTEMPT_STANDS, /* well, or as it would end again */
	ATTEMPT_BROKE, /* this may be gone the next time: a broken connection, 408, 429, 5xx */
	ATTEMPT_REFUSED, /* a definite no, which may have been one replica's, or a moment's */
};

/* failure is NULL where there is an answer. */
enum attempt_end attempt_judge(const struct error *failure, const struct http_response *response);

/* Counts an attempt that has ended so. Returns 1 after the pause that is due (with jitter, and as
 * long as Retry-After asks), 0 where it is not to be tried again, -1 where cancel has fired. A
 * refusal is asked for once more, and is no more than that of `limit`. */
int attempts_pause(struct attempts *attempts, enum attempt_end end,
	const struct http_response *response, struct cancel *cancel, struct error *err);

/* It gets on: what failed before doesn't count any more. */
void attempts_reset(struct attempts *attempts);

/* How long an attempt may stand still of the limit for all: one that isn't the last leaves time for
 * the next. 0: for as long as there is. */
int attempts_stall_ms(const struct attempts *attempts, int limit_ms);

#endif
