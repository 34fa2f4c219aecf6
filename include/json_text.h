/*
 * json_text.h - JSON strings for those who write status by hand.
 */
#ifndef INDEXFS_JSON_TEXT_H
#define INDEXFS_JSON_TEXT_H

#include "buf.h"

/* Appends text as a JSON string with its quotes. Bytes that aren't UTF-8 become U+FFFD.
 * Returns 0 or -1 as buf_append(). */
int json_append_string(struct buf *out, const char *text);

#endif
