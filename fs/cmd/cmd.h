/*
 * cmd.h - the commands: each takes its arguments (argv[0] is its name) and returns the exit status:
 * 0, CMD_FAILED or CMD_USAGE.
 */
#ifndef INDEXFS_FS_CMD_CMD_H
#define INDEXFS_FS_CMD_CMD_H

#include <stdio.h>

#include "error.h"

#define CMD_FAILED 1
#define CMD_USAGE 2

int cmd_mount(int argc, char **argv);
int cmd_mount_helper(int argc, char **argv);
int cmd_umount(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_commit(int argc, char **argv);
int cmd_login(int argc, char **argv);
int cmd_logout(int argc, char **argv);
int cmd_help(int argc, char **argv);
int cmd_version(int argc, char **argv);
/* The names of the options that -o takes, a line for each: for completion. */
int cmd_options(int argc, char **argv);

/* What a command does, on standard output; of all where it's no command's name. */
int cmd_help_on(const char *command);

/* Writes what may be the words of a registry or of another user: a terminal obeys control
 * characters, so each is "?". */
void cmd_put(FILE *to, const char *text);

/* "indexfs: WHAT: WHY" on standard error, and a line "hint: ..." where the error has a remedy.
 * Returns CMD_FAILED. */
int cmd_fail(const char *what, const struct error *err);
/* A line "hint: ..." after that. Returns CMD_FAILED. */
int cmd_fail_hint(const char *remedy);
/* A mistake on the command line. Returns CMD_USAGE. */
int cmd_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
