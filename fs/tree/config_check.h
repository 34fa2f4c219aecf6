/*
 * config_check.h - whether a text can be the config of a manifest.
 */
#ifndef INDEXFS_FS_TREE_CONFIG_CHECK_H
#define INDEXFS_FS_TREE_CONFIG_CHECK_H

#include <stddef.h>

#include "document.h"
#include "error.h"

/* By the mediaType that the manifest says: JSON has to be JSON, the empty config is {}, an image
 * config (config.md) says its platform and has a diff_id for each layer. text is NUL-terminated.
 * ERROR_INVALID. */
int config_check(const struct document *manifest, const char *text, size_t len, struct error *err);

#endif
