#include "fs/work/copy.h"

#include <errno.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"

#define COPY_STEP ((size_t)16 << 20) /* between two looks at the cancel token */
#define COPY_BUFFER ((size_t)256 << 10)

static int copy_failed(struct error *err)
{
	return error_set_errno(err, errno, "can't copy a file");
}

static int write_all(int to, const char *bytes, size_t len, int64_t offset)
{
	while (len > 0) {
		ssize_t n = pwrite(to, bytes, len, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		bytes += n;
		len -= (size_t)n;
		offset += n;
	}
	return 0;
}

/* How many bytes were copied; 0 at the end of from, -1 with errno. */
static ssize_t copy_by_hand(int to, int from, int64_t offset, size_t len)
{
	cleanup_free char *bytes = malloc(COPY_BUFFER);

	if (!bytes) {
		errno = ENOMEM;
		return -1;
	}
	ssize_t got = pread(from, bytes, len < COPY_BUFFER ? len : COPY_BUFFER, offset);
	if (got > 0 && write_all(to, bytes, (size_t)got, offset) < 0)
		return -1;
	return got;
}

/* Other file systems, old kernels and odd file types refuse with one of many errors. */
static ssize_t copy_in_kernel(int to, int from, int64_t offset, size_t len)
{
	off_t in = offset, out = offset;

	return copy_file_range(from, &in, to, &out, len, 0);
}

static int copy_span(
	int to, int from, int64_t start, int64_t end, struct cancel *cancel, struct error *err)
{
	bool by_hand = false;

	while (start < end) {
		size_t len = end - start < (int64_t)COPY_STEP ? (size_t)(end - start) : COPY_STEP;
		ssize_t n = by_hand ? copy_by_hand(to, from, start, len)
				    : copy_in_kernel(to, from, start, len);

		if (cancel_fired(cancel))
			return error_set(err, ERROR_INTERRUPTED, "copying was interrupted");
		if (n < 0 && errno == EINTR)
			continue;
		if (!by_hand && (n == 0 || (n < 0 && errno != ENOSPC && errno != EDQUOT))) {
			by_hand = true;
			continue;
		}
		if (n < 0)
			return copy_failed(err);
		if (n == 0)
			return error_set_errno(err, EIO, "a file became shorter");
		start += n;
	}
	return 0;
}

/* Finds the next span with data at or after start: false at the end. A file system that doesn't
 * tell of holes has one span. */
static bool next_data(int from, int64_t start, int64_t size, int64_t *data, int64_t *hole)
{
	if (start >= size)
		return false;
	*data = start;
	*hole = size;
	off_t at = lseek(from, start, SEEK_DATA);
	if (at < 0)
		return errno != ENXIO;
	if (at >= size)
		return false;
	*data = at;
	at = lseek(from, *data, SEEK_HOLE);
	if (at > *data && at < size)
		*hole = at;
	return true;
}

int file_copy(int to, int from, int64_t keep, struct cancel *cancel, struct error *err)
{
	struct stat st;
	int64_t data = 0, hole = 0;

	if (fstat(from, &st) < 0)
		return copy_failed(err);
	int64_t size = keep < st.st_size ? keep : st.st_size;
	if (size > 0 && ioctl(to, FICLONE, from) < 0) {
		while (next_data(from, hole, size, &data, &hole)) {
			if (copy_span(to, from, data, hole, cancel, err) < 0)
				return -1;
		}
	}
	if (ftruncate(to, size) < 0)
		return copy_failed(err);
	return 0;
}
