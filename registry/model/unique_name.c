#include "registry/model/unique_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

size_t name_cut(const char *text, size_t len, size_t max)
{
	size_t cut = max;

	if (len <= max)
		return len;
	/* A character has at most three bytes after its first. */
	while (cut > 0 && max - cut < 3 && ((unsigned char)text[cut] & 0xc0) == 0x80)
		cut--;
	return cut;
}

void short_digest(char out[static SHORT_DIGEST_LEN + 1], const struct digest *digest)
{
	snprintf(out, SHORT_DIGEST_LEN + 1, "%s", digest_encoded(digest));
}

/* Gives *name away to *out if it can be claimed; -1 only on failure. */
static int claim(char **out, struct path_set *set, char **name, struct error *err)
{
	enum path_claim met;

	if (!*name)
		return error_set_memory(err);
	met = path_set_claim(set, *name, err);
	if (met == PATH_CLAIMED)
		*out = steal_ptr(*name);
	return met == PATH_FAILED ? -1 : 0;
}

/* wish with its last component cut, "~" and the digest. */
static char *suffixed_name(const char *wish, const struct digest *digest)
{
	const char *slash = strrchr(wish, '/');
	const char *component = slash ? slash + 1 : wish;
	size_t len =
		(size_t)(component - wish) + name_cut(component, strlen(component), NAME_STEM_MAX);
	char hex[SHORT_DIGEST_LEN + 1], *name;

	short_digest(hex, digest);
	return asprintf(&name, "%.*s~%s", (int)len, wish, hex) < 0 ? NULL : name;
}

static char *numbered_name(const char *name, unsigned number)
{
	char *numbered;

	return asprintf(&numbered, "%s~%u", name, number) < 0 ? NULL : numbered;
}

int unique_name_claim(char **out, struct path_set *set, const char *wish,
	const struct digest *digest, bool plain, struct error *err)
{
	cleanup_free char *name = plain ? strdup(wish) : suffixed_name(wish, digest);

	*out = NULL;
	if (claim(out, set, &name, err) || *out)
		return *out ? 0 : -1;
	if (plain) {
		free(name);
		name = suffixed_name(wish, digest);
		if (claim(out, set, &name, err) || *out)
			return *out ? 0 : -1;
	}
	while (!*out) {
		unsigned *counter = path_set_counter(set, name);
		cleanup_free char *numbered = NULL;

		*counter += *counter ? 1 : 2;
		numbered = numbered_name(name, *counter);
		if (claim(out, set, &numbered, err))
			return -1;
	}
	return 0;
}
