/*
 * link_header.h - the Link header of a list that comes in pages (RFC 8288, section 3).
 *
 *     Link: </v2/app/tags/list?n=100&last=b>; rel="next"
 */
#ifndef INDEXFS_MODEL_LINK_HEADER_H
#define INDEXFS_MODEL_LINK_HEADER_H

#include <stdbool.h>
#include <stddef.h>

/* The target of the first link of a header's value that is of the relation "next", as a span of the
 * value. False where there is none. */
bool link_header_next(const char **target, size_t *len, const char *value);

#endif
