/*
 * homebrew_bottle.c - what a bottle says of itself: by the name of its file, and by its tab.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "cleanup.h"
#include "registry/model/homebrew_parts.h"
#include "registry/model/json_edit.h"

/* What Homebrew takes for an unnamed Linux: the one that its own bottles are built on. */
#define LINUX_VERSION "Ubuntu 24.04"

static const char tag_characters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

static const struct {
	const char *prefix, *spelling, *architecture;
} archs[] = {
	{"arm64_", "arm64_", "arm64"},
	{"aarch64_", "arm64_", "arm64"},
	{"arm_", "arm64_", "arm64"},
	{"x86_64_", "x86_64_", "amd64"},
	{"intel_", "x86_64_", "amd64"},
	{"", "x86_64_", "amd64"},
};

static const struct {
	const char *name, *version;
} macos[] = {
	{"golden_gate", "27"},
	{"tahoe", "26"},
	{"sequoia", "15"},
	{"sonoma", "14"},
	{"ventura", "13"},
	{"monterey", "12"},
	{"big_sur", "11"},
	{"catalina", "10.15"},
	{"mojave", "10.14"},
	{"high_sierra", "10.13"},
	{"sierra", "10.12"},
	{"el_capitan", "10.11"},
};

static const char *macos_version(const char *system)
{
	for (size_t i = 0; i < sizeof(macos) / sizeof(*macos); i++)
		if (strcmp(macos[i].name, system) == 0)
			return macos[i].version;
	return NULL;
}

/* text is up to 56 characters of a tag; Intel's macOS has no prefix. */
static void tag_read(struct bottle_tag *out, const char *text)
{
	const char *system, *spelling;
	size_t i = 0;

	*out = (struct bottle_tag){.all = strcmp(text, "all") == 0};
	while (strncmp(text, archs[i].prefix, strlen(archs[i].prefix)) != 0)
		i++;
	system = text + strlen(archs[i].prefix);
	spelling = archs[i].spelling;
	out->on_linux = strcmp(system, "linux") == 0;
	out->macos = macos_version(system);
	if (!out->all)
		out->architecture = archs[i].architecture;
	if (out->all || (out->macos && strcmp(spelling, "x86_64_") == 0))
		spelling = "";
	snprintf(out->text, sizeof(out->text), "%s%s", spelling, system);
}

/* Whether text is what follows a tag. Homebrew's own files have the rebuild after "bottle"; what it
 * calls the bottle elsewhere has it before. */
static bool ending_matches(const char *text, const char *rebuild)
{
	char after[64], before[64];

	if (!rebuild)
		return strcmp(text, ".bottle.tar.gz") == 0;
	snprintf(after, sizeof(after), ".bottle.%s.tar.gz", rebuild);
	snprintf(before, sizeof(before), ".%s.bottle.tar.gz", rebuild);
	return strcmp(text, after) == 0 || strcmp(text, before) == 0;
}

