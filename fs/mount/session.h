/*
 * session.h - a mount from its beginning to its end.
 */
#ifndef INDEXFS_FS_MOUNT_SESSION_H
#define INDEXFS_FS_MOUNT_SESSION_H

#include <stdbool.h>

#include "error.h"
#include "fs/mount/options.h"
#include "log.h"

struct session_config {
	const char *source; /* as the user wrote it */
	const char *mountpoint; /* absolute */
	struct mount_options options;
	bool debug; /* libfuse tells of each request */
	struct log *log;
	/* Called once the mount answers, on any thread. */
	void (*ready)(void *context);
	void *ready_context;
};

/* Mounts, serves until it is unmounted or told to end (SIGINT, SIGTERM, SIGHUP), and cleans up.
 * *err is why it never came to be mounted. */
int session_run(struct session_config *config, struct error *err);

#endif
