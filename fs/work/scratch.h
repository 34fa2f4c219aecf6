/*
 * scratch.h - names that programs leave while they work: kept locally, never published, until they
 * are renamed to an ordinary name.
 */
#ifndef INDEXFS_FS_WORK_SCRATCH_H
#define INDEXFS_FS_WORK_SCRATCH_H

#include <stdbool.h>

/* Whether a single path component is such a name. */
bool scratch_name(const char *name);

#endif
