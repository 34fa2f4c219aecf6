/*
 * known.h - which repository of a host has been seen to have a blob.
 *
 * A hint for mounting blobs across repositories, and never more: the registry decides whether who
 * asks may read the other repository. Bounded: each blob has one slot of a few thousand, in memory
 * and on disk, and a later one takes it over. Thread-safe.
 */
#ifndef INDEXFS_REMOTE_KNOWN_H
#define INDEXFS_REMOTE_KNOWN_H

#include "digest.h"
#include "error.h"

struct known;

/* dir: see store_hosts_new(). A folder that can't be used, or is another user's, is not used. */
int known_new(struct known **out, const char *dir, struct error *err);
void known_free(struct known *known);

void known_note(
	struct known *known, const char *host, const struct digest *digest, const char *repository);

/* A repository of the host, another than but, that may have the blob; the caller frees it. NULL
 * where none is known. */
char *known_find(
	struct known *known, const char *host, const struct digest *digest, const char *but);

/* It wasn't there. */
void known_forget(struct known *known, const char *host, const struct digest *digest);

#endif
