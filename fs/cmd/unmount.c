#include "fs/cmd/unmount.h"

#include <errno.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

static int run_helper(const char *mountpoint, enum unmount_how how, struct error *err)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		execlp("fusermount3", "fusermount3", how == UNMOUNT_DETACH ? "-uz" : "-u", "--",
			mountpoint, (char *)NULL);
		_exit(127);
	}
	if (child < 0)
		return error_set_errno(err, errno, "can't run fusermount3");
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return error_set_errno(err, errno, "can't run fusermount3");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return error_set(err, ERROR_INVALID,
			"can't unmount: fusermount3, of the package fuse3, isn't installed");
	return status ? error_set(err, ERROR_INVALID, "fusermount3 could not unmount it") : 0;
}

int unmount(const char *mountpoint, enum unmount_how how, struct error *err)
{
	if (geteuid() != 0)
		return run_helper(mountpoint, how, err);
	if (umount2(mountpoint, UMOUNT_NOFOLLOW | (how == UNMOUNT_DETACH ? MNT_DETACH : 0)))
		return error_set_errno(err, errno, "can't unmount");
	return 0;
}
