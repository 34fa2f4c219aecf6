#include "diff_id.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "cleanup.h"
#include "registry/compress/unpack.h"

#define PIECE ((size_t)256 << 10)

static void unpack_freep(struct unpack **unpack)
{
	unpack_free(*unpack);
}

/* Fills the piece, but for the last one. The bytes read, 0 at the end, -1 with errno. */
static ssize_t piece_read(int fd, char *piece, off_t offset)
{
	size_t have = 0;

	while (have < PIECE) {
		ssize_t n = pread(fd, piece + have, PIECE - have, offset + (off_t)have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

static int file_unpack(struct digest *out, int fd, const char *media_type, struct cancel *cancel,
	struct error *err)
{
	static const struct unpack_limits limits = UNPACK_LIMITS;
	cleanup_with(unpack_freep) struct unpack *unpack = NULL;
	cleanup_free char *piece = malloc(PIECE);
	off_t offset = 0;
	ssize_t n;

	if (!piece)
		return error_set_memory(err);
	do {
		n = piece_read(fd, piece, offset);
		if (n < 0)
			return error_set_errno(err, errno, "can't be read");
		if (cancel_fired(cancel))
			return error_set(err, ERROR_INTERRUPTED, "interrupted");
		if (!unpack)
			unpack = unpack_new(media_type ? compression_of_type(media_type)
						       : compression_of_bytes(piece, (size_t)n),
				&limits);
		if (!unpack)
			return error_set_memory(err);
		if (unpack_feed(unpack, piece, (size_t)n, err))
			return -1;
		offset += n;
	} while (n > 0);
	return unpack_finish(unpack, out, err);
}

bool diff_id_is_own(const char *media_type)
{
	return compression_of_type(media_type) == COMPRESSION_NONE;
}

int diff_id_of_fd(struct digest *out, int fd, const char *name, const char *media_type,
	struct cancel *cancel, struct error *err)
{
	if (file_unpack(out, fd, media_type, cancel, err) == 0)
		return 0;
	return error_prefix(err, "%s", name);
}
