/*
 * base_config.h - what the image config of a folder's base says.
 */
#ifndef INDEXFS_FS_COMMIT_BASE_CONFIG_H
#define INDEXFS_FS_COMMIT_BASE_CONFIG_H

#include <stddef.h>

#include "cancel.h"
#include "digest.h"
#include "document.h"
#include "error.h"
#include "fs/tree/tree.h"
#include "platform.h"

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

/* Reads it through the cache, into an empty one. manifest NULL, a config of another type, one that
 * says nothing of an image, one that is damaged or not there (which is told): none. The errors of
 * the store. Takes no lock. */
int base_config_read(struct base_config *out, struct tree *tree, const struct document *manifest,
	struct cancel *cancel, struct error *err);
void base_config_clear(struct base_config *config);

/* The bytes of a config, through the cache, as a string to free. Up to 4 MiB: ERROR_TOO_LARGE. The
 * errors of the store. Takes no lock. */
int config_read(char **out, size_t *len, struct tree *tree, const struct descriptor *config,
	struct cancel *cancel, struct error *err);

/* What becomes of it that a config can't be read: 0 where no other try would mend that, which is
 * told; else -1, and why is the error. */
int config_judge(
	struct tree *tree, const struct descriptor *config, struct error *why, struct error *err);

#endif
