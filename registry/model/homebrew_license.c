/*
 * homebrew_license.c - a license of more than 255 bytes, which GitHub's registry refuses.
 */
#include <stdlib.h>
#include <string.h>

#include "registry/model/homebrew_parts.h"

#define LICENSE_MAX 255
#define AND " AND "
#define OR " OR "
#define AND_CUT AND "LicenseRef-Homebrew-truncated"
#define NOT_SAYABLE "LicenseRef-Homebrew-cannot-represent"

/* How much of it goes before AND_CUT: so many whole terms as fit. What is true of all of a
 * conjunction is true of its first terms; of other expressions it isn't, so that nothing fits: an
 * OR that is not in brackets makes it one of those, wherever it stands, for AND binds tighter. */
static size_t terms_len(const char *license)
{
	size_t fits = 0;
	int depth = 0; /* of brackets within the term */

	for (const char *c = license; *c;) {
		if (depth <= 0 && strncmp(c, OR, strlen(OR)) == 0)
			return 0;
		if (depth <= 0 && strncmp(c, AND, strlen(AND)) == 0) {
			if ((size_t)(c - license) + strlen(AND_CUT) <= LICENSE_MAX)
				fits = (size_t)(c - license);
			depth = 0;
			c += strlen(AND);
			continue;
		}
		depth += (*c == '(') - (*c == ')');
		c++;
	}
	return fits;
}

char *homebrew_license_cut(const char *license)
{
	size_t len;
	char *out;

	if (strlen(license) <= LICENSE_MAX)
		return strdup(license);
	len = terms_len(license);
	if (len == 0)
		return strdup(NOT_SAYABLE);
	out = malloc(len + sizeof(AND_CUT));
	if (!out)
		return NULL;
	memcpy(out, license, len);
	memcpy(out + len, AND_CUT, sizeof(AND_CUT));
	return out;
}
