/*
 * zstd.c - RFC 8878: any number of frames, one after another.
 *
 * libzstd also reads formats from before the RFC, which nothing else reads in a layer, with code
 * that nobody looks at any more: each frame's magic number is looked at here first.
 */
#include <stdint.h>
#include <stdlib.h>

#include <zstd.h>
#include <zstd_errors.h>

#include "registry/compress/codec.h"

/* What a frame may make its reader keep: 128 MiB, as the zstd program has it. */
#define WINDOW_LOG_MAX 27
#define MAGIC_LEN 4

struct zstd {
	ZSTD_DCtx *context;
	unsigned char magic[MAGIC_LEN]; /* of the frame that has begun */
	size_t magic_len;
};

static void zstd_close(void *state)
{
	struct zstd *zstd = state;

	ZSTD_freeDCtx(zstd->context);
	free(zstd);
}

static void *zstd_open(void)
{
	struct zstd *zstd = calloc(1, sizeof(*zstd));

	if (!zstd)
		return NULL;
	zstd->context = ZSTD_createDCtx();
	if (!zstd->context) {
		free(zstd);
		return NULL;
	}
	ZSTD_DCtx_setParameter(zstd->context, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	return zstd;
}

static int zstd_failed(size_t result, struct error *err)
{
	switch (ZSTD_getErrorCode(result)) {
	case ZSTD_error_memory_allocation:
		return error_set_memory(err);
	case ZSTD_error_frameParameter_windowTooLarge:
		return error_set(err, ERROR_INVALID,
			"its zstd window is over %d MiB, more than readers take: "
			"compress it with --long=%d or less",
			1 << (WINDOW_LOG_MAX - 20), WINDOW_LOG_MAX);
	default:
		return error_set(
			err, ERROR_INVALID, "not zstd, or damaged (%s)", ZSTD_getErrorName(result));
	}
}

static bool magic_known(const unsigned char *magic)
{
	uint32_t number = magic[0] | magic[1] << 8 | magic[2] << 16 | (uint32_t)magic[3] << 24;

	return number == ZSTD_MAGICNUMBER ||
	       (number & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START;
}

/* Takes what is still missing of a frame's magic number, and hands it on once it's whole. */
static int magic_step(struct zstd *zstd, struct codec_turn *turn, struct error *err)
{
	ZSTD_inBuffer in = {zstd->magic, MAGIC_LEN, 0};
	ZSTD_outBuffer out = {turn->out, 0, 0};
	size_t result;

	while (zstd->magic_len < MAGIC_LEN && turn->in_left > 0) {
		zstd->magic[zstd->magic_len++] = *turn->in++;
		turn->in_left--;
	}
	if (zstd->magic_len < MAGIC_LEN)
		return 0;
	if (!magic_known(zstd->magic))
		return error_set(err, ERROR_INVALID, "not zstd, or damaged");
	result = ZSTD_decompressStream(zstd->context, &out, &in);
	return ZSTD_isError(result) ? zstd_failed(result, err) : 0;
}

static int zstd_step(void *state, struct codec_turn *turn, bool *ended, struct error *err)
{
	struct zstd *zstd = state;
	ZSTD_inBuffer in;
	ZSTD_outBuffer out;
	size_t result;

	*ended = false;
	if (zstd->magic_len < MAGIC_LEN)
		return magic_step(zstd, turn, err);
	in = (ZSTD_inBuffer){turn->in, turn->in_left, 0};
	out = (ZSTD_outBuffer){turn->out, turn->out_left, 0};
	result = ZSTD_decompressStream(zstd->context, &out, &in);
	if (ZSTD_isError(result))
		return zstd_failed(result, err);
	turn->in += in.pos;
	turn->in_left -= in.pos;
	turn->out += out.pos;
	turn->out_left -= out.pos;
	*ended = result == 0;
	if (*ended)
		zstd->magic_len = 0;
	return 0;
}

const struct codec codec_zstd = {zstd_open, zstd_step, zstd_close};
