/*
 * platform_known.h - operating systems and architectures by name, and by their other names.
 */
#ifndef INDEXFS_PLATFORM_KNOWN_H
#define INDEXFS_PLATFORM_KNOWN_H

/* All take a name in any case and return Go's spelling, or NULL where it isn't known. */
const char *os_known(const char *name);

/* *variant becomes the variant that the name says too ("armv7", "arm64v8"), or NULL. */
const char *architecture_known(const char **variant, const char *name);

#endif
