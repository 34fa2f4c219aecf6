#include <getopt.h>
#include <stdio.h>

#include "cleanup.h"
#include "fs/cmd/cmd.h"
#include "fs/mount/options.h"
#include "login.h"

static int run(const struct mount_options *options, const char *registry)
{
	cleanup_free char *host = NULL, *where = NULL;
	struct error err = ERROR_INIT;
	struct log *log = log_new(LOG_LEVEL_WARNING);
	bool more;
	int failed = registry_logout(&host, &where, &more, &options->store, registry, log, &err);

	log_free(log);
	if (failed)
		return cmd_fail("logout", &err);
	if (where)
		printf("Logged out of %s (%s)\n", host, where);
	else if (!more)
		printf("Not logged in to %s\n", host);
	if (!more)
		return 0;
	fprintf(stderr, "indexfs: logout: %s: other credentials are found still\n", host);
	fprintf(stderr, where ? "hint: indexfs logout again removes those too\n"
			      : "hint: ~/.dockercfg has to be changed by hand\n");
	return where ? 0 : CMD_FAILED;
}

int cmd_logout(int argc, char **argv)
{
	struct mount_options options = {0};
	struct error err = ERROR_INIT;
	int option, status = 0;

	if (mount_options_init(&options, &err))
		status = cmd_fail("logout", &err);
	optind = 1;
	while (!status && (option = getopt(argc, argv, "o:")) != -1) {
		if (option != 'o')
			status = CMD_USAGE;
		else if (mount_options_parse(&options, optarg, &err))
			status = cmd_usage("%s", err.message);
	}
	if (!status)
		status = argc - optind == 1 ? run(&options, argv[optind])
					    : cmd_usage("logout takes a REGISTRY");
	mount_options_clear(&options);
	return status;
}
