#include "registry/remote/blob_reader.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

#define NUMBER_LEN_MAX 18 /* fits without overflow */

void blob_reader_init(struct blob_reader *reader, const struct store_sink *sink, const char *label,
	uint64_t size, uint64_t offset, uint64_t length)
{
	*reader = (struct blob_reader){
		.sink = sink,
		.label = label,
		.size = size,
		.next = offset,
		.end = offset + length,
		.moved_ms = clock_ms(),
	};
}

bool blob_reader_is_partial(const struct blob_reader *reader)
{
	return !reader->whole && (reader->next != 0 || reader->end != reader->size);
}

/* Digits up to the character that ends them, behind which *text is then. */
static bool parse_number(const char **text, char ends, uint64_t *out)
{
	char *end;

	if (**text < '0' || **text > '9' || strspn(*text, "0123456789") > NUMBER_LEN_MAX)
		return false;
	*out = strtoull(*text, &end, 10);
	*text = end + (ends != '\0');
	return *end == ends;
}

/* "bytes FIRST-LAST/TOTAL" (RFC 9110, section 14.4). */
static bool parse_content_range(const char *text, uint64_t *first, uint64_t *last, uint64_t *total)
{
	if (!text || strncmp(text, "bytes ", 6) != 0)
		return false;
	text += 6;
	return parse_number(&text, '-', first) && parse_number(&text, '/', last) &&
	       parse_number(&text, '\0', total);
}

static int check_range(
	struct blob_reader *reader, const struct http_response *response, struct error *err)
{
	const char *text = http_headers_get(&response->headers, "Content-Range");
	uint64_t first, last, total;

	reader->misfit = !parse_content_range(text, &first, &last, &total) ||
			 first != reader->next || last != reader->end - 1;
	if (reader->misfit)
		return error_set(err, ERROR_PROTOCOL,
			"%s: asked for bytes %" PRIu64 "-%" PRIu64 ", got \"%.100s\"",
			reader->label, reader->next, reader->end - 1, text ? text : "");
	if (total != reader->size)
		return error_set(err, ERROR_CORRUPT,
			"%s: the registry has %" PRIu64 " bytes, not %" PRIu64, reader->label,
			total, reader->size);
	return 0;
}

static int reader_begin(void *context, const struct http_response *response, struct error *err)
{
	struct blob_reader *reader = context;
	int64_t length = http_headers_length(&response->headers);

	if (response->status == 206) {
		if (!blob_reader_is_partial(reader))
			return error_set(err, ERROR_PROTOCOL, "%s: all was asked for, got a part",
				reader->label);
		if (check_range(reader, response, err))
			return -1;
		reader->at = reader->next;
		reader->answer_end = reader->end;
	} else if (response->status == 200) {
		reader->at = 0;
		reader->answer_end = reader->size;
		if (!reader->started) {
			reader->next = 0;
			reader->end = reader->size;
		}
	} else {
		return error_set_http(err, ERROR_PROTOCOL, response->status,
			"%s: unexpected answer (HTTP %d)", reader->label, response->status);
	}
	if (length >= 0 && (uint64_t)length != reader->answer_end - reader->at)
		return error_set(err, ERROR_CORRUPT,
			"%s: the registry sends %" PRId64 " bytes, not %" PRIu64, reader->label,
			length, reader->answer_end - reader->at);
	return 0;
}

/* Gives on what of these bytes, which are at reader->at, is missing. */
static int reader_give(struct blob_reader *reader, const char *bytes, size_t len, struct error *err)
{
	uint64_t skip = reader->at < reader->next ? reader->next - reader->at : 0;
	uint64_t left = reader->end - reader->next;

	if (skip >= len)
		return 0;
	len -= (size_t)skip;
	if (len > left)
		len = (size_t)left;
	reader->started = true;
	reader->moved_ms = clock_ms();
	if (reader->sink->write(reader->sink->context, reader->next, bytes + skip, len, err))
		return -1;
	reader->next += len;
	return 0;
}

static int reader_write(void *context, const void *bytes, size_t len, struct error *err)
{
	struct blob_reader *reader = context;
	uint64_t left = reader->answer_end - reader->at;
	size_t fits = len < left ? len : (size_t)left;

	if (reader_give(reader, bytes, fits, err))
		return -1;
	reader->at += fits;
	reader->enough =
		reader->next == reader->end && (reader->at < reader->answer_end || fits < len);
	return reader->enough ? error_set(err, ERROR_INTERRUPTED, "%s: the rest isn't needed",
					reader->label)
			      : 0;
}

struct http_sink blob_reader_sink(struct blob_reader *reader)
{
	return (struct http_sink){
		.begin = reader_begin,
		.write = reader_write,
		.context = reader,
	};
}
