#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "cleanup.h"
#include "registry/model/homebrew_parts.h"

#define DOCUMENTATION "https://formulae.brew.sh/formula/"
#define TEXT_MAX ((size_t)4 << 20)

void homebrew_formula_clear(struct homebrew_formula *formula)
{
	annotations_clear(&formula->annotations);
	free(formula->version);
	free(formula->rebuild);
	free(formula->license);
	*formula = (struct homebrew_formula)HOMEBREW_FORMULA_INIT;
}

static bool is_space(char c)
{
	return c && strchr(" \t\n\v\f\r", c);
}

bool homebrew_blank(const char *text)
{
	while (is_space(*text))
		text++;
	return !*text;
}

int homebrew_set(struct annotations *out, const char *key, const char *value, struct error *err)
{
	return value && !homebrew_blank(value) ? annotations_set(out, key, value, err) : 0;
}

int homebrew_set_others(struct annotations *out, const struct annotations *given,
	bool (*known)(const char *key), struct error *err)
{
	for (size_t i = 0; i < given->count; i++)
		if (!known(given->items[i].key) &&
			homebrew_set(out, given->items[i].key, given->items[i].value, err))
			return -1;
	return 0;
}

/* Homebrew drops what isn't ASCII from a description, then the white space around it. NULL when out
 * of memory. */
static char *ascii_only(const char *text)
{
	char *out = malloc(strlen(text) + 1);
	size_t len = 0;

	if (!out)
		return NULL;
	for (; *text; text++)
		if ((unsigned char)*text < 0x80 && (len > 0 || !is_space(*text)))
			out[len++] = *text;
	while (len > 0 && is_space(out[len - 1]))
		len--;
	out[len] = '\0';
	return out;
}

/* What values are made from. */
struct source {
	const struct annotations *given;
	const char *tag;
	const struct homebrew_formula *formula;
};

static int copy_make(char **out, const char *value, struct error *err)
{
	*out = value ? strdup(value) : NULL;
	return value && !*out ? error_set_memory(err) : 0;
}

/* A formula of a tap has slashes in its full name, and documentation only where it's told. */
static int documentation_make(char **out, const struct source *source, struct error *err)
{
	cleanup_with(buf_free) struct buf url = BUF_INIT(TEXT_MAX);
	const char *name = annotations_get(source->given, ANNOTATION_TITLE);

	if (strchr(name, '/'))
		return copy_make(
			out, annotations_get(source->given, OCI_KEY("documentation")), err);
	if (buf_append_text(&url, DOCUMENTATION) || buf_append_text(&url, name))
		return error_set_memory(err);
	*out = buf_steal(&url);
	return *out ? 0 : error_set_memory(err);
}

static int description_make(char **out, const struct source *source, struct error *err)
{
	const char *text = annotations_get(source->given, OCI_KEY("description"));

	*out = text ? ascii_only(text) : NULL;
	return text && !*out ? error_set_memory(err) : 0;
}

static int licenses_make(char **out, const struct source *source, struct error *err)
{
	const char *license = source->formula->license;

	*out = license ? homebrew_license_cut(license) : NULL;
	return license && !*out ? error_set_memory(err) : 0;
}

static int package_type_make(char **out, const struct source *source, struct error *err)
{
	(void)source;
	return copy_make(out, "homebrew_bottle", err);
}

static int ref_name_make(char **out, const struct source *source, struct error *err)
{
	return copy_make(out, source->tag, err);
}

static int version_make(char **out, const struct source *source, struct error *err)
{
	return copy_make(out, source->formula->version, err);
}

/* In Homebrew's order. Before August 2024 the license had a key in the singular, which old indexes
 * keep. */
static const struct {
	const char *key;
	/* Gives the value, NULL for none, as a string to free; NULL: it's the given one. */
	int (*make)(char **out, const struct source *source, struct error *err);
} index_keys[] = {
	{KEY_PACKAGE_TYPE, package_type_make},
	{ANNOTATION_CREATED, NULL},
	{OCI_KEY("description"), description_make},
	{OCI_KEY("documentation"), documentation_make},
	{OCI_KEY("license"), NULL},
	{OCI_KEY("licenses"), licenses_make},
	{ANNOTATION_REF_NAME, ref_name_make},
	{OCI_KEY("revision"), NULL},
	{OCI_KEY("source"), NULL},
	{ANNOTATION_TITLE, NULL},
	{OCI_KEY("url"), NULL},
	{OCI_KEY("vendor"), NULL},
	{OCI_KEY("version"), version_make},
};

#define INDEX_KEYS (sizeof(index_keys) / sizeof(*index_keys))

static bool index_key_known(const char *key)
{
	for (size_t i = 0; i < INDEX_KEYS; i++)
		if (strcmp(index_keys[i].key, key) == 0)
			return true;
	return false;
}

static int annotations_make(
	struct homebrew_formula *out, const struct source *source, struct error *err)
{
	for (size_t i = 0; i < INDEX_KEYS; i++) {
		const char *key = index_keys[i].key;
		cleanup_free char *value = NULL;

		if (index_keys[i].make
				? index_keys[i].make(&value, source, err)
				: copy_make(&value, annotations_get(source->given, key), err))
			return -1;
		if (homebrew_set(&out->annotations, key, value, err))
			return -1;
	}
	return homebrew_set_others(&out->annotations, source->given, index_key_known, err);
}

/* A rebuild is a number from 1 on; the tag of rebuild 0 is the version alone. */
static bool rebuild_valid(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits > 0 && digits < 10 && !text[digits] && *text != '0';
}

static int version_read(
	struct homebrew_formula *out, const char *given, const char *tag, struct error *err)
{
	const char *version = given && !homebrew_blank(given) ? given : tag;
	size_t len = strlen(version);

	if (copy_make(&out->version, version, err))
		return -1;
	if (strcmp(tag, version) == 0)
		return 0;
	if (strncmp(tag, version, len) == 0 && tag[len] == '-' && rebuild_valid(tag + len + 1))
		return copy_make(&out->rebuild, tag + len + 1, err);
	return error_set(err, ERROR_INVALID,
		"annotations.json: " OCI_KEY(
			"version") " is \"%.128s\", but the tag is \"%.128s\": "
				   "Homebrew's is the version, or VERSION-REBUILD",
		version, tag);
}

static int formula_fill(struct homebrew_formula *out, const struct annotations *given,
	const char *tag, struct error *err)
{
	const struct source source = {.given = given, .tag = tag, .formula = out};
	const char *name = annotations_get(given, ANNOTATION_TITLE);
	const char *license = annotations_get(given, OCI_KEY("licenses"));

	if (!name || homebrew_blank(name))
		return error_set(err, ERROR_INVALID,
			"annotations.json: " ANNOTATION_TITLE " is missing: the full name of the "
			"formula, \"oras\" or \"team/tap/oras\"");
	if (version_read(out, annotations_get(given, OCI_KEY("version")), tag, err))
		return -1;
	if (license && !homebrew_blank(license) && copy_make(&out->license, license, err))
		return -1;
	return annotations_make(out, &source, err);
}

int homebrew_formula_read(struct homebrew_formula *out, const struct annotations *given,
	const char *tag, struct error *err)
{
	*out = (struct homebrew_formula)HOMEBREW_FORMULA_INIT;
	if (formula_fill(out, given, tag, err) == 0)
		return 0;
	homebrew_formula_clear(out);
	return -1;
}
