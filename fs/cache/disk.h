/*
 * disk.h - the folder of the cache: whole blobs by digest, and nameless files.
 *
 * Names are made from validated digests alone. Only a regular file of ours with the right size is
 * taken for a blob. Thread-safe.
 */
#ifndef INDEXFS_FS_CACHE_DISK_H
#define INDEXFS_FS_CACHE_DISK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "digest.h"
#include "error.h"

enum { DISK_SHA256, DISK_SHA512, DISK_ALGORITHMS };

struct disk {
	int blobs[DISK_ALGORITHMS]; /* the folders of whole blobs */
	int tmp;
};

/* Tells whether a file that is opened again is the one that was verified. */
struct disk_identity {
	dev_t device;
	ino_t inode; /* 0: not set */
	off_t size;
	struct timespec changed;
};

int disk_open(struct disk *out, const char *dir, struct error *err);
void disk_close(struct disk *disk);

/* False unless fd is a regular file of exactly size bytes. */
bool disk_identify(struct disk_identity *out, int fd, uint64_t size);
bool disk_identity_equal(const struct disk_identity *a, const struct disk_identity *b);

/* Opens a whole blob for reading, which counts as its latest use; -1 where it isn't here. */
int disk_blob_open(const struct disk *disk, struct disk_identity *identity,
	const struct digest *digest, uint64_t size);
bool disk_blob_exists(const struct disk *disk, const struct digest *digest, uint64_t size);

/* Removes it, if it's still that file. */
void disk_blob_remove(
	const struct disk *disk, const struct digest *digest, const struct disk_identity *identity);

/* Gives the file, which holds the blob, its name. Whether the blob is there by its name now: false
 * where the file system can't link it. */
bool disk_blob_link(const struct disk *disk, const struct digest *digest, uint64_t size, int fd);

/* The same for a file that can't be linked. */
bool disk_blob_copy(const struct disk *disk, const struct digest *digest, uint64_t size, int fd);

/* A nameless file to be filled. */
int disk_file_new(const struct disk *disk, struct error *err);

#endif
