#include "fs/work/staging.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "crash_point.h"
#include "fs/work/copy.h"
#include "fs/work/staged.h"

#define NAME_SIZE 24
#define NAME_TRIES 1000

/* A folder of ours alone: others could change what is published. */
static int dir_open(const char *dir, struct error *err)
{
	struct stat st;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return error_set_errno(err, errno, "can't make %s", dir);
	cleanup_close int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_set_errno(err, errno, "can't open %s", dir);
	if (st.st_uid != geteuid())
		return error_set(err, ERROR_NOT_PERMITTED, "%s belongs to another user", dir);
	if ((st.st_mode & 077) && fchmod(fd, 0700) < 0)
		return error_set_errno(err, errno, "can't make %s private", dir);
	return steal_fd(&fd);
}

/* The first number above those in use, so that no name is used again while its file is there. */
static int first_free_id(uint64_t *out, int dir_fd, struct error *err)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!entries) {
		error_set_errno(err, errno, "can't list the staging folder");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	*out = 1;
	while ((entry = readdir(entries))) {
		char *end;
		uint64_t id = strtoull(entry->d_name, &end, 10);

		if (*end == '\0' && id >= *out && id < UINT64_MAX / 2)
			*out = id + 1;
	}
	closedir(entries);
	return 0;
}

int staging_open(struct staging **out, const char *dir, struct pool *pool, struct error *err)
{
	cleanup_close int dir_fd = dir_open(dir, err);
	uint64_t next_id;

	if (dir_fd < 0 || first_free_id(&next_id, dir_fd, err) < 0)
		return -1;
	cleanup_free char *copy = strdup(dir);
	struct staging *staging = copy ? calloc(1, sizeof(*staging)) : NULL;
	if (!staging)
		return error_set_memory(err);
	staging->dir_fd = steal_fd(&dir_fd);
	staging->dir = steal_ptr(copy);
	staging->pool = pool;
	staging->next_id = next_id;
	pthread_mutex_init(&staging->lock, NULL);
	*out = staging;
	return 0;
}

void staging_close(struct staging *staging)
{
	struct staging_gone gone = staging_take_gone(staging);

	staging_remove_gone(staging, &gone);
	free(staging->gone.ids);
	close(staging->dir_fd);
	pthread_mutex_destroy(&staging->lock);
	free(staging->dir);
	free(staging);
}

int staging_statvfs(struct staging *staging, struct statvfs *out)
{
	return fstatvfs(staging->dir_fd, out);
}

static void id_name(char out[static NAME_SIZE], uint64_t id)
{
	snprintf(out, NAME_SIZE, "%" PRIu64, id);
}

void staging_unlink(struct staging *staging, uint64_t id)
{
	char name[NAME_SIZE];

	id_name(name, id);
	unlinkat(staging->dir_fd, name, 0);
}

