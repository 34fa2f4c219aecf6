/*
 * utf8.h - whether bytes are UTF-8 (RFC 3629).
 */
#ifndef INDEXFS_UTF8_H
#define INDEXFS_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* How many of the len bytes at text are its first character, 1 to 4; 0 where they are none. */
size_t utf8_character_len(const char *text, size_t len);

/* How many bytes are the control character that a NUL-terminated text begins with: of ASCII, or of
 * U+0080 to U+009F, with which a terminal can be driven as well; 0 where there is none. */
size_t utf8_control_len(const char *text);

/* Whether all of a NUL-terminated text is UTF-8. */
bool utf8_valid(const char *text);

#endif
