/*
 * files.h - files below an open folder, by name, never through a symbolic link.
 *
 * A layout may come from anybody: what stands in it where a file or a folder belongs can be a
 * link, a pipe or a device. Those are ERROR_CORRUPT. Messages begin with the name.
 */
#ifndef INDEXFS_REGISTRY_LAYOUT_FILES_H
#define INDEXFS_REGISTRY_LAYOUT_FILES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "buf.h"
#include "error.h"

/* A regular file, open for reading, and its size. ERROR_NOT_FOUND. */
int layout_file_open(int dir, const char *name, int64_t *size, struct error *err);

/* The whole of a regular file. ERROR_NOT_FOUND, ERROR_TOO_LARGE where out's ceiling is lower. */
int layout_file_read(int dir, const char *name, struct buf *out, struct error *err);

/* Writes all of it, through short writes and signals. -1 with errno. */
int layout_file_write(int fd, const void *bytes, size_t len);

/* Reads len bytes at offset, fewer only at the end of the file. -1 with errno. */
ssize_t layout_file_read_at(int fd, void *bytes, size_t len, uint64_t offset);

/* A folder, open. ERROR_NOT_FOUND. */
int layout_dir_open(int dir, const char *name, struct error *err);

/* The same, made (durably) if missing. */
int layout_dir_open_make(int dir, const char *name, struct error *err);

/* Makes names in the folder durable. */
int layout_dir_sync(int dir, struct error *err);

/* A file that has no name, or only a hidden one, until it is complete. */
struct temp_file {
	int dir; /* borrowed */
	int fd; /* open for reading and writing */
	char name[32]; /* "" where it has none */
};

#define TEMP_FILE_PREFIX ".indexfs-"
#define TEMP_FILE_INIT                                                                             \
	{                                                                                          \
		.dir = -1, .fd = -1, .name = ""                                                    \
	}

int layout_temp_create(struct temp_file *temp, int dir, struct error *err);

/* Gives the file its name in place of whatever has it, at once; durable when this returns. */
int layout_temp_commit(struct temp_file *temp, const char *name, struct error *err);

/* Closes it; nothing of it is left unless it has been committed. */
void layout_temp_close(struct temp_file *temp);

#endif
