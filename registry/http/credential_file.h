/*
 * credential_file.h - the files that can have credentials in them, in order, on disk.
 *
 *     -o authfile=
 *     REGISTRY_AUTH_FILE                               either ends the search
 *     ${XDG_RUNTIME_DIR}/containers/auth.json
 *     ${XDG_CONFIG_HOME:-~/.config}/containers/auth.json
 *     ${DOCKER_CONFIG:-~/.docker}/config.json
 *     ~/.dockercfg
 *
 * (containers-auth.json(5), podman-login(1)). Messages begin with the file's path and quote
 * nothing that is in it.
 */
#ifndef INDEXFS_HTTP_CREDENTIAL_FILE_H
#define INDEXFS_HTTP_CREDENTIAL_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "buf.h"
#include "error.h"
#include "registry/model/auth_file.h"

#define CREDENTIAL_PLACES_MAX 4

struct credential_place {
	char *path; /* absolute */
	enum auth_file_form form;
};

struct credential_places {
	struct credential_place items[CREDENTIAL_PLACES_MAX];
	size_t count;
};

/* Where to look, by authfile (NULL: none) and the environment. */
int credential_places_find(struct credential_places *out, const char *authfile, struct error *err);
void credential_places_clear(struct credential_places *places);

/* The whole of a file into *out, which must be empty and is wiped by secret_buf_free(). mode is
 * 0 where there is no such file, which is success. ERROR_TOO_LARGE over AUTH_FILE_SIZE_MAX. */
int credential_file_read(struct buf *out, mode_t *mode, const char *path, struct error *err);

/* Puts text in the place of the file (of what it links to), at once and durably, for its owner's
 * eyes only; makes missing folders. */
int credential_file_write(const char *path, const struct buf *text, struct error *err);

/* Keeps others of this program, who lock too, from changing the file. The folder, open and
 * locked, which closing unlocks. */
int credential_file_lock(const char *path, struct error *err);

#endif
