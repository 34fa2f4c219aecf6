/*
 * blob_folder.h - the folder that holds a blob, for those who read it and those who write it.
 */
#ifndef INDEXFS_REGISTRY_LAYOUT_BLOB_FOLDER_H
#define INDEXFS_REGISTRY_LAYOUT_BLOB_FOLDER_H

#include <stdbool.h>

#include "digest.h"
#include "error.h"

/* blobs/ALGORITHM, open, made where make is set. In it the blob is named by digest_encoded(). */
int layout_blob_folder(int dir, const struct digest *digest, bool make, struct error *err);

#endif
