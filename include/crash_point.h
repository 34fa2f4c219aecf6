/*
 * crash_point.h - places where a test kills this process, to see what is left.
 *
 * They exist in the build of `make CRASH=1` alone (tests/crash/); anywhere else they are nothing.
 * Each name is used once: tests/crash/crash.py reads the names from the source, and fails for one
 * that none of its scenarios passes.
 */
#ifndef INDEXFS_CRASH_POINT_H
#define INDEXFS_CRASH_POINT_H

#ifdef CRASH_POINTS

#include <stddef.h>
#include <sys/types.h>

void crash_point(const char *name);

/* Half of the write that comes next is done before the end. */
void crash_torn(const char *name, int fd, const void *bytes, size_t len, off_t at);

#define CRASH_POINT(name) crash_point(name)
#define CRASH_TORN(name, fd, bytes, len, at) crash_torn(name, fd, bytes, len, at)

#else

#define CRASH_POINT(name) ((void)0)
#define CRASH_TORN(name, fd, bytes, len, at) ((void)0)

#endif
#endif
