/*
 * credentials.h - who the user is at a registry, from where docker and podman keep it.
 */
#ifndef INDEXFS_HTTP_CREDENTIALS_H
#define INDEXFS_HTTP_CREDENTIALS_H

#include "cancel.h"
#include "error.h"
#include "log.h"

/* All NULL: anonymous. With an identity token, the username may be NULL. */
struct credential {
	char *username, *password;
	char *identity_token; /* a refresh token for the registry's token server (OAuth2) */
	char *registry_token; /* one for the registry itself, in place of all others */
};

#define CREDENTIAL_INIT                                                                            \
	{                                                                                          \
		.username = NULL, .password = NULL, .identity_token = NULL, .registry_token = NULL \
	}

/* Wipes the strings and frees them; the credential is empty after. */
void credential_clear(struct credential *credential);

/* Where credentials are looked for. Thread-safe. */
struct credentials;

struct credential_options {
	const char *authfile; /* NULL: where podman and docker look */
	const char *username, *password; /* NULL: from the files; else these for every registry */
};

/* The options are copied; log is borrowed and may be NULL. */
int credentials_open(struct credentials **out, const struct credential_options *options,
	struct log *log, struct error *err);
void credentials_free(struct credentials *credentials);

/* The credential for a repository of a registry ("ghcr.io", "me/app"; NULL: the registry itself).
 * *out must be empty; the caller clears it. Not found is success with an empty one. May run a
 * helper program, for a bounded time. */
int credentials_find(struct credentials *credentials, struct credential *out, const char *host,
	const char *repository, struct cancel *cancel, struct error *err);

#endif