/* What follows prefix; NULL where text doesn't begin with it, or is NULL. */
static const char *after(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return text && strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

int bottle_tag_find(struct bottle_tag *out, const char *file,
	const struct homebrew_formula *formula, struct error *err)
{
	const char *name = annotations_get(&formula->annotations, ANNOTATION_TITLE);
	const char *slash = strrchr(name, '/');
	char text[57];
	const char *tag;
	size_t len;

	if (slash)
		name = slash + 1;
	tag = after(after(after(after(file, name), "--"), formula->version), ".");
	len = tag ? strspn(tag, tag_characters) : 0;
	if (len == 0 || len >= sizeof(text) || !ending_matches(tag + len, formula->rebuild))
		return error_set(err, ERROR_INVALID,
			"\"%.128s\" isn't the name of a bottle of %.64s %.64s: "
			"%.64s--%.64s.TAG.bottle%s%s.tar.gz",
			file, name, formula->version, name, formula->version,
			formula->rebuild ? "." : "", formula->rebuild ? formula->rebuild : "");
	memcpy(text, tag, len);
	text[len] = '\0';
	tag_read(out, text);
	return 0;
}

void bottle_tab_clear(struct bottle_tab *tab)
{
	free(tab->text);
	free(tab->arch);
	free(tab->os);
	free(tab->os_version);
	free(tab->glibc_version);
	free(tab->cpu_family);
	*tab = (struct bottle_tab){.text = NULL};
}

static int field_read(char **out, const struct json_text *text, const struct json_object *object,
	const char *name, struct error *err)
{
	const struct json_member *member = json_object_value(object, text, name);
	cleanup_free char *value = NULL;

	if (!member)
		return 0;
	if (json_string_read(&value, text, member->value, name, err))
		return -1;
	if (!homebrew_blank(value))
		*out = steal_ptr(value);
	return 0;
}

static int built_on_read(struct bottle_tab *out, const struct json_text *text,
	const struct json_object *tab, struct error *err)
{
	const struct json_member *member = json_object_value(tab, text, "built_on");
	cleanup_with(json_object_clear) struct json_object object = JSON_OBJECT_INIT;

	if (!member)
		return 0;
	if (json_object_read(&object, text, member->value, "built_on", err) ||
		field_read(&out->os, text, &object, "os", err) ||
		field_read(&out->os_version, text, &object, "os_version", err) ||
		field_read(&out->glibc_version, text, &object, "glibc_version", err))
		return -1;
	return field_read(&out->cpu_family, text, &object, "oldest_cpu_family", err);
}

/* Compact, as Homebrew writes it; each value keeps its spelling. */
static int text_make(
	struct bottle_tab *out, const struct json_text *text, bool all, struct error *err)
{
	static const struct json_style compact = JSON_STYLE_COMPACT;
	cleanup_with(json_edit_close) struct json_edit edit = JSON_EDIT_INIT;
	cleanup_with(buf_free) struct buf set = BUF_INIT(JSON_SIZE_MAX);
	cleanup_with(buf_free) struct buf edited = BUF_INIT(JSON_SIZE_MAX);

	if (json_layout(&set, text, json_root(text), &compact, 0))
		return json_buf_error(err);
	if (json_edit_open(&edit, set.data, set.len, err))
		return -1;
	if (all) {
		json_edit_remove(&edit, "arch");
		json_edit_remove(&edit, "built_on");
	}
	if (json_edit_write_text(&edit, &edited, err))
		return -1;
	out->text = buf_steal(&edited);
	return out->text ? 0 : error_set_memory(err);
}

static int tab_fill(
	struct bottle_tab *out, const struct json_text *text, bool all, struct error *err)
{
	cleanup_with(json_object_clear) struct json_object object = JSON_OBJECT_INIT;

	if (json_check(text, err) ||
		json_object_read(&object, text, json_root(text), "a tab", err) ||
		field_read(&out->arch, text, &object, "arch", err) ||
		built_on_read(out, text, &object, err))
		return -1;
	return text_make(out, text, all, err);
}

int bottle_tab_read(struct bottle_tab *out, const char *json, bool all, struct error *err)
{
	const struct json_text text = {.bytes = json, .len = strlen(json), .kind = ERROR_INVALID};

	*out = (struct bottle_tab){.text = NULL};
	if (text.len > JSON_SIZE_MAX)
		return error_set(err, ERROR_TOO_LARGE, KEY_TAB ": %zu bytes", text.len);
	if (tab_fill(out, &text, all, err) == 0)
		return 0;
	bottle_tab_clear(out);
	return error_prefix(err, KEY_TAB);
}

static int architecture_find(
	char **out, const struct bottle_tag *tag, const struct bottle_tab *tab, struct error *err)
{
	const char *found = tag->architecture;

	if (tab->arch && strcmp(tab->arch, "arm64") == 0)
		found = "arm64";
	else if (tab->arch && strcmp(tab->arch, "x86_64") == 0)
		found = "amd64";
	else if (tab->arch || !found)
		return error_set(err, ERROR_INVALID,
			KEY_TAB ": arch is \"%.64s\": Homebrew has arm64 and x86_64",
			tab->arch ? tab->arch : "");
	*out = strdup(found);
	return *out ? 0 : error_set_memory(err);
}

static int os_find(
	char **out, const struct bottle_tag *tag, const struct bottle_tab *tab, struct error *err)
{
	const char *found = tag->on_linux ? "linux" : "darwin";

	if (tab->os && strcmp(tab->os, "Macintosh") == 0)
		found = "darwin";
	else if (tab->os && strcmp(tab->os, "Linux") == 0)
		found = "linux";
	else if (tab->os)
		return error_set(err, ERROR_INVALID,
			KEY_TAB ": built_on.os is \"%.64s\": Homebrew has Macintosh and Linux",
			tab->os);
	*out = strdup(found);
	return *out ? 0 : error_set_memory(err);
}

static int os_version_find(char **out, const char *os, const struct bottle_tag *tag,
	const struct bottle_tab *tab, struct error *err)
{
	static const char lts[] = " LTS";
	bool on_linux = strcmp(os, "linux") == 0;
	char named[32];
	size_t len;

	if (!tab->os_version && !on_linux && !tag->macos)
		return error_set(err, ERROR_INVALID,
			"the macOS of \"%s\" isn't known here: " KEY_TAB
			" must have built_on.os_version",
			tag->text);
	snprintf(named, sizeof(named), "macOS %s", tag->macos ? tag->macos : "");
	*out = strdup(tab->os_version ? tab->os_version : on_linux ? LINUX_VERSION : named);
	if (!*out)
		return error_set_memory(err);
	len = strlen(*out);
	if (on_linux && len > strlen(lts) && strcmp(*out + len - strlen(lts), lts) == 0)
		(*out)[len - strlen(lts)] = '\0';
	return 0;
}

int bottle_platform(struct platform *out, const struct bottle_tag *tag,
	const struct bottle_tab *tab, const struct platform *fallback, struct error *err)
{
	*out = (struct platform)PLATFORM_INIT;
	if (tag->all && !tab->arch && !tab->os && fallback)
		return platform_copy(out, fallback, err);
	if (architecture_find(&out->architecture, tag, tab, err) == 0 &&
		os_find(&out->os, tag, tab, err) == 0 &&
		os_version_find(&out->os_version, out->os, tag, tab, err) == 0)
		return 0;
	platform_clear(out);
	return -1;
}
