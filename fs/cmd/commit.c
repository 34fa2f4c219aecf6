#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "buf.h"
#include "cleanup.h"
#include "fs/cmd/cmd.h"
#include "fs/cmd/mounts.h"
#include "fs/cmd/publish.h"

#define SETTLE "user.oci.settle"

static const struct option long_options[] = {
	{"ours", no_argument, NULL, 'o'},
	{"theirs", no_argument, NULL, 't'},
	{NULL, 0, NULL, 0},
};

/* Whose change counts at a path of the mount, and below it, in the commit that comes. */
static int settle(const char *mountpoint, const char *path, const char *side, struct error *err)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(BUF_UNBOUNDED);
	const char *below = path + strlen(mountpoint);

	below += *below == '/';
	if (buf_printf(&text, "%s %s", side, *below ? below : "."))
		return error_set_memory(err);
	if (setxattr(mountpoint, SETTLE, text.data, text.len, 0))
		return error_set_errno(err, errno, "can't settle it");
	return 0;
}

static int run(const char *shown, const char *side)
{
	cleanup_with(mounts_clear) struct mounts mounts = {.items = NULL};
	struct error err = ERROR_INIT;
	cleanup_free char *path = path_resolve(shown, &err);
	const struct mounted *mounted;

	if (!path || mounts_read(&mounts, &err))
		return cmd_fail("commit", &err);
	mounted = mounts_of(&mounts, path);
	if (!mounted)
		error_set(&err, ERROR_INVALID,
			"it lies in no mount of indexfs; indexfs status lists those");
	if (!mounted || (side && settle(mounted->mountpoint, path, side, &err)))
		return cmd_fail(shown, &err);
	return publish_mount(mounted->mountpoint, shown) ? CMD_FAILED : 0;
}

int cmd_commit(int argc, char **argv)
{
	const char *side = NULL, *asked;
	int option;

	optind = 1;
	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (option != 'o' && option != 't')
			return CMD_USAGE;
		asked = option == 'o' ? "ours" : "theirs";
		if (side && strcmp(side, asked) != 0)
			return cmd_usage("--ours or --theirs, not both");
		side = asked;
	}
	if (argc - optind != 1)
		return cmd_usage("commit takes a PATH in a mount");
	return run(argv[optind], side);
}
