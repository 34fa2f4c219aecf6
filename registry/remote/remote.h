/*
 * remote.h - a registry's repository as a store (distribution-spec 1.1).
 *
 * Plain HTTP is spoken where options->plain_http says so, and to a loopback host of which neither
 * an option (ca_file, cert, tls_verify off) nor a folder in certs.d tells anything about TLS. What
 * registries.conf says of the repository holds: see route.h.
 */
#ifndef INDEXFS_REMOTE_H
#define INDEXFS_REMOTE_H

#include "error.h"
#include "log.h"
#include "reference.h"
#include "store.h"

/* Opens the repository that a reference names; nothing is asked yet. Starts a thread: a program
 * that becomes a daemon opens its stores afterwards. The options' strings are copied; log is
 * borrowed until the store is closed, and may be NULL. ERROR_INVALID for a reference without a
 * repository, and for a file of certificates or of registries.conf that can't be used;
 * ERROR_DENIED for a repository that registries.conf blocks. */
int remote_open(struct store **out, const struct reference *reference,
	const struct store_options *options, struct log *log, struct error *err);

#endif
