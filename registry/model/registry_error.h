/*
 * registry_error.h - what a registry says when it refuses (distribution-spec 1.1, "Error Codes").
 *
 *     { "errors": [ { "code": "DENIED", "message": "..." }, ... ] }
 *
 * A registry or a proxy before it may send any other body, or none; it is quoted just the same.
 */
#ifndef INDEXFS_REGISTRY_ERROR_H
#define INDEXFS_REGISTRY_ERROR_H

#include <stddef.h>

#include "error.h"

#define REGISTRY_ERROR_TEXT_MAX 1024

struct registry_error {
	char code[64]; /* of the first error, "" where there is none */
	/* "CODE: message; CODE: message", or the body as it is; one line, cut, without control
	 * characters; "" for an empty body. */
	char text[REGISTRY_ERROR_TEXT_MAX + 1];
};

/* Takes any body. Never fails: what can't be parsed is quoted. */
void registry_error_parse(struct registry_error *out, const char *body, size_t len);

/* The kind of error that an HTTP status of 300 or more means, together with what was said. */
enum error_kind registry_error_kind(int status, const struct registry_error *said);

#endif