static int file_new(struct staging *staging, uint64_t *id)
{
	char name[NAME_SIZE];
	int fd = -1;

	for (int i = 0; fd < 0 && i < NAME_TRIES; i++) {
		pthread_mutex_lock(&staging->lock);
		*id = staging->next_id++;
		pthread_mutex_unlock(&staging->lock);
		id_name(name, *id);
		fd = openat(staging->dir_fd, name,
			O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	CRASH_POINT("staging.made");
	return fd;
}

static int compare_id(const void *a, const void *b)
{
	const struct staged *left = a, *right = b;

	return (left->id > right->id) - (left->id < right->id);
}

/* Makes the object of a file that is open; takes the descriptor over. */
static int staged_make(
	struct staged **out, struct staging *staging, uint64_t id, int fd, struct error *err)
{
	struct staged *staged = calloc(1, sizeof(*staged));
	void *slot = NULL;

	if (staged) {
		staged->id = id;
		pthread_mutex_lock(&staging->lock);
		slot = tsearch(staged, &staging->by_id, compare_id);
		pthread_mutex_unlock(&staging->lock);
	}
	if (!slot) {
		free(staged);
		close(fd);
		error_set_memory(err);
		return -1;
	}
	staged->fd = fd;
	staged->staging = staging;
	staged->refs = 1;
	staged->holds = 1;
	pthread_mutex_init(&staged->lock, NULL);
	pthread_cond_init(&staged->changed, NULL);
	*out = staged;
	return 0;
}

int staged_new(struct staged **out, struct staging *staging, struct error *err)
{
	uint64_t id;
	int fd = file_new(staging, &id);

	if (fd < 0) {
		error_set_errno(err, errno, "can't make a file in %s", staging->dir);
		return -1;
	}
	return staged_make(out, staging, id, fd, err);
}

struct staged *staged_find(struct staging *staging, uint64_t id)
{
	struct staged key = {.id = id}, **found, *staged;

	pthread_mutex_lock(&staging->lock);
	found = tfind(&key, &staging->by_id, compare_id);
	staged = found ? staged_ref(*found) : NULL;
	pthread_mutex_unlock(&staging->lock);
	return staged;
}

/* Takes a number, so that no file gets it again. */
static void take_id(struct staging *staging, uint64_t id)
{
	pthread_mutex_lock(&staging->lock);
	if (id >= staging->next_id && id < UINT64_MAX / 2)
		staging->next_id = id + 1;
	pthread_mutex_unlock(&staging->lock);
}

int staged_reopen(struct staged **out, struct staging *staging, uint64_t id, struct error *err)
{
	char name[NAME_SIZE];
	int fd;

	take_id(staging, id);
	*out = staged_find(staging, id);
	if (*out) {
		pthread_mutex_lock(&(*out)->lock);
		(*out)->several = true;
		pthread_mutex_unlock(&(*out)->lock);
		return 0;
	}
	id_name(name, id);
	fd = openat(staging->dir_fd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return error_set(err, ERROR_NOT_FOUND, "there is no staged file %s", name);
	if (fd < 0)
		return error_set_errno(err, errno, "can't open the staged file %s", name);
	return staged_make(out, staging, id, fd, err);
}

void staging_keep_files(struct staging *staging, bool keep)
{
	pthread_mutex_lock(&staging->lock);
	staging->keep_files = keep;
	pthread_mutex_unlock(&staging->lock);
}

/* Whether a name is that of a file which nobody has a reference to. */
static bool is_left_over(struct staging *staging, const char *name)
{
	char *end;
	struct staged key = {.id = strtoull(name, &end, 10)};
	bool used;

	if (end == name || *end)
		return false;
	pthread_mutex_lock(&staging->lock);
	used = tfind(&key, &staging->by_id, compare_id) != NULL;
	pthread_mutex_unlock(&staging->lock);
	return !used;
}

void staging_sweep(struct staging *staging)
{
	int fd = openat(staging->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	while (entries && (entry = readdir(entries)))
		if (is_left_over(staging, entry->d_name)) {
			CRASH_POINT("staging.sweep");
			unlinkat(staging->dir_fd, entry->d_name, 0);
		}
	if (entries)
		closedir(entries);
	else if (fd >= 0)
		close(fd);
}

int staged_from_fd(struct staged **out, struct staging *staging, int fd, int64_t keep,
	struct cancel *cancel, struct error *err)
{
	struct staged *staged;

	if (staged_new(&staged, staging, err) < 0)
		return -1;
	if (file_copy(staged->fd, fd, keep, cancel, err) < 0) {
		staged_put_back(staged);
		return -1;
	}
	CRASH_POINT("staging.copied");
	/* Who appends to the copy is followed from its start. */
	staged->follow.contiguous = (uint64_t)staged_size(staged);
	*out = staged;
	return 0;
}

struct staged *staged_ref(struct staged *staged)
{
	pthread_mutex_lock(&staged->lock);
	staged->refs++;
	pthread_mutex_unlock(&staged->lock);
	return staged;
}

void staged_release(struct staged *staged)
{
	pthread_mutex_lock(&staged->lock);
	bool last = --staged->holds == 0;
	pthread_mutex_unlock(&staged->lock);
	if (!last)
		return;
	close(staged->fd);
	if (staged->follow.hasher)
		hasher_free(staged->follow.hasher);
	free(staged->known.media_type);
	pthread_cond_destroy(&staged->changed);
	pthread_mutex_destroy(&staged->lock);
	free(staged);
}

void staged_put_back(struct staged *staged)
{
	pthread_mutex_lock(&staged->lock);
	bool last = --staged->refs == 0;
	pthread_mutex_unlock(&staged->lock);
	if (!last)
		return;
	pthread_mutex_lock(&staged->staging->lock);
	tdelete(staged, &staged->staging->by_id, compare_id);
	bool keep = staging_keeps(staged->staging, staged);
	pthread_mutex_unlock(&staged->staging->lock);
	CRASH_POINT("staging.remove");
	if (!keep)
		staging_unlink(staged->staging, staged->id);
	staged_release(staged);
}
