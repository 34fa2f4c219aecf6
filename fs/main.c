#include <signal.h>
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
	{"--help", cmd_help},
	{"-h", cmd_help},
	{"version", cmd_version},
	{"--version", cmd_version},
	{"-V", cmd_version},
};

static const char *const later[] = {"copy", "ls", "tree", "cache"};

int main(int argc, char **argv)
{
	size_t i;

	/* a connection that breaks is an error to be told, not the end of the program */
	signal(SIGPIPE, SIG_IGN);
	if (argc < 2)
		return cmd_usage("what is to be mounted?");
	for (i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	for (i = 0; i < sizeof later / sizeof later[0]; i++)
		if (!strcmp(argv[1], later[i]))
			return cmd_usage("the command %s isn't in this version yet", argv[1]);
	return cmd_mount(argc, argv);
}
