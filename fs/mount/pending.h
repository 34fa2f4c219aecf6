/*
 * pending.h - a request that is answered later, on another thread: once, by the work that it waits
 * for or, with EINTR and at once, by the signal that interrupts it.
 */
#ifndef INDEXFS_FS_MOUNT_PENDING_H
#define INDEXFS_FS_MOUNT_PENDING_H

#include <pthread.h>
#include <stdbool.h>

#include "fs/mount/fuse.h"

struct pending {
	fuse_req_t req;
	pthread_mutex_t lock;
	bool answered;
	/* Told that the request was interrupted; may be NULL. The pending is valid throughout. */
	void (*interrupted)(struct pending *pending);
};

/* From here on the request may be interrupted. */
void pending_begin(
	struct pending *pending, fuse_req_t req, void (*interrupted)(struct pending *pending));

/* The end of the wait: true where the caller has to answer pending->req. The pending's memory is
 * the caller's again in either case. */
bool pending_end(struct pending *pending);

#endif
