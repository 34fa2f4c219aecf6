#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

#include "fs/cmd/cmd.h"

/* mount(8), "EXIT STATUS". */
#define MOUNT_USAGE 1
#define MOUNT_FAILED 32

/* mount(8), "EXTERNAL HELPERS": mount.indexfs SOURCE DIR [-sfnv] [-N NAMESPACE] [-o OPTIONS]
 * [-t TYPE]. */
int cmd_mount_helper(int argc, char **argv)
{
	char *arguments[] = {"mount", NULL, NULL, NULL, NULL, NULL};
	int count = 3, option, status;
	bool fake = false;

	optind = 1;
	while ((option = getopt(argc, argv, "sfnvN:o:t:")) != -1) {
		if (option == '?' || option == 'N') {
			cmd_usage("mount.indexfs is called by mount -t indexfs SOURCE DIR");
			return MOUNT_USAGE;
		}
		if (option == 'o') {
			arguments[3] = "-o";
			arguments[4] = optarg;
			count = 5;
		}
		fake |= option == 'f';
	}
	if (argc - optind != 2) {
		cmd_usage("mount.indexfs takes a SOURCE and a folder");
		return MOUNT_USAGE;
	}
	if (fake)
		return 0;
	arguments[1] = argv[optind];
	arguments[2] = argv[optind + 1];
	status = cmd_mount(count, arguments);
	if (status == CMD_USAGE)
		return MOUNT_USAGE;
	return status ? MOUNT_FAILED : 0;
}
