/*
 * copy.h - the bytes of one file into another, as cheaply as the disk allows.
 */
#ifndef INDEXFS_FS_WORK_COPY_H
#define INDEXFS_FS_WORK_COPY_H

#include <stdint.h>

#include "cancel.h"
#include "error.h"

/* Makes the empty file to hold the first keep bytes of from (all, if it has fewer): a reflink, else
 * copy_file_range, else read and write; holes are kept where the file system tells of them. Nobody
 * may write to either. ERROR_SYSTEM, ERROR_MEMORY, ERROR_INTERRUPTED. */
int file_copy(int to, int from, int64_t keep, struct cancel *cancel, struct error *err);

#endif
