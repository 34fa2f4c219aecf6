#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "buf.h"
#include "cleanup.h"
#include "fs/cmd/cmd.h"
#include "fs/cmd/unmount.h"

/* The text of .oci/FILE of a mount, or NULL. */
static char *read_control(const char *mountpoint, const char *file)
{
	cleanup_with(buf_free) struct buf path = BUF_INIT(BUF_UNBOUNDED);
	cleanup_with(buf_free) struct buf text = BUF_INIT((size_t)16 << 20);
	cleanup_close int fd = -1;
	char chunk[4096];
	ssize_t got;

	if (buf_printf(&path, "%s/.oci/%s", mountpoint, file))
		return NULL;
	fd = open(path.data, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	while ((got = read(fd, chunk, sizeof chunk)) > 0)
		if (buf_append(&text, chunk, (size_t)got))
			return NULL;
	return got < 0 ? NULL : buf_steal(&text);
}

/* The process that serves a mount, as something to wait for; -1 where it isn't known. */
static int open_process(const char *status)
{
	const char *pid = status ? strstr(status, "\"pid\": ") : NULL;

	return pid ? (int)syscall(
			     SYS_pidfd_open, (pid_t)strtol(pid + strlen("\"pid\": "), NULL, 10), 0)
		   : -1;
}

#define UNCOMMITTED "\"uncommitted\": [\n"

/* What isn't committed, as it is named in .oci/status, a line for each. */
static void tell_uncommitted(const char *mountpoint, const char *status)
{
	const char *list = status ? strstr(status, UNCOMMITTED) : NULL;
	const char *end = list ? strstr(list, "\n  ]") : NULL;

	if (!end)
		return;
	list += strlen(UNCOMMITTED);
	fprintf(stderr,
		"indexfs: %s: not published; kept, and there again after the next mount:\n%.*s\n",
		mountpoint, (int)(end - list), list);
}

int cmd_umount(int argc, char **argv)
{
	struct error err = ERROR_INIT;
	cleanup_free char *mountpoint = NULL, *status = NULL;
	cleanup_close int process = -1;
	struct pollfd ended;

	if (argc != 2)
		return cmd_usage("umount takes a MOUNTPOINT");
	mountpoint = realpath(argv[1], NULL);
	if (!mountpoint) {
		error_set_errno(&err, errno, "can't unmount");
		return cmd_fail(argv[1], &err);
	}
	status = read_control(mountpoint, "status");
	process = open_process(status);
	if (unmount(mountpoint, UNMOUNT_WHOLE, &err))
		return cmd_fail(argv[1], &err);
	ended = (struct pollfd){.fd = process, .events = POLLIN};
	while (process >= 0 && poll(&ended, 1, -1) < 0 && errno == EINTR)
		;
	tell_uncommitted(argv[1], status);
	return 0;
}
