/*
 * report.h - .oci/status in words.
 */
#ifndef INDEXFS_FS_CMD_REPORT_H
#define INDEXFS_FS_CMD_REPORT_H

#include <stdint.h>
#include <stdio.h>

#include "json_value.h"

/* All of it. bar: how wide a bar for each upload is; 0: none. */
void report_all(FILE *to, const char *mountpoint, const char *source,
	const struct json_value *status, int bar);

/* What isn't committed; returns how much that is. Nothing is printed where it's nothing. */
size_t report_uncommitted(FILE *to, const struct json_value *status);

/* What only the user can mend, each with what to do: drafts, strays, conflicts. */
void report_troubles(FILE *to, const char *mountpoint, const struct json_value *status);

/* The newest errors with a number above after, the oldest of them first, at most so many. */
void report_errors(FILE *to, const struct json_value *status, int64_t after, size_t most);
/* The number of the newest error; -1 where there is none. */
int64_t report_last_error(const struct json_value *status);

/* What is being uploaded, all together. */
struct report_sum {
	size_t files; /* under way */
	int64_t sent, size;
};
struct report_sum report_uploads_sum(const struct json_value *status);

/* "12.3 MiB"; and "[####----]" of so many characters between the brackets. */
#define REPORT_SIZE_LEN 24
void report_size(char out[static REPORT_SIZE_LEN], int64_t bytes);
void report_bar(FILE *to, int width, int64_t sent, int64_t size);

#endif
