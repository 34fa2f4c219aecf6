/*
 * basic.h - the value of an Authorization header with user and password (RFC 7617).
 */
#ifndef INDEXFS_HTTP_BASIC_H
#define INDEXFS_HTTP_BASIC_H

#include "error.h"

/* "Basic ...", the caller's to wipe and free. NULL passes for "". */
int basic_authorization(char **out, const char *username, const char *password, struct error *err);

/* Hides in a text what the value of an Authorization header, of any scheme, has shown to its
 * author: for Basic the password within, too. */
void authorization_hide(char *text, const char *value);

#endif
