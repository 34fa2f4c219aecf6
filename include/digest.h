/*
 * digest.h - content digests (image-spec 1.1, descriptor.md "Digests").
 *
 * sha256 is what this program makes; sha512 is read and verified too. A digest of another
 * algorithm is kept and shown, but nothing can be verified by it.
 */
#ifndef INDEXFS_DIGEST_H
#define INDEXFS_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

#define DIGEST_TEXT_SIZE 160 /* with the NUL; longer digests of unknown algorithms are refused */
#define SHA256_HEX_LEN 64

struct digest {
	char text[DIGEST_TEXT_SIZE]; /* "sha256:..." ; "" is no digest */
};

#define DIGEST_NONE                                                                                \
	{                                                                                          \
		.text = ""                                                                         \
	}

/* Takes text by the grammar of the spec: algorithm ":" encoded, and for sha256 and sha512 exactly
 * 64 and 128 lowercase hex digits. False leaves *out alone. */
bool digest_parse(struct digest *out, const char *text);

bool digest_is_set(const struct digest *digest);
bool digest_equal(const struct digest *a, const struct digest *b);

/* Whether this program can verify content by it: sha256 or sha512. */
bool digest_verifiable(const struct digest *digest);

/* What stands after the colon, and how long the algorithm before it is. */
const char *digest_encoded(const struct digest *digest);
size_t digest_algorithm_len(const struct digest *digest);

/* A hash in progress, of the algorithm of like (sha256 where like is NULL).
 * NULL when out of memory or when the algorithm is unknown. */
struct hasher;
struct hasher *hasher_new(const struct digest *like);
void hasher_free(struct hasher *hasher);
/* Forgets what was hashed. */
void hasher_reset(struct hasher *hasher);
void hasher_update(struct hasher *hasher, const void *bytes, size_t len);
/* What has been hashed up to now; the hasher can go on afterwards. Unset (which equals no content's
 * digest) in the one case that libcrypto itself fails, out of memory. */
void hasher_digest(struct hasher *hasher, struct digest *out);

/* sha256 of len bytes; unset as above. */
void digest_of_bytes(struct digest *out, const void *bytes, size_t len);

/* Whether bytes are what want names. ERROR_CORRUPT, with both digests, if not. */
int digest_check(const struct digest *want, const void *bytes, size_t len, struct error *err);

#endif
