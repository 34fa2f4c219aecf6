/*
 * circuit.h - answers at once for a host that can't be reached.
 *
 * Once CIRCUIT_FAILURES tries in a row have ended without a connection (no route, no such host, no
 * answer in time), requests to the host fail without a try, with the last one's error, for as long
 * as that took, and CIRCUIT_PAUSE_MAX_MS at most. Then one request is let through, with
 * CIRCUIT_CONNECT_MS to connect, and the others wait for what becomes of it.
 *
 * A try that fails within CIRCUIT_CHEAP_MS, as where nobody listens, needn't be spared. A server
 * that is reached and then fails, or stalls, is none of this layer's business.
 */
#ifndef INDEXFS_HTTP_CIRCUIT_H
#define INDEXFS_HTTP_CIRCUIT_H

#include "registry/http/http.h"

#define CIRCUIT_FAILURES 2
#define CIRCUIT_CHEAP_MS 500
#define CIRCUIT_PAUSE_MAX_MS 5000
#define CIRCUIT_CONNECT_MS 3000

/* Takes below, also when it fails. */
int circuit_layer_new(struct http_layer **out, struct http_layer *below, struct error *err);

#endif
