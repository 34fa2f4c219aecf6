/*
 * challenge.h - what a 401 asks for (RFC 9110, section 11.6.1; RFC 6750, section 3).
 *
 *     WWW-Authenticate: Bearer realm="https://auth.example/token",service="s",scope="..."
 *     WWW-Authenticate: Basic realm="test"
 */
#ifndef INDEXFS_CHALLENGE_H
#define INDEXFS_CHALLENGE_H

#include <stdbool.h>

#include "error.h"

enum challenge_scheme { CHALLENGE_NONE, CHALLENGE_BASIC, CHALLENGE_BEARER };

/* What isn't there is NULL. */
struct challenge {
	enum challenge_scheme scheme;
	char *realm, *service, *scope;
	bool insufficient; /* what was shown is good, and not for this (error="insufficient_scope")
			    */
};

#define CHALLENGE_INIT                                                                             \
	{                                                                                          \
		.scheme = CHALLENGE_NONE, .realm = NULL, .service = NULL, .scope = NULL,           \
		.insufficient = false                                                              \
	}

void challenge_clear(struct challenge *challenge);
/* What it asks for; not what it says of what was shown. */
int challenge_copy(struct challenge *out, const struct challenge *from, struct error *err);

/* Whether both ask for the same thing, whatever their scopes. */
bool challenge_equal(const struct challenge *a, const struct challenge *b);

/* Takes the value of one WWW-Authenticate, in which several challenges may stand. *challenge keeps
 * the best of these and of what it was: a Bearer with a realm, then Basic; of equals, the first.
 * What can't be read is passed over; the only error is ERROR_MEMORY. */
int challenge_read(struct challenge *challenge, const char *value, struct error *err);

#endif
