#include "platform.h"

#include <stdlib.h>
#include <string.h>

#include "registry/base/utf8.h"

void platform_clear(struct platform *platform)
{
	free(platform->os);
	free(platform->architecture);
	free(platform->variant);
	free(platform->os_version);
	for (size_t i = 0; i < platform->os_feature_count; i++)
		free(platform->os_features[i]);
	free(platform->os_features);
	*platform = (struct platform)PLATFORM_INIT;
}

static int copy_text(char **out, const char *text)
{
	*out = text ? strdup(text) : NULL;
	return text && !*out ? -1 : 0;
}

static int copy_features(struct platform *out, const struct platform *from)
{
	if (from->os_feature_count == 0)
		return 0;
	out->os_features = calloc(from->os_feature_count, sizeof(*out->os_features));
	if (!out->os_features)
		return -1;
	for (; out->os_feature_count < from->os_feature_count; out->os_feature_count++) {
		size_t i = out->os_feature_count;
		if (copy_text(&out->os_features[i], from->os_features[i]))
			return -1;
	}
	return 0;
}

int platform_copy(struct platform *out, const struct platform *from, struct error *err)
{
	*out = (struct platform)PLATFORM_INIT;
	if (copy_text(&out->os, from->os) || copy_text(&out->architecture, from->architecture) ||
		copy_text(&out->variant, from->variant) ||
		copy_text(&out->os_version, from->os_version) || copy_features(out, from)) {
		platform_clear(out);
		return error_set_memory(err);
	}
	return 0;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool platform_equal(const struct platform *a, const struct platform *b)
{
	if (!same_text(a->os, b->os) || !same_text(a->architecture, b->architecture) ||
		!same_text(a->variant, b->variant) || !same_text(a->os_version, b->os_version) ||
		a->os_feature_count != b->os_feature_count)
		return false;
	for (size_t i = 0; i < a->os_feature_count; i++)
		if (!same_text(a->os_features[i], b->os_features[i]))
			return false;
	return true;
}

struct name_writer {
	char *out;
	size_t len;
	bool failed;
};

static void put(struct name_writer *to, char c)
{
	if (to->len + 1 < FOLDER_NAME_SIZE)
		to->out[to->len++] = c;
	else
		to->failed = true;
}

/* Writes separator (if any) and the field. A field that is NULL is left out. */
static void put_field(struct name_writer *to, char separator, const char *field)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t escape = 0; /* so many bytes from here on */

	if (!field)
		return;
	if (!*field || !utf8_valid(field))
		to->failed = true;
	if (separator)
		put(to, separator);
	for (const char *p = field; *p && !to->failed; p++) {
		unsigned char c = (unsigned char)*p;

		if (!escape)
			escape = strchr("/%@+-", c) ? 1 : utf8_control_len(p);
		if (!escape) {
			put(to, *p);
			continue;
		}
		put(to, '%');
		put(to, hex[c >> 4]);
		put(to, hex[c & 15]);
		escape--;
	}
}

bool platform_name(char out[static FOLDER_NAME_SIZE], const struct platform *platform)
{
	struct name_writer to = {.out = out};

	put_field(&to, 0, platform->os ? platform->os : "");
	put_field(&to, '-', platform->architecture ? platform->architecture : "");
	put_field(&to, '-', platform->variant);
	put_field(&to, '@', platform->os_version);
	for (size_t i = 0; i < platform->os_feature_count; i++)
		put_field(&to, '+', platform->os_features[i]);
	out[to.failed ? 0 : to.len] = '\0';
	return !to.failed;
}
