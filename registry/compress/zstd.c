/*
 * zstd.c - RFC 8878: any number of frames, one after another.
 *
 * A frame begins byte by byte, because of two ways of libzstd: it reads formats from before the RFC
 * as well, which no reader of layers takes, so the magic number is looked at here; and where its
 * input holds the end of a frame's header and more, it may take that place for the frame's start.
 */
#include <stdint.h>
#include <stdlib.h>

#include <zstd.h>
#include <zstd_errors.h>

#include "registry/compress/codec.h"

/* What a frame may make its reader keep: 128 MiB, as the zstd program has it. */
#define WINDOW_LOG_MAX 27
#define MAGIC_LEN 4
#define HEADER_LEN_MAX 18 /* with the magic number */

struct zstd {
	ZSTD_DCtx *context;
	uint32_t magic; /* of the frame that has begun */
	size_t begun; /* how much of it has been taken, up to HEADER_LEN_MAX */
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

static bool magic_known(uint32_t magic)
{
	return magic == ZSTD_MAGICNUMBER ||
	       (magic & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START;
}

/* One byte of what a frame begins with. */
static int begin_step(struct zstd *zstd, unsigned char byte, struct error *err)
{
	size_t at = zstd->begun++;

	if (at == 0)
		zstd->magic = 0;
	if (at < MAGIC_LEN)
		zstd->magic |= (uint32_t)byte << (8 * at);
	if (at == MAGIC_LEN - 1 && !magic_known(zstd->magic))
		return error_set(err, ERROR_INVALID, "not zstd, or damaged");
	return 0;
}

static int zstd_step(void *state, struct codec_turn *turn, bool *ended, struct error *err)
{
	struct zstd *zstd = state;
	ZSTD_inBuffer in = {turn->in, turn->in_left, 0};
	ZSTD_outBuffer out = {turn->out, turn->out_left, 0};
	size_t result;

	if (in.size > 0 && zstd->begun < HEADER_LEN_MAX) {
		in.size = 1;
		if (begin_step(zstd, *turn->in, err))
			return -1;
	}
	result = ZSTD_decompressStream(zstd->context, &out, &in);
	if (ZSTD_isError(result))
		return zstd_failed(result, err);
	turn->in += in.pos;
	turn->in_left -= in.pos;
	turn->out += out.pos;
	turn->out_left -= out.pos;
	*ended = result == 0;
	if (*ended)
		zstd->begun = 0;
	return 0;
}

const struct codec codec_zstd = {zstd_open, zstd_step, zstd_close};
