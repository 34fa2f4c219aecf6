/*
 * gzip.c - RFC 1952: any number of members, one after another.
 */
#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

#include "registry/compress/codec.h"

#define GZIP_ONLY (MAX_WBITS + 16)

static void *gzip_open(void)
{
	z_stream *stream = calloc(1, sizeof(*stream));

	if (stream && inflateInit2(stream, GZIP_ONLY) == Z_OK)
		return stream;
	free(stream);
	return NULL;
}

static int gzip_step(void *state, struct codec_turn *turn, bool *ended, struct error *err)
{
	z_stream *stream = state;
	int result;

	if (*ended)
		inflateReset(stream);
	*ended = false;
	stream->next_in = turn->in;
	stream->avail_in = (uInt)turn->in_left;
	stream->next_out = turn->out;
	stream->avail_out = (uInt)turn->out_left;
	result = inflate(stream, Z_NO_FLUSH);
	turn->in = stream->next_in;
	turn->in_left = stream->avail_in;
	turn->out = stream->next_out;
	turn->out_left = stream->avail_out;
	*ended = result == Z_STREAM_END;
	if (result == Z_MEM_ERROR)
		return error_set_memory(err);
	if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
		return error_set(err, ERROR_INVALID, "not gzip, or damaged (%s)",
			stream->msg ? stream->msg : "no data");
	return 0;
}

static void gzip_close(void *state)
{
	inflateEnd(state);
	free(state);
}

const struct codec codec_gzip = {gzip_open, gzip_step, gzip_close};
