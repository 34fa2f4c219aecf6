/*
 * config_file.h - a config that was written to .oci/config.json, on its way to the registry.
 */
#ifndef INDEXFS_FS_COMMIT_CONFIG_FILE_H
#define INDEXFS_FS_COMMIT_CONFIG_FILE_H

#include "fs/commit/plan.h"

/* Takes what was written for a folder of the plan. The lock is held. */
void config_file_collect(struct plan_folder *folder);

/* The registry has it: the file shows the manifest's config again. The lock is held. */
void config_file_settle(struct plan_folder *folder);

/* The lock is held. */
void config_file_clear(struct tree *tree, struct plan_folder *folder);

#endif
