/* Compressed bytes hold the same whether they come at once or one by one, and end where they must.
 * The first byte says which format they are taken for. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "registry/compress/unpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool unpack_in(struct digest *out, enum compression compression, const uint8_t *data,
	size_t size, size_t piece)
{
	static const struct unpack_limits limits = {1 << 22, 1 << 22, 1};
	struct unpack *unpack = unpack_new(compression, &limits);
	struct error err = ERROR_INIT;
	int result = 0;

	if (!unpack)
		abort();
	for (size_t at = 0; at < size && !result; at += piece)
		result =
			unpack_feed(unpack, data + at, size - at < piece ? size - at : piece, &err);
	if (!result)
		result = unpack_finish(unpack, out, &err);
	if (result && err.kind != ERROR_INVALID && err.kind != ERROR_TOO_LARGE)
		abort();
	unpack_free(unpack);
	return !result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct digest whole = DIGEST_NONE, bytes = DIGEST_NONE;
	enum compression compression;
	bool good;

	if (size == 0)
		return 0;
	compression = data[0] & 1 ? COMPRESSION_ZSTD : COMPRESSION_GZIP;
	good = unpack_in(&whole, compression, data + 1, size - 1, size);
	if (good != unpack_in(&bytes, compression, data + 1, size - 1, 1) ||
		!digest_equal(&whole, &bytes))
		abort();
	return 0;
}
