/*
 * parallel.h - the same work on many items, a few at a time.
 */
#ifndef INDEXFS_PARALLEL_H
#define INDEXFS_PARALLEL_H

#include <stddef.h>

#include "error.h"

/* Calls work(context, i, err) for each i below count on up to jobs threads, and returns when all
 * have ended. After the first failure no further item is begun; its error is *err. */
int parallel_for(size_t count, int jobs, int (*work)(void *context, size_t i, struct error *err),
	void *context, struct error *err);

#endif
