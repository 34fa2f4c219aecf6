/*
 * referrer_name.h - artifact types as the names of folders in .oci/referrers.
 *
 * The "/" of a media type is written ".": application/spdx+json is application.spdx+json. A "." in
 * front of it, which no registered type has, and what can't stand in a media type are written %XX.
 * A referrer that is published has "~" and the first 12 characters of its digest after that.
 */
#ifndef INDEXFS_FS_TREE_REFERRER_NAME_H
#define INDEXFS_FS_TREE_REFERRER_NAME_H

#include <stdbool.h>

#include "digest.h"
#include "error.h"
#include "platform.h"

#define REFERRER_TYPE_SIZE 512

/* The name of what is published; artifact_type is hostile text, or NULL. whole: with all of the
 * digest, for the second one that has the same 12 characters. */
void referrer_name(char out[static FOLDER_NAME_SIZE], const char *artifact_type,
	const struct digest *digest, bool whole);

/* Whether it is such a name: one that can't be made. */
bool referrer_name_is_published(const char *name);

/* The artifact type that a name to be made means. ERROR_INVALID. */
int referrer_type(char out[static REFERRER_TYPE_SIZE], const char *name, struct error *err);

#endif
