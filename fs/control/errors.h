/*
 * errors.h - the last errors of a mount, for .oci/status. Thread-safe.
 */
#ifndef INDEXFS_FS_CONTROL_ERRORS_H
#define INDEXFS_FS_CONTROL_ERRORS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "buf.h"
#include "error.h"

#define ERRORS_KEPT 20

struct error_entry {
	time_t when;
	unsigned long number; /* grows with each error, also with one that is the same again */
	char path[512];
	struct error error;
};

struct errors {
	pthread_mutex_t lock;
	struct error_entry entries[ERRORS_KEPT];
	unsigned long last_number;
	size_t total; /* ever; the newest is at (total - 1) % ERRORS_KEPT */
};

void errors_init(struct errors *errors);
void errors_destroy(struct errors *errors);
/* False where it is the newest one again, within seconds: then only its time is new. */
bool errors_add(struct errors *errors, const char *path, const struct error *err);

/* Appends a JSON array, newest first: number, time, path, errno, HTTP status where there is one,
 * the words without secrets. 0 or -1 as buf_append(). */
int errors_format(struct errors *errors, struct buf *out);

#endif
