/*
 * patience.h - how long a test waits.
 *
 * No test asserts seconds. Where a wait is what is tested, a slow machine must not end it too soon:
 * the runner says by TEST_PATIENCE how many times slower than usual this run may be.
 */
#ifndef INDEXFS_TEST_PATIENCE_H
#define INDEXFS_TEST_PATIENCE_H

#include <check.h>
#include <unistd.h>

/* Seconds of a timeout that no test runs into. */
#define AMPLE_TIMEOUT 60

/* 1 on a usual run. */
int patience(void);

/* Seconds of a timeout that a test does run into, once the other side has what it was sent. */
int brief_timeout(void);

/* Waits, for as long as it can take, until a condition holds that has no other sign. */
#define await(condition)                                                                           \
	do {                                                                                       \
		for (int i_ = 0; !(condition); i_++) {                                             \
			ck_assert_msg(                                                             \
				i_ < AMPLE_TIMEOUT * 1000, "it never comes: %s", #condition);      \
			usleep(1000);                                                              \
		}                                                                                  \
	} while (0)

#endif
