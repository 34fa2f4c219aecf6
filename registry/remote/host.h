/*
 * host.h - what is learned of a host while the program runs: found by trying, never by its name.
 */
#ifndef INDEXFS_REMOTE_HOST_H
#define INDEXFS_REMOTE_HOST_H

#include <stdatomic.h>
#include <stdbool.h>

#include "registry/remote/known.h"
#include "store.h"

enum host_trait { HOST_UNKNOWN, HOST_YES, HOST_NO };

struct host {
	struct host *next;
	atomic_int chunks; /* takes a blob in chunks */
	atomic_int last_in_put; /* takes the last chunk with the PUT that closes the session */
	atomic_int referrers; /* has the Referrers API */
	atomic_int conditions; /* HOST_NO: it has refused a change whose condition held */
	atomic_ullong body_max; /* of an upload: a longer one is refused */
	atomic_int ranges; /* HOST_NO: it has given another range than it was asked for */
	char name[];
};

/* The host of that name, as long as hosts is there. NULL with *err set. */
struct host *hosts_get(struct store_hosts *hosts, const char *name, struct error *err);

struct known *hosts_known(struct store_hosts *hosts);

/* Whether nobody has been told of this warning; from now on somebody has. Only so many are
 * remembered: what comes after them isn't new. */
bool hosts_warning_is_new(struct store_hosts *hosts, const struct host *host, const char *text);

static inline enum host_trait host_trait_get(atomic_int *trait)
{
	return (enum host_trait)atomic_load(trait);
}

static inline void host_trait_set(atomic_int *trait, enum host_trait value)
{
	atomic_store(trait, (int)value);
}

#endif
