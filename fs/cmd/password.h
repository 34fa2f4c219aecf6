/*
 * password.h - where a password comes from: never from an argument, which everybody can see.
 */
#ifndef INDEXFS_FS_CMD_PASSWORD_H
#define INDEXFS_FS_CMD_PASSWORD_H

#include "error.h"

#define PASSWORD_MAX ((size_t)32 << 10) /* some clouds' are tokens of some KiB */

/* Each gives a text that secret_free() ends. */

/* Takes INDEXFS_PASSWORD out of the environment and its bytes out of /proc/PID/environ. NULL where
 * it isn't set, or is empty. From now on this process can't be looked into by others. */
int password_take(char **out, struct error *err);

/* The first line of standard input. ERROR_INVALID where it's empty or too long. */
int password_read(char **out, struct error *err);

/* Asks on the terminal, without echo where the answer is a secret. */
enum password_echo { PASSWORD_HIDDEN, PASSWORD_SHOWN };
int password_ask(char **out, const char *question, enum password_echo echo, struct error *err);

#endif
