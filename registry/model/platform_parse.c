#include "platform.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "registry/base/utf8.h"
#include "registry/model/platform_known.h"

#define WORDS_MAX 4 /* of another spelling: OS, two of the architecture, VARIANT */

static int invalid(struct error *err, const char *name, const char *why)
{
	return error_set(err, ERROR_INVALID,
		"\"%s\" is no platform: %s (a platform is such as linux-amd64, linux-arm-v7 or "
		"darwin-arm64@macOS 12.6)",
		name, why);
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes one field in place. Returns what is wrong with it, or NULL. */
static const char *field_decode(char *field)
{
	char *to = field;

	if (!*field)
		return "a part of it is empty";
	for (const char *p = field; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (utf8_control_len(p) || c == '/' || c == '@')
			return "a control character, / or @ in a part of it must be written %XX";
		if (c == '%') {
			int high = hex_value(p[1]);
			int low = high < 0 ? -1 : hex_value(p[2]);

			if (low < 0 || (high == 0 && low == 0))
				return "a % must be followed by two hex digits, not 00";
			c = (unsigned char)(high << 4 | low);
			p += 2;
		}
		*to++ = (char)c;
	}
	*to = '\0';
	return utf8_valid(field) ? NULL : "it is not UTF-8";
}

/* A decoded copy of a field. */
static int take_field(char **out, const char *field, const char *name, struct error *err)
{
	*out = strdup(field);
	if (!*out)
		return error_set_memory(err);
	const char *wrong = field_decode(*out);
	return wrong ? invalid(err, name, wrong) : 0;
}

static int take_features(struct platform *out, char *features, const char *name, struct error *err)
{
	size_t count = 1;

	for (const char *p = features; *p; p++)
		count += *p == '+';
	out->os_features = calloc(count, sizeof(*out->os_features));
	if (!out->os_features)
		return error_set_memory(err);
	for (char *feature; (feature = strsep(&features, "+"));)
		if (take_field(&out->os_features[out->os_feature_count++], feature, name, err))
			return -1;
	return 0;
}

/* OS-ARCH[-VARIANT] as it stands. */
static int take_head(struct platform *out, char *head, const char *name, struct error *err)
{
	const char *os = strsep(&head, "-");
	const char *architecture = strsep(&head, "-");
	const char *variant = strsep(&head, "-");

	if (!architecture)
		return invalid(err, name, "it has no \"-\" between os and architecture");
	if (head)
		return invalid(err, name, "it has too many \"-\"");
	if (take_field(&out->os, os, name, err) ||
		take_field(&out->architecture, architecture, name, err))
		return -1;
	return variant ? take_field(&out->variant, variant, name, err) : 0;
}

/* A variant as other tools spell it: "v8", "power9", "rva20u64". */
static bool is_variant(const char *word)
{
	if (!islower((unsigned char)*word) || !word[strcspn(word, "0123456789")])
		return false;
	for (; *word; word++)
		if (!islower((unsigned char)*word) && !isdigit((unsigned char)*word))
			return false;
	return true;
}

struct spelling {
	const char *os, *architecture, *variant;
};

/* The architecture that begins at words[0]; returns how many words it takes, or 0. */
static size_t read_architecture(struct spelling *out, char *const *words, size_t count)
{
	char both[FOLDER_NAME_SIZE];

	if (count >= 2) {
		stpcpy(stpcpy(stpcpy(both, words[0]), "_"), words[1]);
		out->architecture = architecture_known(&out->variant, both);
		if (out->architecture)
			return 2;
	}
	if (count == 0)
		return 0;
	out->architecture = architecture_known(&out->variant, words[0]);
	return out->architecture ? 1 : 0;
}

/* Another spelling of a known os and architecture, with "-" or "_" between its words. Cuts head;
 * *out points into it. */
static bool read_spelling(struct spelling *out, char *head)
{
	char *words[WORDS_MAX];
	size_t count = 0;

	for (char *word; (word = strsep(&head, "-_"));) {
		if (count == WORDS_MAX)
			return false;
		words[count++] = word;
	}
	out->os = os_known(words[0]);
	if (!out->os)
		return false;
	size_t used = 1 + read_architecture(out, words + 1, count - 1);
	if (used > 1 && used == count)
		return true;
	if (used == 1 || used + 1 < count || out->variant || !is_variant(words[used]))
		return false;
	out->variant = words[used];
	return true;
}

static int use_spelling(struct platform *out, const struct spelling *spelling, struct error *err)
{
	free(out->os);
	free(out->architecture);
	free(out->variant);
	out->os = strdup(spelling->os);
	out->architecture = strdup(spelling->architecture);
	out->variant = spelling->variant ? strdup(spelling->variant) : NULL;
	if (!out->os || !out->architecture || (spelling->variant && !out->variant))
		return error_set_memory(err);
	return 0;
}

/* OS-ARCH[-VARIANT] in any spelling. What is usual as it stands is taken so. All else is looked up
 * in its canonical form, so that whatever comes out of here is read back as itself. */
static int parse_head(struct platform *out, const char *head, const char *name, struct error *err)
{
	struct platform literal = {.os = NULL};
	char canonical[FOLDER_NAME_SIZE];
	char copy[FOLDER_NAME_SIZE];
	struct spelling spelling;
	struct error wrong = ERROR_INIT;

	strcpy(copy, head);
	bool is_literal = take_head(out, copy, name, &wrong) == 0;
	if (is_literal && platform_usual(out))
		return 0;
	if (wrong.kind == ERROR_MEMORY)
		return error_copy(err, &wrong);

	literal.os = out->os;
	literal.architecture = out->architecture;
	literal.variant = out->variant;
	strcpy(copy, is_literal && platform_name(canonical, &literal) ? canonical : head);
	if (read_spelling(&spelling, copy))
		return use_spelling(out, &spelling, err);
	return is_literal ? 0 : error_copy(err, &wrong);
}

/* Cuts name at its separators: the head stays, NULL where there is no such part. */
static void split(char *name, char **version, char **features)
{
	*version = *features = NULL;
	char *plus = strchr(name, '+');
	if (plus) {
		*plus = '\0';
		*features = plus + 1;
	}
	char *at = strchr(name, '@');
	if (at) {
		*at = '\0';
		*version = at + 1;
	}
}

static int parse(struct platform *out, const char *name, struct error *err)
{
	char text[FOLDER_NAME_SIZE];
	char *version, *features;

	strcpy(text, name);
	split(text, &version, &features);
	if (parse_head(out, text, name, err))
		return -1;
	if (version && take_field(&out->os_version, version, name, err))
		return -1;
	return features ? take_features(out, features, name, err) : 0;
}

int platform_parse(struct platform *out, const char *name, struct error *err)
{
	*out = (struct platform)PLATFORM_INIT;
	if (strlen(name) >= FOLDER_NAME_SIZE)
		return error_set(err, ERROR_INVALID, "the name of a platform is over %d bytes long",
			FOLDER_NAME_SIZE - 1);
	char canonical[FOLDER_NAME_SIZE];
	int result = parse(out, name, err);
	if (result == 0 && !platform_name(canonical, out))
		result = invalid(err, name, "its canonical name is too long");
	if (result)
		platform_clear(out);
	return result;
}
