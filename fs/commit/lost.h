/*
 * lost.h - what a plan takes to be in the registry, and the registry has lost: a layer that wasn't
 * changed, the manifest of a folder that wasn't. A registry may have been set up anew, or cleared
 * of what seemed to be of no use.
 */
#ifndef INDEXFS_FS_COMMIT_LOST_H
#define INDEXFS_FS_COMMIT_LOST_H

#include <stdbool.h>

#include "cancel.h"
#include "error.h"
#include "fs/commit/plan.h"

/* Asks the registry for all of that, and sends what it lacks again, from what is here: blobs that
 * are staged or cached, manifests that were read. *any: something was lost. ERROR_NOT_FOUND names
 * what is lost and isn't here either; nothing is sent then. Takes the lock. */
int plan_send_lost(struct plan *plan, bool *any, struct cancel *cancel, struct error *err);

#endif
