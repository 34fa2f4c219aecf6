/*
 * secret.h - text that must not stay in memory once it's used.
 */
#ifndef INDEXFS_SECRET_H
#define INDEXFS_SECRET_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

/* Wipes the text and frees it; NULL is allowed. errno stays. */
static inline void secret_free(char *text)
{
	int saved = errno;

	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
	errno = saved;
}

static inline void secret_freep(char **text)
{
	secret_free(*text);
}

/* The same of a buffer, whatever it has held. */
static inline void secret_buf_free(struct buf *buf)
{
	if (buf->data)
		explicit_bzero(buf->data, buf->capacity);
	buf_free(buf);
}

#define cleanup_secret __attribute__((cleanup(secret_freep)))

#endif
