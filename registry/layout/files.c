#include "registry/layout/files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"

static int open_failed(const char *name, struct error *err)
{
	if (errno == ENOENT)
		return error_set(err, ERROR_NOT_FOUND, "%s: not found", name);
	if (errno == ELOOP)
		return error_set(err, ERROR_CORRUPT, "%s: is a symbolic link", name);
	if (errno == ENOTDIR)
		return error_set(err, ERROR_CORRUPT, "%s: is not a folder", name);
	return error_set_errno(err, errno, "%s", name);
}

int layout_file_open(int dir, const char *name, int64_t *size, struct error *err)
{
	struct stat st;
	/* O_NONBLOCK: a pipe must not hold the opener. */
	cleanup_close int fd =
		openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return open_failed(name, err);
	if (fstat(fd, &st))
		return error_set_errno(err, errno, "%s", name);
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERROR_CORRUPT, "%s: is not a regular file", name);
	*size = st.st_size;
	return steal_fd(&fd);
}

ssize_t layout_file_read_at(int fd, void *bytes, size_t len, uint64_t offset)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, (char *)bytes + done, len - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int layout_file_read(int dir, const char *name, struct buf *out, struct error *err)
{
	int64_t size = 0;
	ssize_t n;
	cleanup_free char *bytes = NULL;
	cleanup_close int fd = layout_file_open(dir, name, &size, err);

	if (fd < 0)
		return -1;
	if ((uint64_t)size > out->limit)
		return error_set(err, ERROR_TOO_LARGE, "%s: over %zu bytes", name, out->limit);
	bytes = malloc((size_t)size + 1);
	if (!bytes)
		return error_set_memory(err);
	n = layout_file_read_at(fd, bytes, (size_t)size, 0);
	if (n < 0)
		return error_set_errno(err, errno, "%s", name);
	buf_reset(out);
	if (buf_append(out, bytes, (size_t)n))
		return error_set_errno(err, errno, "%s", name);
	return 0;
}

int layout_file_write(int fd, const void *bytes, size_t len)
{
	const char *from = bytes;

	while (len > 0) {
		ssize_t n = write(fd, from, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		from += n;
		len -= (size_t)n;
	}
	return 0;
}

int layout_dir_open(int dir, const char *name, struct error *err)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? open_failed(name, err) : fd;
}

int layout_dir_open_make(int dir, const char *name, struct error *err)
{
	if (mkdirat(dir, name, 0777) == 0) {
		if (layout_dir_sync(dir, err))
			return -1;
	} else if (errno != EEXIST) {
		return error_set_errno(err, errno, "%s", name);
	}
	return layout_dir_open(dir, name, err);
}

int layout_dir_sync(int dir, struct error *err)
{
	/* Some file systems can't, and have nothing to sync then. */
	if (fsync(dir) && errno != EINVAL && errno != EOPNOTSUPP)
		return error_set_errno(err, errno, "the folder can't be made durable");
	return 0;
}
