/*
 * base64.h - RFC 4648 section 4, with padding and without line breaks.
 */
#ifndef INDEXFS_MODEL_BASE64_H
#define INDEXFS_MODEL_BASE64_H

#include <stddef.h>

#include "error.h"

/* The caller's to free, with a NUL that doesn't count after it. ERROR_MEMORY. */
int base64_encode(char **out, const void *bytes, size_t len, struct error *err);

/* The same backwards. ERROR_INVALID, which doesn't quote the text: it may be a secret. Padding may
 * be missing. */
int base64_decode(char **out, size_t *out_len, const char *text, struct error *err);

#endif
