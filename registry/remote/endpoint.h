/*
 * endpoint.h - one place where a repository is: its own, or a mirror.
 *
 * An insecure one is spoken to by HTTPS if it can, without looking at its certificate, else by
 * plain HTTP; which of them is found when it's first needed.
 */
#ifndef INDEXFS_REMOTE_ENDPOINT_H
#define INDEXFS_REMOTE_ENDPOINT_H

#include <stdatomic.h>

#include "log.h"
#include "reference.h"
#include "store.h"

struct endpoint {
	char *name; /* HOST[:PORT]/REPOSITORY */
	struct store
		*stores[2]; /* by HTTPS, by plain HTTP; where it isn't insecure: the only one */
	atomic_int chosen; /* which of them; -1: not known yet */
	atomic_llong rests_until_ms; /* it couldn't be reached just now */
	bool not_tags, not_digests; /* what it isn't asked for */
};

/* name is HOST[:PORT]/REPOSITORY. *out is to be closed whatever the result. ERROR_INVALID where
 * the name can't be a repository's. */
int endpoint_open(struct endpoint *out, const char *name, bool insecure,
	const struct store_options *options, struct log *log, struct error *err);
void endpoint_close(struct endpoint *endpoint);

/* Its store, which it keeps. May ask it how it wants to be spoken to: NULL with the reason where it
 * doesn't answer. */
struct store *endpoint_store(struct endpoint *endpoint, struct cancel *cancel, struct error *err);

/* Leaves it alone for a while, if the failure is one of the network. */
void endpoint_note_failure(struct endpoint *endpoint, const struct error *error);
bool endpoint_rests(struct endpoint *endpoint);

#endif
