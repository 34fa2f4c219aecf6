/*
 * saved.h - documents that the journal stands on, kept as files by their digest.
 *
 * They are what the registry had when a change began: what a merge and a mount without the network
 * need. Thread-safe.
 */
#ifndef INDEXFS_FS_WORK_SAVED_H
#define INDEXFS_FS_WORK_SAVED_H

#include "document.h"
#include "error.h"

/* Keeps a document, durably, in the folder. Costs nothing where it's kept already. */
int saved_put(int dir_fd, const struct document *document, struct error *err);

/* ERROR_NOT_FOUND where it isn't kept; content that doesn't match is ERROR_CORRUPT, and isn't kept
 * from then on: the file is called NAME.damaged. */
int saved_get(int dir_fd, struct document *out, const struct digest *digest, struct error *err);

/* Removes all that is kept. */
void saved_clear(int dir_fd);

#endif
