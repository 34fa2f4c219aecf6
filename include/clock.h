/*
 * clock.h - the time that only goes on.
 */
#ifndef INDEXFS_CLOCK_H
#define INDEXFS_CLOCK_H

#include <stdint.h>

/* Milliseconds of a clock that never goes back. */
int64_t clock_ms(void);

#endif
