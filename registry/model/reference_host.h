/*
 * reference_host.h - the host of a reference: HOST[:PORT], by docker's rules.
 */
#ifndef INDEXFS_REFERENCE_HOST_H
#define INDEXFS_REFERENCE_HOST_H

#include <stdbool.h>
#include <stddef.h>

/* Whether a text without a slash begins with a host: it has a "." before any ":" or "@", or is
 * localhost, or stands in brackets. */
bool host_stands_alone(const char *text);

/* Whether the first len bytes of text, with a slash after them, are a host and not a part of a
 * repository: the same, or they have a ":". */
bool host_before_slash(const char *text, size_t len);

/* What is wrong with HOST[:PORT], or NULL. */
const char *host_wrong(const char *host);

#endif
