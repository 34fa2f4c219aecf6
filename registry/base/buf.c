#include "buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 64

/* Makes room for extra more bytes and the NUL after them. */
static int reserve(struct buf *buf, size_t extra)
{
	size_t limit = buf->limit < BUF_UNBOUNDED ? buf->limit : BUF_UNBOUNDED;

	if (buf->len > limit || extra > limit - buf->len) {
		errno = EFBIG;
		return -1;
	}
	size_t need = buf->len + extra + 1;
	if (need <= buf->capacity)
		return 0;

	size_t capacity = buf->capacity ? buf->capacity * 2 : FIRST_CAPACITY;
	if (capacity < need)
		capacity = need;
	else if (capacity > limit + 1)
		capacity = limit + 1;
	char *data = realloc(buf->data, capacity);
	if (!data)
		return -1;
	buf->data = data;
	buf->capacity = capacity;
	return 0;
}

int buf_append(struct buf *buf, const void *bytes, size_t len)
{
	if (reserve(buf, len))
		return -1;
	if (len)
		memcpy(buf->data + buf->len, bytes, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
	return 0;
}

int buf_append_text(struct buf *buf, const char *text)
{
	return buf_append(buf, text, strlen(text));
}

int buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0 || reserve(buf, (size_t)len))
		return -1;

	va_start(args, format);
	vsnprintf(buf->data + buf->len, (size_t)len + 1, format, args);
	va_end(args);
	buf->len += (size_t)len;
	return 0;
}

int buf_splice(struct buf *buf, size_t offset, size_t old_len, const char *bytes, size_t new_len)
{
	if (offset > buf->len || old_len > buf->len - offset) {
		errno = EINVAL;
		return -1;
	}
	if (reserve(buf, new_len > old_len ? new_len - old_len : 0))
		return -1;

	char *at = buf->data + offset;
	memmove(at + new_len, at + old_len, buf->len - offset - old_len);
	if (new_len)
		memcpy(at, bytes, new_len);
	buf->len = buf->len - old_len + new_len;
	buf->data[buf->len] = '\0';
	return 0;
}

void buf_reset(struct buf *buf)
{
	buf->len = 0;
	if (buf->data)
		buf->data[0] = '\0';
}

void buf_free(struct buf *buf)
{
	int saved = errno;

	free(buf->data);
	buf->data = NULL;
	buf->len = buf->capacity = 0;
	errno = saved;
}

char *buf_steal(struct buf *buf)
{
	char *text = buf->data ? buf->data : calloc(1, 1);

	buf->data = NULL;
	buf->len = buf->capacity = 0;
	return text;
}
