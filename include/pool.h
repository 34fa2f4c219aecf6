/*
 * pool.h - threads for work that may block, so that a FUSE thread never waits for the network.
 *
 * Threads are made when there is work and end after some idle seconds, so an idle mount holds
 * none. Thread-safe.
 */
#ifndef INDEXFS_POOL_H
#define INDEXFS_POOL_H

#include "error.h"

struct pool;

/* At most max_threads run at once; further work waits in order. */
int pool_new(struct pool **out, int max_threads, struct error *err);

/* Waits for all work that was submitted. Nothing may submit any more. */
void pool_free(struct pool *pool);

/* Runs work(context) soon on a thread of the pool. Never blocks; ERROR_MEMORY or ERROR_SYSTEM
 * where it can't be queued (then work isn't run). */
int pool_submit(struct pool *pool, void (*work)(void *context), void *context, struct error *err);

#endif
