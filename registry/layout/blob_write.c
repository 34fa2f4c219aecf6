#include "registry/layout/blobs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "crash_point.h"
#include "registry/layout/blob_folder.h"
#include "registry/layout/files.h"

#define CHUNK ((size_t)256 << 10)

/* Whether the whole source has become shared with the file, without a copy. */
static bool source_clone(int fd, const struct store_source *source)
{
	struct stat st;

	return fstat(source->fd, &st) == 0 && st.st_size == source->size &&
	       ioctl(fd, FICLONE, source->fd) == 0;
}

/* Finds a full disk before the first byte is copied, not after the last. */
static int space_reserve(int fd, int64_t size)
{
	if (size == 0 || fallocate(fd, 0, 0, size) == 0)
		return 0;
	return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? -1 : 0;
}

/* Hashes what is in the file, or what goes into it on the way from the source. */
static int content_move(int fd, const struct store_source *source, bool cloned,
	struct hasher *hasher, struct cancel *cancel, struct error *err)
{
	cleanup_free char *chunk = malloc(CHUNK);
	int64_t done = 0;

	if (!chunk)
		return error_set_memory(err);
	while (done < source->size) {
		size_t want = source->size - done < (int64_t)CHUNK ? (size_t)(source->size - done)
								   : CHUNK;
		ssize_t n =
			layout_file_read_at(cloned ? fd : source->fd, chunk, want, (uint64_t)done);

		if (cancel_fired(cancel))
			return error_set(err, ERROR_INTERRUPTED, "interrupted");
		if (n < 0)
			return error_set_errno(err, errno, "the source can't be read");
		if (n == 0)
			return error_set(err, ERROR_CORRUPT, "the source has %lld bytes, not %lld",
				(long long)done, (long long)source->size);
		hasher_update(hasher, chunk, (size_t)n);
		CRASH_POINT("layout.blob.part");
		if (!cloned && layout_file_write(fd, chunk, (size_t)n))
			return error_set_errno(err, errno, "can't be written");
		done += n;
		if (source->progress)
			source->progress(source->context, done);
	}
	return 0;
}

static void hasher_freep(struct hasher **hasher)
{
	hasher_free(*hasher);
}

static int content_fill(int fd, const struct digest *digest, const struct store_source *source,
	struct cancel *cancel, struct error *err)
{
	cleanup_with(hasher_freep) struct hasher *hasher = hasher_new(digest);
	struct digest actual = DIGEST_NONE;
	bool cloned = source_clone(fd, source);

	if (!hasher)
		return error_set_memory(err);
	if (!cloned && space_reserve(fd, source->size))
		return error_set_errno(
			err, errno, "no room for %lld bytes", (long long)source->size);
	if (content_move(fd, source, cloned, hasher, cancel, err))
		return -1;
	hasher_digest(hasher, &actual);
	if (!digest_equal(&actual, digest))
		return error_set(err, ERROR_CORRUPT, "the source is %s", actual.text);
	return 0;
}

/* Another program may have written it and not have synced it. */
static int blob_settle(int folder, const struct digest *digest, struct error *err)
{
	int64_t size;
	cleanup_close int fd = layout_file_open(folder, digest_encoded(digest), &size, err);

	if (fd < 0)
		return -1;
	if (fsync(fd))
		return error_set_errno(err, errno, "%s", digest_encoded(digest));
	return layout_dir_sync(folder, err);
}

static int blob_make(int folder, const struct digest *digest, const struct store_source *source,
	struct cancel *cancel, struct error *err)
{
	cleanup_with(layout_temp_close) struct temp_file temp = TEMP_FILE_INIT;

	if (layout_temp_create(&temp, folder, err) ||
		content_fill(temp.fd, digest, source, cancel, err) ||
		layout_temp_commit(&temp, digest_encoded(digest), err))
		return error_prefix(err, "blob %s", digest->text);
	return 0;
}

int layout_blob_write(int dir, const struct digest *digest, const struct store_source *source,
	struct cancel *cancel, struct error *err)
{
	struct error damage = ERROR_INIT;
	bool present;
	cleanup_close int folder = layout_blob_folder(dir, digest, true, err);

	if (folder < 0)
		return -1;
	/* What can't be a blob (a link, a pipe) is replaced. */
	if (layout_blob_present(dir, &present, digest, source->size, &damage) || !present)
		return blob_make(folder, digest, source, cancel, err);
	if (source->progress)
		source->progress(source->context, source->size);
	return blob_settle(folder, digest, err);
}

static int bytes_make(
	int folder, const struct digest *digest, const void *bytes, size_t len, struct error *err)
{
	cleanup_with(layout_temp_close) struct temp_file temp = TEMP_FILE_INIT;

	if (layout_temp_create(&temp, folder, err))
		return -1;
	if (layout_file_write(temp.fd, bytes, len))
		return error_set_errno(err, errno, "blob %s", digest->text);
	return layout_temp_commit(&temp, digest_encoded(digest), err);
}

int layout_blob_write_bytes(
	int dir, const struct digest *digest, const void *bytes, size_t len, struct error *err)
{
	cleanup_with(buf_free) struct buf there = BUF_INIT(len);
	cleanup_close int folder = -1;

	if (digest_check(digest, bytes, len, err))
		return -1;
	folder = layout_blob_folder(dir, digest, true, err);
	if (folder < 0)
		return -1;
	if (layout_blob_read(dir, &there, digest, NULL) == 0)
		return blob_settle(folder, digest, err);
	return bytes_make(folder, digest, bytes, len, err);
}
