/*
 * unique_name.h - names for what wants the same name.
 */
#ifndef INDEXFS_MODEL_UNIQUE_NAME_H
#define INDEXFS_MODEL_UNIQUE_NAME_H

#include "digest.h"
#include "registry/model/path_set.h"

#define SHORT_DIGEST_LEN 12
#define NAME_STEM_MAX 200 /* bytes of a component before "~" and what follows it */

/* The length of the longest beginning of text that has at most max bytes and cuts no character. */
size_t name_cut(const char *text, size_t len, size_t max);

/* The first 12 characters of what stands after the digest's colon. */
void short_digest(char out[static SHORT_DIGEST_LEN + 1], const struct digest *digest);

/* Claims WISH, or where that is taken (or plain is false) WISH~<12 hex>, WISH~<12 hex>~2 and so
 * on, and gives it in *out, which the caller frees after the set. No file may stand where wish
 * needs a folder. */
int unique_name_claim(char **out, struct path_set *set, const char *wish,
	const struct digest *digest, bool plain, struct error *err);

#endif
