#include "registry/model/link_header.h"

#include <string.h>
#include <strings.h>

#define SPACE " \t"

/* The value of a parameter, and where it ends; one without its closing quote ends the header. */
static const char *value_read(const char **start, size_t *len, const char *at)
{
	if (*at == '"') {
		*start = at + 1;
		*len = strcspn(at + 1, "\"");
		at += 1 + *len;
		return *at ? at + 1 : at;
	}
	*start = at;
	*len = strcspn(at, SPACE ";,");
	return at + *len;
}

/* Whether a word of the list, which spaces part, is "next"; case doesn't count. */
static bool has_next(const char *words, size_t len)
{
	while (len) {
		size_t word = 0;

		while (word < len && words[word] != ' ' && words[word] != '\t')
			word++;
		if (word == 4 && strncasecmp(words, "next", 4) == 0)
			return true;
		word += word < len;
		words += word;
		len -= word;
	}
	return false;
}

/* Reads ";NAME[=VALUE]" as often as it comes. *next: one was rel, and names "next". */
static const char *parameters_read(bool *next, const char *at)
{
	*next = false;
	for (;;) {
		const char *name, *value = "";
		size_t name_len, len = 0;

		at += strspn(at, SPACE);
		if (*at != ';')
			return at;
		at++;
		name = at + strspn(at, SPACE);
		name_len = strcspn(name, SPACE "=;,");
		at = name + name_len;
		at += strspn(at, SPACE);
		if (*at == '=') {
			at++;
			at = value_read(&value, &len, at + strspn(at, SPACE));
		}
		if (name_len == 3 && strncasecmp(name, "rel", 3) == 0)
			*next = *next || has_next(value, len);
	}
}

bool link_header_next(const char **target, size_t *len, const char *value)
{
	const char *at = value;
	bool next;

	while ((at = strchr(at, '<'))) {
		const char *end = strchr(at, '>');

		if (!end)
			return false;
		*target = at + 1;
		*len = (size_t)(end - at - 1);
		at = parameters_read(&next, end + 1);
		if (next && *len)
			return true;
	}
	return false;
}
