/*
 * option_value.h - the values of options, and names that are nearly right.
 */
#ifndef INDEXFS_FS_MOUNT_OPTION_VALUE_H
#define INDEXFS_FS_MOUNT_OPTION_VALUE_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

/* A whole number from least to most, in base 10 or 8. */
int option_number(int64_t *out, const char *name, const char *value, int base, int64_t least,
	int64_t most, struct error *err);

/* A size in bytes: digits and K, M, G or T. */
int option_size(int64_t *out, const char *name, const char *value, struct error *err);

/* An absolute path for a path relative to where the program was started. NULL with *err. */
char *option_path(const char *value, struct error *err);

/* How many letters have to be changed, added or left out to make one name of the other. */
size_t name_distance(const char *a, const char *b);

#endif
