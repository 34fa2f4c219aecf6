/*
 * blob_reader.h - lets through exactly the bytes of a blob that were asked for.
 *
 * Stands between an answer and who wants the blob: the answer must be a range that is exactly the
 * one asked for, or the whole blob (RFC 9110, section 14). What comes beyond its end isn't taken.
 * When a broken transfer is taken up again, nothing is given out twice, and where that answer is
 * the whole blob, no more than what is missing.
 */
#ifndef INDEXFS_REMOTE_BLOB_READER_H
#define INDEXFS_REMOTE_BLOB_READER_H

#include "registry/http/http.h"
#include "store.h"

struct blob_reader {
	const struct store_sink *sink;
	const char *label; /* what the blob is called in messages */
	uint64_t size; /* of the blob */
	uint64_t next; /* what the sink gets next */
	uint64_t end; /* where it has all */
	bool started; /* the sink has got something */
	bool whole; /* the host's ranges can't be used: all of the blob is asked for */
	bool misfit; /* the answer was another range than the one asked for */
	bool enough; /* the transfer was ended because the rest of the answer isn't needed */
	uint64_t at; /* place in the blob of the answer's next byte */
	uint64_t answer_end; /* and where the answer ends */
	int64_t moved_ms; /* when bytes last came */
};

/* Borrows sink and label. */
void blob_reader_init(struct blob_reader *reader, const struct store_sink *sink, const char *label,
	uint64_t size, uint64_t offset, uint64_t length);

/* Whether what is still missing is asked for by a range: where it's less than the whole blob. */
bool blob_reader_is_partial(const struct blob_reader *reader);

/* The sink for a request that asks for what is missing; it borrows the reader. */
struct http_sink blob_reader_sink(struct blob_reader *reader);

#endif
