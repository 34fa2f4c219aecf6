#include "registry/model/warning.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static const char *skip_space(const char *at)
{
	return at + strspn(at, " \t");
}

/* Takes a quoted string (RFC 9110, section 5.6.4); *out is cut to fit. NULL where it doesn't end.
 */
static const char *quoted_read(char out[static WARNING_TEXT_MAX + 1], const char *at)
{
	size_t len = 0;

	for (at++; *at && *at != '"'; at++) {
		if (*at == '\\' && at[1])
			at++;
		if (len < WARNING_TEXT_MAX)
			out[len++] = *at;
	}
	out[len] = '\0';
	return *at ? at + 1 : NULL;
}

/* What stands behind the comma that ends the item at `at`: one within quotes doesn't. */
static const char *item_skip(const char *at)
{
	bool quoted = false;

	for (; *at && (quoted || *at != ','); at++) {
		if (quoted && *at == '\\' && at[1])
			at++;
		else if (*at == '"')
			quoted = !quoted;
	}
	return *at ? at + 1 : at;
}

/* Where the text of a warning begins: behind 299, which is the only code that says nothing about
 * a cache, and the agent, which is "-". */
static const char *text_find(const char *at)
{
	if (strncmp(at, "299", 3) != 0 || (at[3] != ' ' && at[3] != '\t'))
		return NULL;
	at = skip_space(at + 3);
	if (at[0] != '-' || (at[1] != ' ' && at[1] != '\t'))
		return NULL;
	at = skip_space(at + 1);
	return *at == '"' ? at : NULL;
}

const char *warning_next(char out[static WARNING_TEXT_MAX + 1], const char *value)
{
	while (*value) {
		const char *item = skip_space(value);
		const char *text = text_find(item);
		const char *end = text ? quoted_read(out, text) : NULL;

		value = item_skip(end ? end : item);
		if (end)
			return value;
	}
	return NULL;
}
