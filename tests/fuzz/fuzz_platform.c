/* parse(name(p)) == p for each p that a name gives, and for each p that a document could hold:
 * there with the one exception of a field that is another spelling of a usual one. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "platform.h"

#define FIELDS_MAX 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_name(const char *name)
{
	for (const char *p = name; *p; p++)
		require((unsigned char)*p >= 0x20 && *p != 0x7f && *p != '/');
	require(strlen(name) < FOLDER_NAME_SIZE && strchr(name, '-') &&
		strcmp(name, PLATFORM_ANY) != 0);
}

static void check_text(const char *text)
{
	struct error err = ERROR_INIT;
	struct platform first, second;
	char name[FOLDER_NAME_SIZE], again[FOLDER_NAME_SIZE];

	if (platform_parse(&first, text, &err)) {
		require(err.kind == ERROR_INVALID && *err.message && !first.os);
		return;
	}
	require(platform_name(name, &first));
	check_name(name);
	require(platform_parse(&second, name, NULL) == 0);
	require(platform_equal(&first, &second));
	require(platform_name(again, &second) && strcmp(name, again) == 0);
	platform_clear(&second);
	platform_clear(&first);
}

/* A platform whose fields are the lines of text; an empty line is a field that is absent. */
static void check_fields(char *text)
{
	char *fields[FIELDS_MAX] = {NULL};
	size_t count = 0;
	char name[FOLDER_NAME_SIZE];
	struct platform copy, parsed;

	for (char *line; count < FIELDS_MAX && (line = strsep(&text, "\n"));)
		fields[count++] = *line ? line : NULL;
	struct platform platform = {.os = fields[0],
		.architecture = fields[1],
		.variant = fields[2],
		.os_version = fields[3],
		.os_features = fields + 4};
	while (4 + platform.os_feature_count < count && fields[4 + platform.os_feature_count])
		platform.os_feature_count++;
	if (!platform.os || !platform.architecture)
		return;

	require(platform_copy(&copy, &platform, NULL) == 0);
	require(platform_equal(&copy, &platform));
	if (platform_name(name, &copy)) {
		struct error err = ERROR_INIT;

		check_name(name);
		check_text(name);
		/* Another spelling can have a canonical name that is too long. */
		if (platform_parse(&parsed, name, &err) == 0) {
			require(platform_equal(&parsed, &copy) || platform_usual(&parsed));
			if (platform_usual(&copy))
				require(platform_equal(&parsed, &copy));
			platform_clear(&parsed);
		} else {
			require(strstr(err.message, "too long") && !platform_usual(&copy));
		}
	}
	platform_clear(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);

	check_text(text);
	check_fields(text);
	free(text);
	return 0;
}
