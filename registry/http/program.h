/*
 * program.h - runs a program, without a shell, within a time and with bounded output.
 */
#ifndef INDEXFS_HTTP_PROGRAM_H
#define INDEXFS_HTTP_PROGRAM_H

#include "buf.h"
#include "cancel.h"
#include "error.h"

#define PROGRAM_OUTPUT_MAX ((size_t)64 << 10)

struct program_result {
	int exit_status; /* 128 + its number where a signal ended it */
	char *output, *said; /* what came on its standard output and error; NUL-terminated */
};

#define PROGRAM_RESULT_INIT                                                                        \
	{                                                                                          \
		.output = NULL                                                                     \
	}

/* Wipes and frees; safe as a cleanup function. */
void program_result_clear(struct program_result *result);

/* The path of a program in an absolute folder of PATH; the caller frees it. ERROR_NOT_FOUND. */
int program_find(char **out, const char *name, struct error *err);

/* Runs argv[0], found as above, with input as its standard input. It inherits nothing but its three
 * standard streams and the environment, less our own password, and is the leader of a process
 * group, which is killed where it takes longer than limit_ms, writes more than
 * PROGRAM_OUTPUT_MAX, or cancel fires. *out must be empty. Success is that it ended, with
 * whatever status. ERROR_NOT_FOUND: no such program; ERROR_TIMEOUT, ERROR_TOO_LARGE,
 * ERROR_INTERRUPTED. */
int program_run(struct program_result *out, const char *const argv[], const struct buf *input,
	int limit_ms, struct cancel *cancel, struct error *err);

#endif
