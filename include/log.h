/*
 * log.h - what happened, kept as the last lines and written to where the user looks.
 *
 * A log is passed to who needs it; there is no global one. It keeps the last LOG_LINES lines for
 * .oci/log, and writes each line to a stream (standard error in the foreground) or to syslog once
 * the program has become a daemon. Secrets are removed before a line is kept: the values of
 * Authorization headers, passwords in URLs, and the queries of signed URLs. Thread-safe.
 */
#ifndef INDEXFS_LOG_H
#define INDEXFS_LOG_H

#include <stddef.h>

#include "buf.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

#define LOG_LINES 256
#define LOG_LINE_SIZE 2048

struct log;

/* Lines above level (more detailed) are dropped. NULL when out of memory. */
struct log *log_new(enum log_level level);
void log_free(struct log *log);

/* From now on lines go to syslog instead of standard error. */
void log_use_syslog(struct log *log);

/* One line, without a newline. log may be NULL. */
void log_write(struct log *log, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The text as a line has it: without secrets and control characters, cut to fit at a whole word. */
void log_clean(char *out, size_t size, const char *text);

/* Appends the kept lines, oldest first, each with its time (RFC 3339, UTC) and level.
 * Returns 0 or -1 with errno of buf_append. */
int log_read(struct log *log, struct buf *out);

#endif
