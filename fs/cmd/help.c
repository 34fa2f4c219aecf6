#include <stdio.h>
#include <string.h>

#include "fs/cmd/cmd.h"
#include "fs/mount/options.h"

static const char overview[] =
	"usage: indexfs [mount] SOURCE MOUNTPOINT [-f] [-d] [-o OPTION,...]\n"
	"       indexfs umount [--commit] MOUNTPOINT\n"
	"       indexfs status [--json] [--watch] [PATH]\n"
	"       indexfs commit [--ours|--theirs] PATH\n"
	"       indexfs login [-u USER] [--password-stdin] REGISTRY\n"
	"       indexfs logout REGISTRY\n"
	"\n"
	"Shows an OCI image index as a folder: one folder for each platform. Copying a\n"
	"file into it makes a layer and a manifest; sync on it publishes the index.\n"
	"\n"
	"SOURCE     HOST[:PORT]/REPO:TAG      a tag in a registry; made when missing\n"
	"           HOST[:PORT]/REPO@DIGEST   an index or manifest, read-only\n"
	"           oci:PATH:TAG              a tag in an OCI image layout folder\n"
	"\n"
	"  -f       stay in the foreground, and log to standard error\n"
	"  -d       the same, and tell of each request\n"
	"  -o ro                    read-only\n"
	"     plain-http            no TLS (implied for loopback addresses)\n"
	"     ca-file=FILE          trust this CA (PEM)    tls-verify=no\n"
	"     cert=FILE,key=FILE    client certificate (PEM)\n"
	"     authfile=FILE         credentials, in place of podman's and docker's\n"
	"     username=USER         with the password in INDEXFS_PASSWORD\n"
	"     timeout=SECONDS (60)  retries=N (4)          jobs=N (8)\n"
	"     commit=fsync|close|idle[:SECONDS]|unmount    when to publish (fsync)\n"
	"     require=linux-amd64+linux-arm64    publish no index that lacks one of them\n"
	"     artifact-type=TYPE    layer-type=TYPE        json=compact|pretty\n"
	"     config=image          new folders are container images\n"
	"     profile=homebrew      the tag is one of Homebrew's bottles\n"
	"     created=now|none|EPOCH                       publish-all\n"
	"     state-dir=DIR         cache-dir=DIR          cache-size=SIZE (10G)\n"
	"     verify=full|strict    uid=N gid=N umask=N    allow_other\n"
	"\n"
	"  mkdir v1/linux-amd64; cp app v1/linux-amd64/    stage\n"
	"  sync v1                                         publish\n"
	"  indexfs status                                  what isn't published, and why\n"
	"\n"
	"indexfs COMMAND --help tells of a command, man indexfs the rest.\n"
	"Exit status: 0, 1 failed, 2 usage.\n";

static const char umount[] =
	"usage: indexfs umount [--commit] MOUNTPOINT\n"
	"\n"
	"Tells what isn't published, unmounts, and waits until the mount is really gone.\n"
	"What isn't published is kept, and there again after the next mount.\n"
	"\n"
	"  --commit   publish it first; where that fails, stay mounted\n";

static const char status[] =
	"usage: indexfs status [--json] [--watch] [PATH]\n"
	"\n"
	"Tells of every mount that you may read, or of the one that PATH lies in: what\n"
	"isn't published, what is being uploaded, what has to be mended, what failed and\n"
	"why.\n"
	"\n"
	"  --json     an array of .oci/status of each, with mountpoint and source\n"
	"  --watch    go on until the mount ends: in place on a terminal, with bars\n";

static const char commit[] =
	"usage: indexfs commit [--ours|--theirs] PATH\n"
	"\n"
	"Publishes what PATH lies in, as sync does, and shows how it goes; where it\n"
	"fails, every error and what to do. An interrupt ends the wait; all stays staged.\n"
	"\n"
	"  --ours     publish what was changed here at PATH and below it, where somebody\n"
	"             else has changed the same\n"
	"  --theirs   give it up for what they have published\n";

static const char login[] =
	"usage: indexfs login [-u USER] [--password-stdin] [-o OPTION,...] REGISTRY\n"
	"\n"
	"Asks the registry whether it takes them, and keeps username and password where\n"
	"podman and docker look for them. The password comes from INDEXFS_PASSWORD, from\n"
	"the terminal, or from standard input; never from an argument.\n"
	"\n"
	"  -u USER            --username USER\n"
	"  --password-stdin   the first line of standard input is the password\n"
	"  -o OPTION,...      as of a mount: ca-file=, tls-verify=no, authfile=, ...\n";

static const char logout[] =
	"usage: indexfs logout [-o OPTION,...] REGISTRY\n"
	"\n"
	"Forgets what is kept for the registry, and tells if more is found elsewhere.\n"
	"\n"
	"  -o authfile=FILE   of this file\n";

static const struct {
	const char *command, *text;
} topics[] = {
	{"umount", umount},
	{"unmount", umount},
	{"status", status},
	{"commit", commit},
	{"login", login},
	{"logout", logout},
};

int cmd_help_on(const char *command)
{
	const char *text = overview;
	size_t i;

	for (i = 0; i < sizeof topics / sizeof topics[0]; i++)
		if (!strcmp(command, topics[i].command))
			text = topics[i].text;
	fputs(text, stdout);
	return 0;
}

int cmd_help(int argc, char **argv)
{
	return cmd_help_on(argc > 1 ? argv[1] : "");
}

int cmd_options(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	mount_options_print(stdout);
	return 0;
}

int cmd_version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	puts("indexfs " INDEXFS_VERSION);
	return 0;
}
