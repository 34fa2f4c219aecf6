#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "fs/cmd/cmd.h"
#include "fs/cmd/control_file.h"
#include "fs/cmd/mounts.h"
#include "fs/cmd/publish.h"
#include "fs/cmd/report.h"
#include "fs/cmd/unmount.h"

#define FIRST_WORD_MS 3000
#define WORD_MS 5000

static const struct option long_options[] = {
	{"commit", no_argument, NULL, 'c'},
	{NULL, 0, NULL, 0},
};

/* A mount that is to go. */
struct leaving {
	const char *shown; /* as the user calls it */
	const char *mountpoint;
	bool commit; /* only once all is published */
	struct json_value *status; /* NULL: not known */
	pid_t pid;
};

static bool has_uncommitted(const struct leaving *leaving)
{
	return json_value_first(json_value_member(leaving->status, "uncommitted")) != NULL;
}

/* Whether the mount publishes by itself what is left at its end: better now, where it's seen. */
static bool publishes_at_end(const struct leaving *leaving)
{
	const char *mode = json_value_text(json_value_member(leaving->status, "commit"));

	return mode && strcmp(mode, "fsync") != 0;
}

static void read_status(struct leaving *leaving)
{
	json_value_free(leaving->status);
	leaving->status = control_status(leaving->mountpoint, NULL);
	leaving->pid = (pid_t)json_value_number(json_value_member(leaving->status, "pid"), 0);
}

static void tell_uncommitted(const struct leaving *leaving)
{
	if (!has_uncommitted(leaving))
		return;
	fputs("indexfs: ", stderr);
	cmd_put(stderr, leaving->shown);
	fputs(": not published; kept, and there again after the next mount:\n", stderr);
	report_uncommitted(stderr, leaving->status);
}

/* The program goes on for a while: it ends a commit, or sends no more. */
static void wait_for_end(const struct leaving *leaving, int process)
{
	struct pollfd ended = {.fd = process, .events = POLLIN};
	int waited = 0, got = 0;

	while (process >= 0 && got <= 0) {
		got = poll(&ended, 1, waited ? WORD_MS : FIRST_WORD_MS);
		if (got)
			continue;
		waited += waited ? WORD_MS : FIRST_WORD_MS;
		fputs("indexfs: ", stderr);
		cmd_put(stderr, leaving->shown);
		fprintf(stderr,
			": unmounted; since %d s its program (process %d) ends what it has begun\n",
			waited / 1000, (int)leaving->pid);
	}
}

/* Whether that has failed so that the mount stays. */
static bool publish_first(struct leaving *leaving)
{
	int number = 0;

	if (!has_uncommitted(leaving) || (!leaving->commit && !publishes_at_end(leaving)))
		return false;
	number = publish_mount(leaving->mountpoint, leaving->shown);
	if (number && (leaving->commit || number == EINTR))
		return true;
	read_status(leaving);
	return false;
}

static int take_away(struct leaving *leaving)
{
	struct error err = ERROR_INIT;
	cleanup_close int process = -1;

	read_status(leaving);
	if (publish_first(leaving))
		return cmd_fail_hint("it is mounted still");
	if (leaving->pid > 0)
		process = (int)syscall(SYS_pidfd_open, leaving->pid, 0);
	if (unmount(leaving->mountpoint, UNMOUNT_WHOLE, &err)) {
		cmd_fail(leaving->shown, &err);
		return cmd_fail_hint(
			"a program may be in it, or have a file of it open: fuser -vm");
	}
	wait_for_end(leaving, process);
	tell_uncommitted(leaving);
	return 0;
}

static int run(const char *shown, bool commit)
{
	cleanup_with(mounts_clear) struct mounts mounts = {.items = NULL};
	struct error err = ERROR_INIT;
	cleanup_free char *path = path_resolve(shown, &err);
	struct leaving leaving = {.shown = shown, .mountpoint = path, .commit = commit};
	const struct mounted *around;
	int result;

	if (!path || mounts_read(&mounts, &err))
		return cmd_fail("umount", &err);
	around = mounts_of(&mounts, path);
	if (!mounts_at(&mounts, path)) {
		error_set(&err, ERROR_INVALID, "%s%s",
			around ? "it lies in the mount at " : "no indexfs is mounted there",
			around ? around->mountpoint : "");
		return cmd_fail(shown, &err);
	}
	if (mounted_is_dead(path))
		return unmount(path, UNMOUNT_DETACH, &err) ? cmd_fail(shown, &err) : 0;
	result = take_away(&leaving);
	json_value_free(leaving.status);
	return result;
}

int cmd_umount(int argc, char **argv)
{
	bool commit = false;
	int option;

	optind = 1;
	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (option != 'c')
			return CMD_USAGE;
		commit = true;
	}
	if (argc - optind != 1)
		return cmd_usage("umount takes a MOUNTPOINT");
	return run(argv[optind], commit);
}
