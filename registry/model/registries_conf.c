#include "registry/model/registries_conf.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "registry/model/array.h"
#include "registry/model/toml.h"

#define ENTRIES_MAX 4096
#define MIRRORS_MAX 64

/* In which table the reading is. */
enum section { SECTION_OTHER, SECTION_TOP, SECTION_REGISTRY, SECTION_MIRROR };

struct reading {
	struct registries_conf conf; /* of this file alone */
	enum section section;
};

static void entry_clear(struct registries_entry *entry)
{
	for (size_t i = 0; i < entry->mirror_count; i++)
		free(entry->mirrors[i].location);
	free(entry->mirrors);
	free(entry->prefix);
	free(entry->location);
	free(entry->file);
}

void registries_conf_clear(struct registries_conf *conf)
{
	for (size_t i = 0; i < conf->count; i++)
		entry_clear(&conf->entries[i]);
	free(conf->entries);
	*conf = (struct registries_conf)REGISTRIES_CONF_INIT;
}

static struct registries_entry *last_entry(struct reading *reading)
{
	return &reading->conf.entries[reading->conf.count - 1];
}

static int add_entry(struct registries_conf *conf, struct error *err)
{
	struct registries_entry *entries;

	if (conf->count == ENTRIES_MAX)
		return error_set(err, ERROR_INVALID, "over %d registries", ENTRIES_MAX);
	entries = array_grow(conf->entries, conf->count, sizeof(*entries));
	if (!entries)
		return error_set_memory(err);
	conf->entries = entries;
	entries[conf->count++] = (struct registries_entry){.prefix = NULL};
	return 0;
}

static int add_mirror(struct registries_entry *entry, struct error *err)
{
	struct registries_mirror *mirrors;

	if (entry->mirror_count == MIRRORS_MAX)
		return error_set(err, ERROR_INVALID, "over %d mirrors", MIRRORS_MAX);
	mirrors = array_grow(entry->mirrors, entry->mirror_count, sizeof(*mirrors));
	if (!mirrors)
		return error_set_memory(err);
	entry->mirrors = mirrors;
	mirrors[entry->mirror_count++] = (struct registries_mirror){.location = NULL};
	return 0;
}

static int take_table(void *context, const char *name, bool is_element, struct error *err)
{
	struct reading *reading = context;
	bool mirror = strcmp(name, "registry.mirror") == 0;

	reading->section = SECTION_OTHER;
	if (!mirror && strcmp(name, "registry") != 0)
		return 0;
	if (!is_element)
		return error_set(err, ERROR_INVALID, "[%s] must be [[%s]]", name, name);
	if (mirror && !reading->conf.count)
		return error_set(err, ERROR_INVALID, "a mirror of no [[registry]]");
	reading->section = mirror ? SECTION_MIRROR : SECTION_REGISTRY;
	return mirror ? add_mirror(last_entry(reading), err) : add_entry(&reading->conf, err);
}

static int take_flag(bool *out, const char *key, const struct toml_value *value, struct error *err)
{
	if (value->type != TOML_BOOLEAN)
		return error_set(err, ERROR_INVALID, "%s must be true or false", key);
	*out = value->truth;
	return 0;
}

static int take_location(
	char **out, const char *key, const struct toml_value *value, struct error *err)
{
	size_t len = strlen(value->text);

	if (value->type != TOML_STRING)
		return error_set(err, ERROR_INVALID, "%s must be text, in quotes", key);
	if (strstr(value->text, "://"))
		return error_set(err, ERROR_INVALID,
			"%s is HOST[:PORT][/REPOSITORY], without a scheme", key);
	while (len && value->text[len - 1] == '/')
		len--;
	free(*out);
	*out = strndup(value->text, len);
	return *out ? 0 : error_set_memory(err);
}

static int take_pull(
	struct registries_mirror *mirror, const struct toml_value *value, struct error *err)
{
	mirror->not_tags = strcmp(value->text, "digest-only") == 0;
	mirror->not_digests = strcmp(value->text, "tag-only") == 0;
	if (mirror->not_tags || mirror->not_digests || strcmp(value->text, "all") == 0)
		return 0;
	return error_set(err, ERROR_INVALID,
		"pull-from-mirror must be \"all\", \"digest-only\" or \"tag-only\"");
}

static int take_of_registry(struct registries_entry *entry, const char *key,
	const struct toml_value *value, struct error *err)
{
	if (strcmp(key, "prefix") == 0)
		return take_location(&entry->prefix, key, value, err);
	if (strcmp(key, "location") == 0)
		return take_location(&entry->location, key, value, err);
	if (strcmp(key, "insecure") == 0)
		return take_flag(&entry->insecure, key, value, err);
	if (strcmp(key, "blocked") == 0)
		return take_flag(&entry->blocked, key, value, err);
	if (strcmp(key, "mirror-by-digest-only") == 0)
		return take_flag(&entry->mirrors_by_digest_only, key, value, err);
	if (strcmp(key, "mirror") == 0)
		return error_set(err, ERROR_INVALID, "a mirror is written as [[registry.mirror]]");
	return 0;
}

