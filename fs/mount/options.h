/*
 * options.h - what "-o" can say.
 */
#ifndef INDEXFS_FS_MOUNT_OPTIONS_H
#define INDEXFS_FS_MOUNT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "error.h"
#include "fs/cache/cache.h"
#include "fs/tree/tree.h"
#include "store.h"

struct mount_options {
	struct store_options store;
	struct tree_options tree;
	char *cache_dir;
	int64_t cache_size; /* bytes */
	char *state_dir;
	enum cache_verify verify;
	/* for libfuse: NAME or NAME=VALUE each */
	char **fuse;
	size_t fuse_count;
	/* the memory of strings above */
	char **strings;
	size_t string_count;
};

/* The defaults, with what the environment says. */
int mount_options_init(struct mount_options *options, struct error *err);
void mount_options_clear(struct mount_options *options);

/* Takes one "-o" argument: options with commas between; "\," is a comma in a value. ERROR_INVALID
 * for an unknown option names the nearest known one. */
int mount_options_parse(struct mount_options *options, const char *text, struct error *err);

/* The options' names, a line for each, with "=" after those that take a value. */
void mount_options_print(FILE *to);

#endif
