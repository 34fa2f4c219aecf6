/*
 * buf.h - a byte buffer with a ceiling.
 *
 * Everything that a user or the network fills has a limit, so that hostile input can't fill the
 * memory. data is NULL or always followed by a NUL that doesn't count, so text can be used as it
 * is. A failed call leaves the buffer as it was.
 */
#ifndef INDEXFS_BUF_H
#define INDEXFS_BUF_H

#include <stddef.h>

struct buf {
	char *data;
	size_t len;
	size_t capacity;
	size_t limit; /* len never grows beyond it */
};

#define BUF_INIT(limit_)                                                                           \
	{                                                                                          \
		.data = NULL, .len = 0, .capacity = 0, .limit = (limit_)                           \
	}

/* No ceiling: only for what this program itself makes from bounded parts. */
#define BUF_UNBOUNDED ((size_t)-1 / 2)

/* Each returns 0, or -1 with errno ENOMEM or EFBIG (the ceiling). */
int buf_append(struct buf *buf, const void *bytes, size_t len);
int buf_append_text(struct buf *buf, const char *text);
int buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Replaces old_len bytes at offset by new_len bytes. The span must lie within the buffer. */
int buf_splice(struct buf *buf, size_t offset, size_t old_len, const char *bytes, size_t new_len);

/* Empties the buffer and keeps its memory. */
void buf_reset(struct buf *buf);

/* Releases the memory; the buffer is empty and usable again. Safe as a cleanup function. */
void buf_free(struct buf *buf);

/* The text, now the caller's to free(); never NULL but for ENOMEM. The buffer is empty after. */
char *buf_steal(struct buf *buf);

#endif
