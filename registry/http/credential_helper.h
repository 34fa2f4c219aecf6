/*
 * credential_helper.h - docker-credential-NAME programs, which keep credentials for docker.
 *
 * Each call runs the program and takes at most 10 seconds. What it says on its standard error goes
 * to the log, without the secret. ERROR_NOT_FOUND: there is no such program; ERROR_DENIED: it
 * failed; ERROR_INVALID: a name that can't be a program's.
 */
#ifndef INDEXFS_HTTP_CREDENTIAL_HELPER_H
#define INDEXFS_HTTP_CREDENTIAL_HELPER_H

#include "registry/http/credentials.h"

/* The credential that the helper keeps under server. *out must be empty; it stays so where the
 * helper keeps none. */
int credential_helper_get(struct credential *out, const char *name, const char *server,
	struct log *log, struct cancel *cancel, struct error *err);

int credential_helper_store(const char *name, const char *server, const char *username,
	const char *secret, struct log *log, struct error *err);

/* Success too where it keeps none. */
int credential_helper_erase(
	const char *name, const char *server, struct log *log, struct error *err);

#endif
