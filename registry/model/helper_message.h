/*
 * helper_message.h - what is said to a docker-credential-* program, and what it answers.
 *
 *     get     the server's name                              -> {"Username", "Secret", ...}
 *     store   {"ServerURL", "Username", "Secret"}            -> nothing
 *     erase   the server's name                              -> nothing
 */
#ifndef INDEXFS_MODEL_HELPER_MESSAGE_H
#define INDEXFS_MODEL_HELPER_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "error.h"

/* Whether NAME can be that of a program docker-credential-NAME: it leads to no other folder. */
bool helper_name_valid(const char *name);

/* What a program says, and fails, when it knows nothing of a server. */
bool helper_says_not_found(const char *text);

/* The answer to "get"; both NULL where it holds nothing. A NUL must follow the text. ERROR_INVALID
 * quotes none of it. */
int helper_answer_parse(
	char **username, char **secret, const char *text, size_t len, struct error *err);

/* Appends what "store" wants. ERROR_INVALID where a string isn't UTF-8, which isn't quoted. */
int helper_store_format(struct buf *out, const char *server, const char *username,
	const char *secret, struct error *err);

#endif
