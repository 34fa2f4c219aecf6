/*
 * diff_ids.h - the digests of a folder's layers once they're uncompressed.
 */
#ifndef INDEXFS_FS_COMMIT_DIFF_IDS_H
#define INDEXFS_FS_COMMIT_DIFF_IDS_H

#include "fs/commit/base_config.h"
#include "fs/commit/plan.h"

/* One for each file of the folder, in their order; the caller frees *out. base is what the
 * manifest that is shown names. What the registry's manifest and its config don't tell is computed:
 * from the staged file, else from the blob, which is fetched.
 * ERROR_INVALID and ERROR_TOO_LARGE name the file (diff_id.h); the errors of the store. */
int plan_diff_ids(struct digest **out, const struct plan *plan, const struct plan_folder *folder,
	const struct base_config *base, struct cancel *cancel, struct error *err);

/* ERROR_INVALID where an image config, which has a diff_id for each file of the folder, has another
 * one for it than it is, and the errors of the above. config is what the manifest that is shown
 * names. A layer that is kept elsewhere, of which nothing is known, may be anything. */
int plan_check_diff_ids(const struct plan *plan, const struct plan_folder *folder,
	const struct base_config *config, struct cancel *cancel, struct error *err);

#endif