static int take_of_mirror(struct registries_mirror *mirror, const char *key,
	const struct toml_value *value, struct error *err)
{
	if (strcmp(key, "location") == 0)
		return take_location(&mirror->location, key, value, err);
	if (strcmp(key, "insecure") == 0)
		return take_flag(&mirror->insecure, key, value, err);
	if (strcmp(key, "pull-from-mirror") == 0)
		return take_pull(mirror, value, err);
	return 0;
}

static int take_value(
	void *context, const char *key, const struct toml_value *value, struct error *err)
{
	struct reading *reading = context;
	struct registries_entry *entry;

	switch (reading->section) {
	case SECTION_REGISTRY:
		return take_of_registry(last_entry(reading), key, value, err);
	case SECTION_MIRROR:
		entry = last_entry(reading);
		return take_of_mirror(&entry->mirrors[entry->mirror_count - 1], key, value, err);
	case SECTION_TOP:
		return strcmp(key, "registry") == 0
			       ? error_set(err, ERROR_INVALID,
					 "a registry is written as [[registry]]")
			       : 0;
	default:
		return 0;
	}
}

static bool is_wildcard(const char *prefix)
{
	return strncmp(prefix, "*.", 2) == 0;
}

/* A prefix stands for its location, and the other way round. */
static int complete_entry(struct registries_entry *entry, const char *file, struct error *err)
{
	bool has_prefix = entry->prefix && *entry->prefix;

	if (entry->location && !*entry->location) {
		free(entry->location);
		entry->location = NULL;
	}
	if (!has_prefix && !entry->location)
		return error_set(
			err, ERROR_INVALID, "a [[registry]] with neither prefix nor location");
	if (!has_prefix) {
		free(entry->prefix);
		entry->prefix = strdup(entry->location);
	}
	entry->file = strdup(file);
	if (!entry->prefix || !entry->file)
		return error_set_memory(err);
	for (size_t i = 0; i < entry->mirror_count; i++) {
		if (!entry->mirrors[i].location || !*entry->mirrors[i].location)
			return error_set(err, ERROR_INVALID, "%s: a mirror without a location",
				entry->prefix);
		entry->mirrors[i].not_tags |= entry->mirrors_by_digest_only;
	}
	return 0;
}

/* The entry moves; what was said of its prefix before goes. */
static int merge_entry(
	struct registries_conf *conf, struct registries_entry *entry, struct error *err)
{
	size_t at = 0;

	while (at < conf->count && strcmp(conf->entries[at].prefix, entry->prefix) != 0)
		at++;
	if (at < conf->count)
		entry_clear(&conf->entries[at]);
	else if (add_entry(conf, err))
		return -1;
	conf->entries[at] = *entry;
	*entry = (struct registries_entry){.prefix = NULL};
	return 0;
}

int registries_conf_read(struct registries_conf *conf, const char *file, const char *text,
	size_t len, struct error *err)
{
	struct reading reading = {.conf = REGISTRIES_CONF_INIT, .section = SECTION_TOP};
	const struct toml_sink sink = {
		.table = take_table, .value = take_value, .context = &reading};
	struct error error = ERROR_INIT;
	int failed = toml_read(text, len, &sink, &error);

	for (size_t i = 0; !failed && i < reading.conf.count; i++)
		failed = complete_entry(&reading.conf.entries[i], file, &error);
	for (size_t i = 0; !failed && i < reading.conf.count; i++)
		failed = merge_entry(conf, &reading.conf.entries[i], &error);
	registries_conf_clear(&reading.conf);
	if (!failed)
		return 0;
	error_prefix(&error, "%s", file);
	return error_copy(err, &error);
}

static bool ends_component(const char *name, size_t len)
{
	return name[len] == '\0' || name[len] == '/';
}

/* How much of the name a prefix matches; 0: it doesn't. */
static size_t prefix_match(const char *prefix, const char *name)
{
	size_t len = strlen(prefix);
	size_t host_len = strcspn(name, "/");
	const char *domain;

	if (!is_wildcard(prefix))
		return strncmp(name, prefix, len) == 0 && ends_component(name, len) ? len : 0;
	domain = strstr(name, prefix + 1);
	if (!domain || domain == name || (size_t)(domain - name) >= host_len)
		return 0;
	len = (size_t)(domain - name) + len - 1;
	return ends_component(name, len) || name[len] == ':' ? len : 0;
}

const struct registries_entry *registries_conf_find(
	const struct registries_conf *conf, const char *name, size_t *matched)
{
	const struct registries_entry *found = NULL;

	*matched = 0;
	for (size_t i = 0; i < conf->count; i++) {
		const struct registries_entry *entry = &conf->entries[i];
		size_t len = prefix_match(entry->prefix, name);

		if (!len || len < *matched || (len == *matched && is_wildcard(entry->prefix)))
			continue;
		*matched = len;
		found = entry;
	}
	return found;
}
