#include "fs/tree/referrer_name.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "media_type.h"

#define SHORT_LEN 12
#define TYPE_MOST 190 /* characters of a name; where all of the digest follows: */
#define TYPE_MOST_WHOLE 90

/* restricted-name-chars of RFC 6838, section 4.2. */
static bool is_plain(unsigned char c)
{
	return isalnum(c) || (c && strchr("!#$&-^_.+", c));
}

/* The type as it stands in a name, cut where the next character has no room. */
static void escape(char *out, size_t most, const char *type)
{
	const char *slash = strchr(type, '/'), *at;
	size_t len = 0;

	for (at = type; *at && len + 3 < most; at++) {
		unsigned char c = (unsigned char)*at;

		if (at == slash)
			out[len++] = '.';
		else if (is_plain(c) && !(c == '.' && (!slash || at < slash)))
			out[len++] = (char)c;
		else
			len += (size_t)snprintf(out + len, 4, "%%%02X", c);
	}
	out[len] = '\0';
}

void referrer_name(char out[static FOLDER_NAME_SIZE], const char *artifact_type,
	const struct digest *digest, bool whole)
{
	const char *type = artifact_type && *artifact_type ? artifact_type : "untyped";
	const char *encoded = digest_encoded(digest);
	char escaped[FOLDER_NAME_SIZE];

	escape(escaped, whole ? TYPE_MOST_WHOLE : TYPE_MOST, type);
	if (whole)
		snprintf(out, FOLDER_NAME_SIZE, "%.90s~%.160s", escaped, encoded);
	else
		snprintf(out, FOLDER_NAME_SIZE, "%.190s~%.*s", escaped, SHORT_LEN, encoded);
}

bool referrer_name_is_published(const char *name)
{
	return strchr(name, '~') != NULL;
}

static int hex_value(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* False for what is no name of a type. */
static bool unescape(char out[static REFERRER_TYPE_SIZE], const char *name)
{
	bool has_slash = false;
	size_t len = 0;

	for (; *name && len + 1 < REFERRER_TYPE_SIZE; name++) {
		if (*name == '%') {
			int high = hex_value(name[1]), low = high < 0 ? -1 : hex_value(name[2]);

			if (low < 0)
				return false;
			out[len++] = (char)(high * 16 + low);
			name += 2;
		} else {
			out[len++] = *name == '.' && !has_slash ? '/' : *name;
			has_slash |= *name == '.';
		}
	}
	out[len] = '\0';
	return has_slash && !*name;
}

int referrer_type(char out[static REFERRER_TYPE_SIZE], const char *name, struct error *err)
{
	char again[FOLDER_NAME_SIZE];

	if (referrer_name_is_published(name))
		return error_set(err, ERROR_INVALID,
			"%s is what something published is called: it can't be made", name);
	if (!unescape(out, name) || !media_type_valid(out))
		return error_set(err, ERROR_INVALID,
			"%s is no artifact type: application/spdx+json is made as "
			"application.spdx+json",
			name);
	escape(again, TYPE_MOST, out);
	if (strcmp(again, name) != 0)
		return error_set(err, ERROR_INVALID, "%s is another spelling of %s, or too long",
			name, again);
	return 0;
}
