/*
 * redact.h - text that may be shown: without secrets, without control characters.
 */
#ifndef INDEXFS_REDACT_H
#define INDEXFS_REDACT_H

#include <stddef.h>

/* Copies text with "***" for what is secret: the values of Authorization headers, what follows
 * "Bearer" and "Basic", passwords in URLs, and the queries of URLs and paths. Where it can't be
 * told, too much is taken for secret. Cut to fit. */
void redact(char *out, size_t size, const char *text);

/* Puts "***" in place of each occurrence of a secret that is known. NULL, and what is too short to
 * be one, changes nothing. */
void redact_known(char *text, const char *secret);

/* Copies text with \n, \r, \t and \xXX for control characters. Cut to fit, at a whole one. */
void escape_controls(char *out, size_t size, const char *text);

#endif
