#include <stdio.h>

#include "fs/cmd/cmd.h"

static const char text[] =
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
	"     created=now|none|EPOCH                       publish-all\n"
	"     state-dir=DIR         cache-dir=DIR          cache-size=SIZE (10G)\n"
	"     verify=full|strict    uid=N gid=N umask=N    allow_other\n"
	"\n"
	"  mkdir v1/linux-amd64; cp app v1/linux-amd64/    stage\n"
	"  sync v1                                         publish\n"
	"  indexfs status                                  what isn't published, and why\n"
	"\n"
	"man indexfs tells the rest. Exit status: 0, 1 failed, 2 usage.\n";

int cmd_help(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	fputs(text, stdout);
	return 0;
}

int cmd_version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	puts("indexfs " INDEXFS_VERSION);
	return 0;
}
