/*
 * staged.h - what a staged file is inside; private to fs/work/.
 */
#ifndef INDEXFS_FS_WORK_STAGED_H
#define INDEXFS_FS_WORK_STAGED_H

#include <pthread.h>

#include "fs/work/follow.h"
#include "fs/work/staging.h"

struct staging {
	int dir_fd;
	char *dir;
	struct pool *pool;
	pthread_mutex_t lock;
	uint64_t next_id;
	void *by_id; /* tsearch(): those that somebody has a reference to */
	bool keep_files, keep_gone, held;
	struct staging_gone gone;
};

/* What a content holds once it's uncompressed, by what its type says. */
struct staged_diff_id {
	struct digest content; /* unset: nothing is known */
	char *media_type;
	struct digest diff_id;
};

struct staged {
	struct staging *staging; /* not touched after the last reference has gone */
	uint64_t id;
	int fd;

	pthread_mutex_t lock;
	pthread_cond_t changed; /* a writer, a seal or the follower has ended */
	unsigned refs;
	unsigned holds; /* the references together are one, a task of the pool is another */
	unsigned writers;
	uint64_t writes; /* that have begun, ever */
	enum staged_disk disk;
	bool sealing; /* somebody seals: no new writer, and the follower leaves the hash alone */
	bool sealed;
	bool several; /* opened again for several: written by who has it alone */
	struct digest digest; /* where sealed */
	struct follow follow;
	struct staged_diff_id known;
};

void staging_unlink(struct staging *staging, uint64_t id);
/* With the staging's lock held: whether a file that nobody has any more stays, for a while. */
bool staging_keeps(struct staging *staging, const struct staged *staged);

/* Ends a hold; the memory goes with the last one. */
void staged_release(struct staged *staged);

#endif
