/*
 * guard.h - where a URL that somebody else has chosen may lead.
 *
 * A registry names its token server, and sends elsewhere for blobs, and with them. It must not make
 * us ask what only this machine can reach:
 * its own ports, and the link-local addresses at which clouds give out credentials. Judged is the
 * address that is connected to, after the name is resolved, of a kept connection too. Where a proxy
 * is used, its address is judged instead, and the user has chosen that; then a host that is an
 * address is judged by its text.
 */
#ifndef INDEXFS_HTTP_GUARD_H
#define INDEXFS_HTTP_GUARD_H

#include <stdbool.h>
#include <sys/socket.h>

#include "registry/http/transfer.h"

/* Whether a request of that reach may go to the address. What is no IP address may not. */
bool guard_allows(enum http_reach reach, const struct sockaddr *address);

/* The same for a host in a URL that is an address, in brackets too; a name is allowed. */
bool guard_allows_host(enum http_reach reach, const char *host);

/* Sets the transfer's handle up so that it keeps to its request's reach, and tells when it's
 * connected. */
CURLcode guard_set(struct transfer *transfer);

#endif
