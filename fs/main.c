#include <signal.h>
#include <stdbool.h>
#include <string.h>

#include "fs/cmd/cmd.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"mount", cmd_mount},
	{"umount", cmd_umount},
	{"unmount", cmd_umount},
	{"status", cmd_status},
	{"commit", cmd_commit},
	{"login", cmd_login},
	{"logout", cmd_logout},
	{"help", cmd_help},
	{"-h", cmd_help},
	{"--options", cmd_options},
	{"version", cmd_version},
	{"--version", cmd_version},
	{"-V", cmd_version},
};

static const char *const later[] = {"copy", "ls", "tree", "cache"};

static bool asks_for_help(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--help"))
			return true;
	return false;
}

/* mount -t indexfs calls this program by this name. */
static bool is_mount_helper(const char *called)
{
	const char *slash = strrchr(called, '/');

	return !strcmp(slash ? slash + 1 : called, "mount.indexfs");
}

int main(int argc, char **argv)
{
	size_t i;

	/* a connection that breaks is an error to be told, not the end of the program */
	signal(SIGPIPE, SIG_IGN);
	if (argc > 0 && is_mount_helper(argv[0]))
		return cmd_mount_helper(argc, argv);
	if (argc < 2)
		return cmd_usage("what is to be mounted?");
	if (asks_for_help(argc, argv))
		return cmd_help_on(argv[1]);
	for (i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	for (i = 0; i < sizeof later / sizeof later[0]; i++)
		if (!strcmp(argv[1], later[i]))
			return cmd_usage("the command %s isn't in this version yet", argv[1]);
	return cmd_mount(argc, argv);
}
