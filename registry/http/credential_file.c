#include "registry/http/credential_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"

/* All at once, so that no copy is left where a buffer has grown. */
static int text_read(struct buf *out, int fd, const char *path, struct error *err)
{
	char *text = malloc(AUTH_FILE_SIZE_MAX + 2);
	size_t len = 0;
	ssize_t got = 1;
	int result = -1;

	if (!text)
		return error_set_memory(err);
	while (got > 0 && len <= AUTH_FILE_SIZE_MAX) {
		got = read(fd, text + len, AUTH_FILE_SIZE_MAX + 1 - len);
		if (got < 0 && errno != EINTR)
			break;
		len += got > 0 ? (size_t)got : 0;
		got = got < 0 ? 1 : got;
	}
	if (got < 0)
		error_set_errno(err, errno, "%s", path);
	else if (len > AUTH_FILE_SIZE_MAX)
		error_set(err, ERROR_TOO_LARGE, "%s: over %zu MiB, too large for credentials", path,
			AUTH_FILE_SIZE_MAX >> 20);
	else if (buf_append(out, text, len))
		error_set_memory(err);
	else
		result = 0;
	explicit_bzero(text, len);
	free(text);
	return result;
}

int credential_file_read(struct buf *out, mode_t *mode, const char *path, struct error *err)
{
	/* What stands there could be a pipe: opening it doesn't wait, and it isn't read. */
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	*mode = 0;
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0 || fstat(fd, &st))
		return error_set_errno(err, errno, "%s", path);
	if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode)) /* as /dev/null: no credentials */
		return error_set(err, ERROR_INVALID, "%s: it is no file", path);
	*mode = st.st_mode;
	return text_read(out, fd, path, err);
}

/* The folders that a path is in, for nobody else's eyes; ~/.config may be among them. */
static int folders_make(const char *path, struct error *err)
{
	cleanup_free char *copy = strdup(path);

	if (!copy)
		return error_set_memory(err);
	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0700) && errno != EEXIST && errno != EROFS && errno != EACCES)
			return error_set_errno(err, errno, "%s", copy);
		*slash = '/';
	}
	return 0;
}

int credential_file_lock(const char *path, struct error *err)
{
	cleanup_free char *folder = strdup(path);
	cleanup_close int fd = -1;

	if (!folder)
		return error_set_memory(err);
	*strrchr(folder, '/') = '\0';
	if (folders_make(path, err))
		return -1;
	fd = open(*folder ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_set_errno(err, errno, "%s", folder);
	while (flock(fd, LOCK_EX) && errno == EINTR)
		;
	return steal_fd(&fd);
}

static int text_write(int fd, const struct buf *text)
{
	size_t at = 0;

	while (at < text->len) {
		ssize_t put = write(fd, text->data + at, text->len - at);

		if (put < 0 && errno != EINTR)
			return -1;
		at += put > 0 ? (size_t)put : 0;
	}
	return fsync(fd);
}

/* Keeps the owner where root changes a user's file. */
static int file_replace(const char *path, char *temporary, const struct buf *text)
{
	cleanup_close int fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 */
	struct stat st;
	int saved;

	if (fd < 0)
		return -1;
	if (stat(path, &st) == 0 && (st.st_uid != geteuid() || st.st_gid != getegid()) &&
		fchown(fd, st.st_uid, st.st_gid) && errno != EPERM)
		goto remove;
	if (text_write(fd, text) == 0 && rename(temporary, path) == 0)
		return 0;
remove:
	saved = errno;
	unlink(temporary);
	errno = saved;
	return -1;
}

int credential_file_write(const char *path, const struct buf *text, struct error *err)
{
	cleanup_free char *target = NULL, *temporary = NULL;
	cleanup_close int folder = -1;

	if (folders_make(path, err))
		return -1;
	/* A file that is a link, as of those who keep such files elsewhere, stays one. */
	target = realpath(path, NULL);
	if (!target && errno == ENOENT)
		target = strdup(path);
	if (!target)
		return error_set_errno(err, errno, "%s", path);
	if (asprintf(&temporary, "%s.XXXXXX", target) < 0) {
		temporary = NULL;
		return error_set_memory(err);
	}
	if (file_replace(target, temporary, text))
		return error_set_errno(err, errno, "%s", path);
	target[strrchr(target, '/') - target + 1] = '\0';
	folder = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0 || fsync(folder))
		return error_set_errno(err, errno, "%s", target);
	return 0;
}
