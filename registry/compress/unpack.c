#include "registry/compress/unpack.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "registry/compress/codec.h"

#define ROOM ((size_t)64 << 10)

struct unpack {
	const struct codec *codec; /* NULL: what goes in comes out */
	void *state;
	struct unpack_limits limits;
	struct hasher *hasher;
	uint64_t in, out; /* bytes up to now */
	bool ended; /* all could end here */
	unsigned char room[ROOM];
};

static const struct codec *const codecs[] = {
	[COMPRESSION_NONE] = NULL,
	[COMPRESSION_GZIP] = &codec_gzip,
	[COMPRESSION_ZSTD] = &codec_zstd,
};

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcasecmp(text + len - end_len, end) == 0;
}

enum compression compression_of_type(const char *media_type)
{
	if (ends_with(media_type, "gzip"))
		return COMPRESSION_GZIP;
	return ends_with(media_type, "zstd") ? COMPRESSION_ZSTD : COMPRESSION_NONE;
}

enum compression compression_of_bytes(const void *bytes, size_t len)
{
	if (len >= 3 && memcmp(bytes, "\x1f\x8b\x08", 3) == 0)
		return COMPRESSION_GZIP;
	if (len >= 4 && memcmp(bytes, "\x28\xb5\x2f\xfd", 4) == 0)
		return COMPRESSION_ZSTD;
	return COMPRESSION_NONE;
}

struct unpack *unpack_new(enum compression compression, const struct unpack_limits *limits)
{
	struct unpack *unpack = calloc(1, sizeof(*unpack));

	if (!unpack)
		return NULL;
	unpack->limits = *limits;
	unpack->hasher = hasher_new(NULL);
	unpack->codec = codecs[compression];
	if (unpack->codec)
		unpack->state = unpack->codec->open();
	if (unpack->hasher && (unpack->state || !unpack->codec))
		return unpack;
	unpack_free(unpack);
	return NULL;
}

void unpack_free(struct unpack *unpack)
{
	if (!unpack)
		return;
	if (unpack->state)
		unpack->codec->close(unpack->state);
	hasher_free(unpack->hasher);
	free(unpack);
}

static int limits_check(const struct unpack *unpack, struct error *err)
{
	const struct unpack_limits *limits = &unpack->limits;

	if (unpack->out > limits->total)
		return error_set(err, ERROR_TOO_LARGE, "it unpacks to more than %llu GiB",
			(unsigned long long)(limits->total >> 30));
	if (unpack->out > limits->free && unpack->out / limits->ratio > unpack->in)
		return error_set(err, ERROR_TOO_LARGE,
			"it unpacks to more than %llu times its size",
			(unsigned long long)limits->ratio);
	return 0;
}

static int room_flush(
	struct unpack *unpack, const struct codec_turn *turn, size_t taken, struct error *err)
{
	size_t made = ROOM - turn->out_left;

	hasher_update(unpack->hasher, unpack->room, made);
	unpack->in += taken;
	unpack->out += made;
	return limits_check(unpack, err);
}

static int codec_feed(struct unpack *unpack, struct codec_turn *turn, struct error *err)
{
	do {
		size_t before = turn->in_left;

		turn->out = unpack->room;
		turn->out_left = ROOM;
		if (unpack->codec->step(unpack->state, turn, &unpack->ended, err) ||
			room_flush(unpack, turn, before - turn->in_left, err))
			return -1;
	} while (turn->in_left > 0 || (turn->out_left == 0 && !unpack->ended));
	return 0;
}

int unpack_feed(struct unpack *unpack, const void *bytes, size_t len, struct error *err)
{
	struct codec_turn turn = {.in = bytes, .in_left = len};

	if (len == 0)
		return 0;
	if (unpack->codec)
		return codec_feed(unpack, &turn, err);
	hasher_update(unpack->hasher, bytes, len);
	unpack->in += len;
	unpack->out += len;
	return limits_check(unpack, err);
}

int unpack_finish(struct unpack *unpack, struct digest *out, struct error *err)
{
	if (unpack->codec && !unpack->ended)
		return error_set(err, ERROR_INVALID, "the compressed data end too early");
	hasher_digest(unpack->hasher, out);
	return digest_is_set(out) ? 0 : error_set_memory(err);
}
