/*
 * crash_point.c - what a crash point does in the build of `make CRASH=1`.
 *
 *     INDEXFS_CRASH=NAME:N          kills the process at the Nth passing of the point
 *     INDEXFS_CRASH_TRACE=FILE      appends the name of each point that is passed
 */
#ifndef CRASH_POINTS
#define CRASH_POINTS
#endif
#include "crash_point.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In one write to a file that is appended to: lines of many threads don't mix. */
static void trace(const char *name)
{
	const char *path = getenv("INDEXFS_CRASH_TRACE");
	char line[64];
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;

	if (fd < 0)
		return;
	snprintf(line, sizeof line, "%s\n", name);
	if (write(fd, line, strlen(line)) < 0)
		abort();
	close(fd);
}

/* Whether this passing of the point is the one to die at. */
static bool is_last(const char *name)
{
	static atomic_ulong passed;
	const char *wanted = getenv("INDEXFS_CRASH");
	size_t len = strlen(name);

	trace(name);
	if (!wanted || strncmp(wanted, name, len) != 0 || wanted[len] != ':')
		return false;
	return atomic_fetch_add(&passed, 1) + 1 == strtoul(wanted + len + 1, NULL, 10);
}

static void die(void)
{
	kill(getpid(), SIGKILL);
}

void crash_point(const char *name)
{
	int saved = errno;

	if (is_last(name))
		die();
	errno = saved;
}

void crash_torn(const char *name, int fd, const void *bytes, size_t len, off_t at)
{
	int saved = errno;
	bool last = is_last(name);

	errno = saved;
	if (!last)
		return;
	if (pwrite(fd, bytes, len / 2, at) != (ssize_t)(len / 2))
		abort();
	die();
}
