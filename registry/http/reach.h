/*
 * reach.h - how far a registry may send us: to its token server, by a redirect, or to where an
 * upload goes.
 *
 * Not to a link-local address nor to one at which a cloud tells its machines their secrets, and to
 * this machine only if the registry is here.
 */
#ifndef INDEXFS_HTTP_REACH_H
#define INDEXFS_HTTP_REACH_H

#include "registry/http/http.h"

/* *reach is what is left to be judged when the URL is connected to. Returns NULL, or why it can't
 * be used, as words behind the name of its host. */
const char *reach_judge(enum http_reach *reach, const char *registry, const char *url);

#endif
