/*
 * scope.h - what a token is to be good for: "repository:team/app:pull,push", more after a space.
 *
 * distribution, "Token Scope Documentation": TYPE:NAME:ACTION,... where NAME may have colons.
 */
#ifndef INDEXFS_SCOPE_H
#define INDEXFS_SCOPE_H

#include "error.h"

#define SCOPE_TEXT_MAX ((size_t)4096)

/* What a and b name, together: each resource once, in the order in which they come, with its
 * actions sorted. Each may be NULL or "". The caller frees *out, which is "" where there is
 * nothing. ERROR_PROTOCOL where it would be too much, or has bytes that no scope has. */
int scope_merge(char **out, const char *a, const char *b, struct error *err);

#endif
