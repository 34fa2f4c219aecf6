/*
 * thread.h - threads that take no signals: those stay with the thread that handles them.
 */
#ifndef INDEXFS_THREAD_H
#define INDEXFS_THREAD_H

#include <pthread.h>

/* As pthread_create(), joinable, with every signal blocked but those that a fault raises.
 * Returns 0 or an errno. */
int thread_start(pthread_t *out, void *(*run)(void *context), void *context);

#endif
