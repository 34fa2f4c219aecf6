/*
 * staged_disk.c - when the bytes of staged files are on disk, and when files go from it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "cleanup.h"
#include "fs/work/staged.h"

#define MANY 32
#define PIECE ((int64_t)32 << 20)

enum staged_disk staged_disk(struct staged *staged)
{
	enum staged_disk disk;

	pthread_mutex_lock(&staged->lock);
	disk = staged->disk;
	pthread_mutex_unlock(&staged->lock);
	return disk;
}

void staged_set_disk(struct staged *staged, enum staged_disk disk)
{
	pthread_mutex_lock(&staged->lock);
	staged->disk = disk;
	pthread_mutex_unlock(&staged->lock);
}

/* What a sync begins with: UINT64_MAX where somebody is writing. */
static uint64_t sync_begin(struct staged *staged)
{
	uint64_t writes;

	pthread_mutex_lock(&staged->lock);
	writes = staged->writers ? UINT64_MAX : staged->writes;
	pthread_mutex_unlock(&staged->lock);
	return writes;
}

static void sync_end(struct staged *staged, uint64_t writes)
{
	pthread_mutex_lock(&staged->lock);
	if (staged->writes == writes)
		staged->disk = STAGED_ON_DISK;
	pthread_mutex_unlock(&staged->lock);
}

static bool is_given_up(struct staged *staged)
{
	bool only_ours;

	pthread_mutex_lock(&staged->lock);
	only_ours = staged->refs == 1;
	pthread_mutex_unlock(&staged->lock);
	return only_ours;
}

/* A piece at a time, so that a large file holds nobody up for long. False where it isn't wanted any
 * more. */
static bool write_pieces(struct staged *staged, struct cancel *cancel)
{
	int64_t at = 0, size = staged_size(staged);

	do {
		if (cancel_fired(cancel) || is_given_up(staged))
			return false;
		/* where it can't, or fails, fdatasync() does it, or says so */
		sync_file_range(staged->fd, at, PIECE,
			SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
				SYNC_FILE_RANGE_WAIT_AFTER);
		at += PIECE;
	} while (at < size);
	return true;
}

static int sync_file(struct staged *staged, struct cancel *cancel, struct error *err)
{
	uint64_t writes = sync_begin(staged);

	if (!write_pieces(staged, cancel))
		return 0;
	if (fdatasync(staged->fd))
		return error_set_errno(err, errno, "can't write a staged file to disk");
	sync_end(staged, writes);
	return 0;
}

/* Where nobody may want it to end sooner: a disk waits for each fdatasync(). */
static int sync_all(
	struct staging *staging, struct staged *const *files, size_t count, struct error *err)
{
	cleanup_free uint64_t *writes = calloc(count, sizeof *writes);

	if (!writes)
		return error_set_memory(err);
	for (size_t i = 0; i < count; i++)
		writes[i] = sync_begin(files[i]);
	if (syncfs(staging->dir_fd))
		return error_set_errno(err, errno, "can't write staged files to disk");
	for (size_t i = 0; i < count; i++)
		sync_end(files[i], writes[i]);
	return 0;
}

int staging_sync(struct staging *staging, struct staged *const *files, size_t count,
	struct cancel *cancel, struct error *err)
{
	if (!cancel && count > MANY)
		return sync_all(staging, files, count, err);
	/* the names of new files are on disk with their folder */
	if (count && fsync(staging->dir_fd))
		return error_set_errno(err, errno, "can't write %s", staging->dir);
	for (size_t i = 0; i < count; i++)
		if (sync_file(files[i], cancel, err))
			return -1;
	return cancel_fired(cancel) ? error_set(err, ERROR_INTERRUPTED, "the mount ends") : 0;
}

void staging_keep_gone(struct staging *staging, bool keep)
{
	pthread_mutex_lock(&staging->lock);
	staging->keep_gone = keep;
	pthread_mutex_unlock(&staging->lock);
}

void staging_hold(struct staging *staging, bool hold)
{
	pthread_mutex_lock(&staging->lock);
	staging->held = hold;
	pthread_mutex_unlock(&staging->lock);
}

struct staging_gone staging_take_gone(struct staging *staging)
{
	struct staging_gone gone = {.ids = NULL};

	pthread_mutex_lock(&staging->lock);
	if (!staging->held) {
		gone = staging->gone;
		staging->gone = (struct staging_gone){.ids = NULL};
	}
	pthread_mutex_unlock(&staging->lock);
	return gone;
}

void staging_remove_gone(struct staging *staging, struct staging_gone *gone)
{
	for (size_t i = 0; i < gone->count; i++)
		staging_unlink(staging, gone->ids[i]);
	free(gone->ids);
	*gone = (struct staging_gone){.ids = NULL};
}

static bool gone_add(struct staging_gone *gone, uint64_t id)
{
	uint64_t *ids;

	ids = reallocarray(gone->ids, gone->count + 1, sizeof *ids);
	if (!ids)
		return false;
	gone->ids = ids;
	ids[gone->count++] = id;
	return true;
}

bool staging_keeps(struct staging *staging, const struct staged *staged)
{
	bool told = staging->held || (staging->keep_gone && staged->disk == STAGED_ON_DISK);

	if (staging->keep_files)
		return true;
	/* without the memory to remember it, the next mount removes it */
	return told && (gone_add(&staging->gone, staged->id) || staging->held);
}
