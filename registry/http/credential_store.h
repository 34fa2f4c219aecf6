/*
 * credential_store.h - keeping credentials where podman and docker look for them, and forgetting.
 */
#ifndef INDEXFS_HTTP_CREDENTIAL_STORE_H
#define INDEXFS_HTTP_CREDENTIAL_STORE_H

#include "error.h"
#include "log.h"

/* Stores a credential of host in the file that authfile or REGISTRY_AUTH_FILE names, else in the
 * first of those looked at that is there (credential_file.h; but never ~/.dockercfg), else in a
 * new one at the first place; or with the helper that the file names for the host. *where says
 * which, for messages, and is the caller's to free. */
int credential_store(char **where, const char *authfile, const char *host, const char *username,
	const char *password, struct log *log, struct error *err);

/* Forgets the credential of host itself in the first place that has one. *where is NULL where none
 * has. */
int credential_erase(
	char **where, const char *authfile, const char *host, struct log *log, struct error *err);

#endif
