#include "fs/mount/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "cleanup.h"
#include "digest.h"

#define NAME_LEN 16

int make_folders(const char *path, struct error *err)
{
	cleanup_free char *copy = strdup(path);
	char *slash;

	if (!copy)
		return error_set_memory(err);
	for (slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0700) && errno != EEXIST)
			return error_set_errno(err, errno, "can't make the folder %s", copy);
		*slash = '/';
	}
	if (mkdir(copy, 0700) && errno != EEXIST)
		return error_set_errno(err, errno, "can't make the folder %s", copy);
	return 0;
}

static int held_by_other(int fd, const char *source, struct error *err)
{
	char holder[256] = "";
	ssize_t len = pread(fd, holder, sizeof holder - 1, 0);

	holder[len > 0 ? len : 0] = '\0';
	holder[strcspn(holder, "\n")] = '\0';
	return error_set(err, ERROR_INVALID,
		"%s is mounted already (%s); unmount it there, or give this mount a state of its "
		"own with -o state-dir=DIR",
		source, *holder ? holder : "by another process");
}

static int take_lock(int fd, const char *source, const char *mountpoint, struct error *err)
{
	if (flock(fd, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK
			       ? held_by_other(fd, source, err)
			       : error_set_errno(err, errno, "can't lock the state of %s", source);
	if (ftruncate(fd, 0) || dprintf(fd, "at %s by process %d\n", mountpoint, getpid()) < 0)
		return error_set_errno(err, errno, "can't write the state of %s", source);
	return 0;
}

int state_open(struct state *state, const char *dir, const char *source, const char *mountpoint,
	bool writable, struct error *err)
{
	cleanup_with(buf_free) struct buf path = BUF_INIT(BUF_UNBOUNDED);
	cleanup_close int fd = -1;
	struct digest name;

	digest_of_bytes(&name, source, strlen(source));
	if (buf_printf(&path, "%s/%.*s", dir, NAME_LEN, digest_encoded(&name)))
		return error_set_memory(err);
	if (make_folders(path.data, err))
		return -1;
	state->dir = strdup(path.data);
	if (!state->dir || buf_append_text(&path, "/lock"))
		return error_set_memory(err);
	fd = open(path.data, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return error_set_errno(err, errno, "can't open %s", path.data);
	if (writable && take_lock(fd, source, mountpoint, err))
		return -1;
	state->lock_fd = steal_fd(&fd);
	return 0;
}

void state_close(struct state *state)
{
	free(state->dir);
	state->dir = NULL;
	if (state->lock_fd >= 0)
		close(state->lock_fd);
	state->lock_fd = -1;
}
