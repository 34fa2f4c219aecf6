/*
 * connection.h - how a registry's API is reached, and as whom.
 */
#ifndef INDEXFS_REMOTE_CONNECTION_H
#define INDEXFS_REMOTE_CONNECTION_H

#include "registry/http/client.h"
#include "registry/http/credentials.h"
#include "store.h"

struct connection {
	char *origin; /* SCHEME://HOST[:PORT] of the API */
	struct credentials *credentials;
	struct http_client *http;
};

/* host as the user knows it, by which it may have certificates in certs.d; repository is NULL for
 * the registry itself. Asks nothing yet. *out is to be closed whatever the result. */
int connection_open(struct connection *out, const char *host, const char *repository,
	const struct store_options *options, struct log *log, struct error *err);

/* Nothing may be under way. */
void connection_close(struct connection *connection);

#endif
