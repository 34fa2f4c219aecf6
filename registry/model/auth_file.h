/*
 * auth_file.h - the file in which docker and podman keep who a user is at registries.
 *
 *     { "auths": { "ghcr.io/me": { "auth": base64("USER:PASSWORD"), "identitytoken": "...",
 *                              "registrytoken": "..." } },
 *       "credHelpers": { "HOST": "NAME" }, "credsStore": "NAME" }
 *
 * (containers-auth.json(5), docker's config.json); in the old form, ~/.dockercfg, what is in
 * "auths" is the whole file. Keys are HOST[:PORT][/NAMESPACE...]; docker's may have a scheme, and
 * then only their host counts, and "v1/" or "v2/" after it. Docker Hub has several names. Nothing
 * of an entry but its key is ever quoted in an error.
 */
#ifndef INDEXFS_MODEL_AUTH_FILE_H
#define INDEXFS_MODEL_AUTH_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "error.h"

#define AUTH_FILE_SIZE_MAX ((size_t)4 << 20)

enum auth_file_form { AUTH_FILE_AUTHS, AUTH_FILE_FLAT };

/* What a file says about a repository. */
struct auth_entry {
	char *username, *password, *identity_token, *registry_token; /* NULL where absent */
	/* The program that keeps the credential, and the name that it knows the registry by; NULL
	 * where the entry itself has the credential, or nothing is known. */
	char *helper, *server;
	bool helper_is_default; /* of credsStore: it wasn't named for this registry */
};

#define AUTH_ENTRY_INIT                                                                            \
	{                                                                                          \
		.username = NULL                                                                   \
	}

/* Wipes and frees; safe as a cleanup function. */
void auth_entry_clear(struct auth_entry *entry);

/* Looks for repository (NULL: the registry itself) of host. The helper that is named for the host
 * comes first, then the entry whose key is the longest path, then, where that is missing or empty,
 * the default helper. Finding nothing is success with an empty entry. A NUL must follow the text;
 * white space alone is a file without entries. ERROR_INVALID says where the text is wrong. */
int auth_file_find(struct auth_entry *out, const char *text, size_t len, enum auth_file_form form,
	const char *host, const char *repository, struct error *err);

/* The helper that keeps the credential of host, whether or not the entry has one too: only helper,
 * server and helper_is_default of *out are set. */
int auth_file_helper(
	struct auth_entry *out, const char *text, size_t len, const char *host, struct error *err);

/* Appends the text with the entry of host itself changed to hold this credential, or added; with
 * username NULL, to hold none, where it's there. Every other byte stays. ERROR_INVALID where the
 * text or a string can't be used. */
int auth_file_set(struct buf *out, const char *text, size_t len, const char *host,
	const char *username, const char *password, struct error *err);

/* Appends the text without the entries of host itself (those of namespaces stay). */
int auth_file_remove(
	struct buf *out, const char *text, size_t len, const char *host, struct error *err);

/* Whether the file has an entry, empty or not, of host itself. */
int auth_file_has(bool *out, const char *text, size_t len, enum auth_file_form form,
	const char *host, struct error *err);

/* HOST[:PORT] of what a user calls a registry: without scheme and "/v1/", Docker Hub's names as
 * "docker.io"; the caller frees it. ERROR_INVALID where it's none, or a repository. */
int auth_host(char **out, const char *name, struct error *err);

#endif
