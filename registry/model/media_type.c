#include "media_type.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#define LAYER_TAR "application/vnd.oci.image.layer.v1.tar"
#define NAME_LEN_MAX 127 /* RFC 6838, section 4.2 */

struct suffix {
	const char *suffix;
	const char *value;
};

static const struct suffix types_by_name[] = {
	{".tar", LAYER_TAR},
	{".tar.gz", LAYER_TAR "+gzip"},
	{".tgz", LAYER_TAR "+gzip"},
	{".tar.zst", LAYER_TAR "+zstd"},
	{".json", "application/json"},
};

/* OCI writes tar+gzip, Docker tar.gzip. */
static const struct suffix names_by_type[] = {
	{"tar+gzip", ".tar.gz"},
	{"tar.gzip", ".tar.gz"},
	{"tar+zstd", ".tar.zst"},
	{"tar.zstd", ".tar.zst"},
	{".tar", ".tar"},
	{"/x-tar", ".tar"},
	{"+json", ".json"},
	{"/json", ".json"},
};

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

/* A restricted-name of RFC 6838; returns its length, 0 if text begins with none. */
static size_t restricted_name_len(const char *text)
{
	size_t len = 0;

	if (!isascii(text[0]) || !isalnum(text[0]))
		return 0;
	while (text[len] && isascii(text[len]) &&
		(isalnum(text[len]) || strchr("!#$&-^_.+", text[len])))
		len++;
	return len <= NAME_LEN_MAX ? len : 0;
}

bool media_type_valid(const char *media_type)
{
	size_t type = restricted_name_len(media_type);

	if (type == 0 || media_type[type] != '/')
		return false;
	const char *subtype = media_type + type + 1;
	size_t len = restricted_name_len(subtype);
	return len > 0 && subtype[len] == '\0';
}

static const char *find_suffix(
	const struct suffix *table, size_t count, const char *text, const char *fallback)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < count; i++) {
		size_t suffix_len = strlen(table[i].suffix);
		if (len > suffix_len && !strcasecmp(text + len - suffix_len, table[i].suffix))
			return table[i].value;
	}
	return fallback;
}

const char *media_type_for_name(const char *name, const char *fallback)
{
	return find_suffix(types_by_name, LENGTH(types_by_name), name, fallback);
}

const char *media_type_suffix(const char *media_type)
{
	return find_suffix(names_by_type, LENGTH(names_by_type), media_type, "");
}

bool media_type_is_elsewhere(const char *media_type)
{
	return strstr(media_type, ".nondistributable.") || strstr(media_type, ".foreign.");
}
