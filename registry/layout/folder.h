/*
 * folder.h - the folder of a layout: finding, making and locking it.
 */
#ifndef INDEXFS_REGISTRY_LAYOUT_FOLDER_H
#define INDEXFS_REGISTRY_LAYOUT_FOLDER_H

#include <stdbool.h>

#include "cancel.h"
#include "error.h"

#define LAYOUT_FILE "oci-layout"
#define INDEX_FILE "index.json"
#define BLOBS_FOLDER "blobs"

/* Opens the layout at path. A missing folder (with its parents), an empty one, and one that an
 * earlier run left half made, become a layout. ERROR_INVALID: the folder holds something else. */
int layout_folder_open(const char *path, int timeout, bool *made, struct error *err);

/* Whether this process can't write there. */
bool layout_folder_read_only(int dir);

/* Waits for its turn among all threads and processes that change index.json. The lock is on the
 * folder itself, so that no lock file is left behind; it ends when the returned descriptor is
 * closed. ERROR_TIMEOUT after timeout seconds. */
int layout_folder_lock(int dir, int timeout, struct cancel *cancel, struct error *err);

#endif
