/*
 * staging.h - private files for what is being written, hashed while they are written.
 *
 * A staged file is open (it may be written) or sealed (its digest is known and its bytes never
 * change again). Hashing follows the writer on a thread of the pool while the writing is
 * sequential; else the sealed file is read again. A write to a sealed file goes to a copy.
 *
 * Files are named by a number, made O_EXCL with mode 0600 in a folder of mode 0700.
 * Thread-safe; a staged file is counted and goes with its last reference.
 */
#ifndef INDEXFS_FS_WORK_STAGING_H
#define INDEXFS_FS_WORK_STAGING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/statvfs.h>

#include "cancel.h"
#include "digest.h"
#include "error.h"
#include "pool.h"

struct staging;
struct staged;

/* Makes dir if missing. Files left there from before are kept and not touched. */
int staging_open(struct staging **out, const char *dir, struct pool *pool, struct error *err);
/* Every file must have been put back. */
void staging_close(struct staging *staging);

/* Files that are on disk are removed a while after their last reference has gone, as long as the
 * journal on disk may tell of them. take gives those that have gone up to now, remove removes
 * them; the caller does it once the journal that doesn't tell of them is on disk. */
struct staging_gone {
	uint64_t *ids;
	size_t count;
};
void staging_keep_gone(struct staging *staging, bool keep);
struct staging_gone staging_take_gone(struct staging *staging);
void staging_remove_gone(struct staging *staging, struct staging_gone *gone);

/* While it is held no file is removed, and none is given by take: the journal on disk tells of what
 * is not so any more, and could not be made anew. */
void staging_hold(struct staging *staging, bool hold);

/* Whether files stay when their last reference goes: a journal tells of them. */
void staging_keep_files(struct staging *staging, bool keep);

/* Removes the files that nobody has a reference to: what a crash has left. */
void staging_sweep(struct staging *staging);

/* The disk that files are staged on. */
int staging_statvfs(struct staging *staging, struct statvfs *out);

/* A new empty open file with one reference. */
int staged_new(struct staged **out, struct staging *staging, struct error *err);
/* The file with this number, as it was left, open. There is one object for each number: where
 * somebody has it already, a write has to make it writable first, as if it were sealed. Its number
 * isn't given to another file again, even where it is missing: ERROR_NOT_FOUND. */
int staged_reopen(struct staged **out, struct staging *staging, uint64_t id, struct error *err);
/* A reference to the file with this number, if somebody has one; else NULL. */
struct staged *staged_find(struct staging *staging, uint64_t id);
struct staged *staged_ref(struct staged *staged);
/* The file is removed with its last reference. */
void staged_put_back(struct staged *staged);

/* The number that names it. */
uint64_t staged_id(const struct staged *staged);

/* For reading by offset at any time, for writing only between begin and end. */
int staged_fd(const struct staged *staged);
int64_t staged_size(struct staged *staged);

/* Brackets a write at the descriptor (which may run beside other writes). Begin is false where the
 * file is sealed or several have opened it again: the caller then makes it writable and tries
 * again. End tells what was written (len 0 for nothing), also after a failure. */
bool staged_write_begin(struct staged *staged);
void staged_write_end(struct staged *staged, uint64_t offset, uint64_t len);

/* Cuts or extends an open file (sparse). ERROR_SYSTEM: ETXTBSY where it has been sealed meanwhile,
 * so that the caller makes it writable and tries again. */
int staged_truncate(struct staged *staged, int64_t size, struct error *err);

/* What is known of a file's bytes and the disk. */
enum staged_disk {
	STAGED_CACHED, /* a power cut may take some of it */
	STAGED_ON_DISK,
	STAGED_DOUBTFUL, /* the machine has gone down before it was on disk */
};
enum staged_disk staged_disk(struct staged *staged);
/* A write that begins makes it STAGED_CACHED by itself. */
void staged_set_disk(struct staged *staged, enum staged_disk disk);

/* Puts files on disk. Each is STAGED_ON_DISK then, unless somebody has written to it meanwhile, or
 * nobody but the caller has it any more. ERROR_SYSTEM; ERROR_INTERRUPTED, soon. */
int staging_sync(struct staging *staging, struct staged *const *files, size_t count,
	struct cancel *cancel, struct error *err);

/* Opens a sealed file, or one that several have opened, again where nobody else has it: the
 * caller's reference is the only one and no other name is linked to it (cache_adopt()). True where
 * the file can be written now. */
bool staged_unseal(struct staged *staged);

/* Makes *staged a file that can be written: itself where it is open; itself, unsealed, where it
 * is sealed (or was opened by several) and nobody else has a reference or a link to it
 * (cache_adopt); else a copy of its first keep bytes (by reflink where the disk has it), and the
 * reference to the old one is put back. On failure *staged is as it was. keep only spares copying:
 * a file that stays itself isn't cut. */
int staged_make_writable(struct staged **staged, int64_t keep, struct error *err);

/* A new open file with the first keep bytes of the file fd: reflink, copy_file_range or copying,
 * holes kept where the file system tells of them. */
int staged_from_fd(struct staged **out, struct staging *staging, int fd, int64_t keep,
	struct cancel *cancel, struct error *err);

/* A new open file with these bytes. */
int staged_from_bytes(struct staged **out, struct staging *staging, const void *bytes, size_t len,
	struct error *err);

/* Waits for writes under way, seals the file and gives its digest and size. Costs nothing where it
 * is sealed already. Blocks while it hashes. */
int staged_seal(struct staged *staged, struct digest *digest, int64_t *size, struct cancel *cancel,
	struct error *err);

/* The diff_id (diff_id.h) of a sealed file that is a layer of this type; the file is read once for
 * it. name is for messages. */
int staged_diff_id(struct staged *staged, struct digest *out, const char *name,
	const char *media_type, struct cancel *cancel, struct error *err);

#endif
