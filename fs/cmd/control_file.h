/*
 * control_file.h - .oci of a mount, seen from outside.
 */
#ifndef INDEXFS_FS_CMD_CONTROL_FILE_H
#define INDEXFS_FS_CMD_CONTROL_FILE_H

#include "error.h"
#include "json_value.h"

/* Opens .oci/FILE of a mount to read; -1 with *err. */
int control_file_open(const char *mountpoint, const char *file, struct error *err);

/* Its text, the caller's to free; NULL with *err. */
char *control_file_read(const char *mountpoint, const char *file, struct error *err);

/* .oci/status, read and taken apart; NULL with *err. */
struct json_value *control_status(const char *mountpoint, struct error *err);

#endif
