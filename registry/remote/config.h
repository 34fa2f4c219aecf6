/*
 * config.h - what this machine says of how registries are reached.
 *
 * A registries.conf: that of CONTAINERS_REGISTRIES_CONF alone, where it is set; else the first of
 *
 *     ${XDG_CONFIG_HOME}/containers/
 *     ~/.config/containers/
 *     /etc/containers/
 *
 * that has one, and after it, in alphabetical order, the *.conf of the first that has a
 * registries.conf.d. The certificates for a host: certs.d/HOST[:PORT] in the first that has it, and
 * last in /etc/docker/ (containers-registries.conf(5), containers-registries.conf.d(5),
 * containers-certs.d(5)).
 */
#ifndef INDEXFS_REMOTE_CONFIG_H
#define INDEXFS_REMOTE_CONFIG_H

#include <stdbool.h>

#include "buf.h"
#include "error.h"
#include "registry/model/registries_conf.h"

#define CONFIG_FOLDERS_MAX 4
#define CONFIG_SYSTEM "/etc"

struct config_places {
	char *file; /* a registries.conf, instead of all others; NULL: none */
	char *folders[CONFIG_FOLDERS_MAX];
	size_t count;
};

/* By the environment; system is the machine's own folder, CONFIG_SYSTEM. *out is to be cleared
 * whatever the result. */
int config_places_find(struct config_places *out, const char *system, struct error *err);
void config_places_clear(struct config_places *places);

/* All that the files say of registries; none is success. *out is to be cleared whatever the
 * result. ERROR_INVALID and the errors of the system name the file. */
int config_registries(
	struct registries_conf *out, const struct config_places *places, struct error *err);

/* Appends a file's text. ERROR_NOT_FOUND where there is none; ERROR_TOO_LARGE beyond the buffer's
 * limit. */
int config_file_read(struct buf *out, const char *path, struct error *err);

/* The folder of certificates for that host, which the caller frees; NULL where there is none. */
int config_certs_folder(
	char **out, const struct config_places *places, const char *host, struct error *err);

/* The names in a folder that end so, in alphabetical order, for config_list_free(). No folder is
 * success with none. */
int config_list(
	char ***out, size_t *count, const char *folder, const char *ending, struct error *err);
void config_list_free(char **names, size_t count);

#endif
