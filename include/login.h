/*
 * login.h - who the user is at a registry, kept where podman and docker look for it.
 */
#ifndef INDEXFS_LOGIN_H
#define INDEXFS_LOGIN_H

#include <stdbool.h>

#include "error.h"
#include "log.h"
#include "store.h"

/* Asks the registry whether it takes options->username and options->password, and only then keeps
 * them, in options->authfile or where podman and docker would find them. *host is what the registry
 * is called (HOST[:PORT], "docker.io"), *where the file or helper that keeps them; the caller frees
 * both, also after a failure. ERROR_DENIED with the registry's words; the errors of the network. */
int registry_login(char **host, char **where, const struct store_options *options,
	const char *registry, struct log *log, struct error *err);

/* Forgets what is kept first in that order. *where is NULL where nothing is, and *more whether
 * something is kept elsewhere still. */
int registry_logout(char **host, char **where, bool *more, const struct store_options *options,
	const char *registry, struct log *log, struct error *err);

#endif
