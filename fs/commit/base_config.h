/*
 * base_config.h - what the image config that a manifest names says.
 */
#ifndef INDEXFS_FS_COMMIT_BASE_CONFIG_H
#define INDEXFS_FS_COMMIT_BASE_CONFIG_H

#include <stddef.h>

#include "cancel.h"
#include "error.h"
#include "fs/commit/plan.h"

struct base_config {
	char *json; /* NULL: there is none */
	size_t len;
	struct platform platform; /* empty where it names none */
	struct digest *diff_ids; /* of the layers, where it has one for each */
	size_t count;
};

#define BASE_CONFIG_INIT                                                                           \
	{                                                                                          \
		.json = NULL, .platform = PLATFORM_INIT                                            \
	}

/* Reads it, into an empty one: what was written to .oci/config.json, else through the cache. No
 * manifest (NULL), a config of another type, one that says nothing of an image, one that is damaged
 * or not there (which is told): none. The errors of the store. Takes no lock. */
int base_config_read(struct base_config *out, const struct plan *plan,
	const struct document *manifest, struct cancel *cancel, struct error *err);
void base_config_clear(struct base_config *config);

/* The bytes of a config that is about to be published, as a string to free; false where it isn't.
 * plan may be NULL. */
bool config_read_planned(
	char **out, size_t *len, const struct plan *plan, const struct descriptor *config);

/* The bytes of a config, through the cache, as a string to free. Up to 4 MiB: ERROR_TOO_LARGE. The
 * errors of the store. Takes no lock. */
int config_read(char **out, size_t *len, struct tree *tree, const struct descriptor *config,
	struct cancel *cancel, struct error *err);

/* What becomes of it that a config can't be read: 0 where no other try would mend that, which is
 * told; else -1, and why is the error. */
int config_judge(
	struct tree *tree, const struct descriptor *config, struct error *why, struct error *err);

#endif
