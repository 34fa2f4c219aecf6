/*
 * auth_key.h - the keys of a credentials file: which registry and namespace each stands for.
 */
#ifndef INDEXFS_MODEL_AUTH_KEY_H
#define INDEXFS_MODEL_AUTH_KEY_H

#include <stddef.h>

#include "registry/model/json.h"

/* Docker's own name for Docker Hub, and what it asks helpers for. */
#define AUTH_KEY_HUB "https://index.docker.io/v1/"

struct auth_key {
	const char *host; /* borrowed; not ended by a NUL */
	size_t host_len;
	const char *path; /* the namespace */
	size_t path_len; /* 0: the registry itself */
};

/* Takes any text apart. */
struct auth_key auth_key_parse(const char *text);

/* How the key of a new entry for this host is written. */
const char *auth_key_text(const char *host);

/* The member whose key stands for the longest path of repository (NULL: only host itself). Among
 * equals, the one that is host to the letter, else the first. NULL where none does. */
const struct json_member *auth_key_find(
	const struct json_object *object, const char *host, const char *repository);

#endif
