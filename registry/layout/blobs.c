#include "registry/layout/blobs.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "cleanup.h"
#include "registry/layout/files.h"
#include "registry/layout/folder.h"
#include "registry/layout/blob_folder.h"

#define CHUNK ((size_t)256 << 10)

int layout_blob_folder(int dir, const struct digest *digest, bool make, struct error *err)
{
	int (*const enter)(int, const char *, struct error *) =
		make ? layout_dir_open_make : layout_dir_open;
	struct digest checked;
	char algorithm[16];
	cleanup_close int blobs = -1;

	if (!digest_parse(&checked, digest->text) || !digest_verifiable(&checked))
		return error_set(err, ERROR_CORRUPT,
			"blob %s: can't be verified, its algorithm isn't known", digest->text);
	snprintf(algorithm, sizeof(algorithm), "%.*s", (int)digest_algorithm_len(&checked),
		checked.text);
	blobs = enter(dir, BLOBS_FOLDER, err);
	return blobs < 0 ? -1 : enter(blobs, algorithm, err);
}

/* Whatever size it has: *size. */
static int blob_open_any(int dir, const struct digest *digest, int64_t *size, struct error *err)
{
	struct error why = ERROR_INIT;
	cleanup_close int folder = layout_blob_folder(dir, digest, false, &why);
	int fd = folder < 0 ? -1 : layout_file_open(folder, digest_encoded(digest), size, &why);

	if (fd < 0 && why.kind == ERROR_NOT_FOUND)
		return error_set(err, ERROR_NOT_FOUND, "blob %s: not found", digest->text);
	return fd < 0 ? error_copy(err, &why) : fd;
}

int layout_blob_open(int dir, const struct digest *digest, int64_t size, struct error *err)
{
	int64_t actual = 0;
	cleanup_close int fd = blob_open_any(dir, digest, &actual, err);

	if (fd < 0)
		return -1;
	if (actual != size)
		return error_set(err, ERROR_CORRUPT, "blob %s: has %lld bytes, not %lld",
			digest->text, (long long)actual, (long long)size);
	return steal_fd(&fd);
}

int layout_blob_present(
	int dir, bool *out, const struct digest *digest, int64_t size, struct error *err)
{
	struct error why = ERROR_INIT;
	int64_t actual = 0;
	cleanup_close int fd = blob_open_any(dir, digest, &actual, &why);

	*out = fd >= 0 && actual == size;
	return fd >= 0 || why.kind == ERROR_NOT_FOUND ? 0 : error_copy(err, &why);
}

int layout_blob_copy_out(int dir, const struct digest *digest, int64_t size, uint64_t offset,
	uint64_t length, const struct store_sink *sink, struct cancel *cancel, struct error *err)
{
	cleanup_free char *chunk = malloc(CHUNK);
	cleanup_close int fd = layout_blob_open(dir, digest, size, err);

	if (fd < 0)
		return -1;
	if (!chunk)
		return error_set_memory(err);
	if (offset > (uint64_t)size || length > (uint64_t)size - offset)
		return error_set(err, ERROR_INVALID, "blob %s: range beyond its end", digest->text);
	while (length > 0) {
		ssize_t n = layout_file_read_at(fd, chunk, length < CHUNK ? length : CHUNK, offset);

		if (cancel_fired(cancel))
			return error_set(err, ERROR_INTERRUPTED, "interrupted");
		if (n < 0)
			return error_set_errno(err, errno, "blob %s", digest->text);
		if (n == 0)
			return error_set(err, ERROR_CORRUPT, "blob %s: cut short", digest->text);
		if (sink->write(sink->context, offset, chunk, (size_t)n, err))
			return -1;
		offset += (uint64_t)n;
		length -= (uint64_t)n;
	}
	return 0;
}

int layout_blob_read(int dir, struct buf *out, const struct digest *digest, struct error *err)
{
	cleanup_close int folder = layout_blob_folder(dir, digest, false, err);

	if (folder < 0 || layout_file_read(folder, digest_encoded(digest), out, err))
		return -1;
	return digest_check(digest, out->data ? out->data : "", out->len, err);
}
