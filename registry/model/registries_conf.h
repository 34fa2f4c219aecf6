/*
 * registries_conf.h - which registries are reached otherwise than by their names
 * (containers-registries.conf(5), version 2 of the format).
 *
 *     [[registry]]
 *     prefix = "registry.example/team"       or "*.example": the repositories that are meant
 *     location = "mirror.local:5000/team"    in the place of the prefix; else the prefix
 *     insecure = true                        no certificate is checked; plain HTTP will do
 *     blocked = true
 *     mirror-by-digest-only = true
 *     [[registry.mirror]]                    asked before the location, in order
 *     location = "cache.local/team"
 *     insecure = true
 *     pull-from-mirror = "all"               or "digest-only", "tag-only"
 *
 * All else, and all of version 1, is passed over. A prefix with a tag or digest matches nothing.
 */
#ifndef INDEXFS_MODEL_REGISTRIES_CONF_H
#define INDEXFS_MODEL_REGISTRIES_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

#define REGISTRIES_CONF_SIZE_MAX ((size_t)1 << 20)

struct registries_mirror {
	char *location;
	bool insecure;
	bool not_tags, not_digests; /* what it isn't asked for */
};

struct registries_entry {
	char *prefix; /* never NULL once a file is read */
	char *location; /* NULL: as the reference says */
	char *file; /* in which it stands */
	bool insecure, blocked, mirrors_by_digest_only;
	struct registries_mirror *mirrors;
	size_t mirror_count;
};

struct registries_conf {
	struct registries_entry *entries;
	size_t count;
};

#define REGISTRIES_CONF_INIT                                                                       \
	{                                                                                          \
		.entries = NULL                                                                    \
	}

void registries_conf_clear(struct registries_conf *conf);

/* Adds what a file holds; what it says of a prefix replaces what was said of it before.
 * ERROR_INVALID, "FILE: line N: ...", and then conf is as it was. */
int registries_conf_read(struct registries_conf *conf, const char *file, const char *text,
	size_t len, struct error *err);

/* The entry with the longest prefix of HOST[:PORT]/REPOSITORY, or of HOST[:PORT]; NULL where there
 * is none. *matched is the length of what is replaced by a location. */
const struct registries_entry *registries_conf_find(
	const struct registries_conf *conf, const char *name, size_t *matched);

#endif
