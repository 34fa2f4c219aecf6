/*
 * realm.h - the token server that a registry names, as far as it may be asked.
 *
 * It is as secret as the registry: https, and http only for a registry that is spoken to so. It
 * has no user in its URL, and is within reach (reach.h).
 */
#ifndef INDEXFS_HTTP_REALM_H
#define INDEXFS_HTTP_REALM_H

#include "registry/http/http.h"

/* Judges the text of a realm. *out is its URL, which the caller frees, and *reach what is left to
 * be judged when it is connected to. ERROR_DENIED says why it can't be used. */
int realm_resolve(char **out, enum http_reach *reach, const char *registry, const char *realm,
	struct error *err);

#endif
