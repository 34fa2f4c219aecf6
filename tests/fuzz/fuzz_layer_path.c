/* Names are safe, unique and prefix-free, and a good title that nothing clashes with is its name.
 * The input is titles, one a line; a line's first byte chooses media type, digest and platform. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json_text.h"
#include "layer_path.h"
#include "media_type.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void item_append(struct buf *out, bool index, const char *line)
{
	unsigned char choice = (unsigned char)*line;
	const char *key = index ? ANNOTATION_REF_NAME : ANNOTATION_TITLE;
	const char *type = index && choice % 2 ? MEDIA_TYPE_INDEX : MEDIA_TYPE_MANIFEST;
	const char *name = *line ? line + 1 : line;

	buf_printf(
		out, "{\"mediaType\":\"%s\",\"digest\":\"x:%d\",\"size\":0", type, choice / 2 % 3);
	if (choice % 7 < 3) {
		buf_append_text(out, ",\"platform\":{\"os\":");
		json_append_string(out, name);
		buf_printf(out, ",\"architecture\":\"%s\"}", choice % 7 ? "unknown" : "amd64");
	}
	if (choice % 5) {
		buf_printf(out, ",\"annotations\":{\"%s\":", key);
		json_append_string(out, name);
		buf_append_text(out, "}");
	}
	buf_append_text(out, "}");
}

static bool document_make(struct document *out, bool index, const char *lines)
{
	struct buf text = BUF_INIT(DOCUMENT_SIZE_MAX);
	char *copy = strdup(lines), *rest = copy, *line;
	bool made;

	require(copy != NULL);
	buf_append_text(&text, "{\"schemaVersion\":2,");
	buf_append_text(&text, index ? "\"manifests\":["
				     : "\"config\":{\"mediaType\":\"a/b\",\"digest\":\"x:1\","
				       "\"size\":0},\"layers\":[");
	for (bool first = true; (line = strsep(&rest, "\n")); first = false) {
		buf_append_text(&text, first ? "" : ",");
		item_append(&text, index, line);
	}
	buf_append_text(&text, "]}");
	made = document_parse(out, NULL, text.data, text.len, NULL) == 0;
	buf_free(&text);
	free(copy);
	return made;
}

static int text_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Whether a is a folder on the way to b. */
static bool is_folder_of(const char *a, const char *b)
{
	size_t len = strlen(a);

	return strncmp(a, b, len) == 0 && b[len] == '/';
}

static void check_safe(const char *name)
{
	size_t len;

	require(*name && strncmp(name, "/", 1) != 0);
	require(strcmp(name, ANNOTATIONS_NAME) != 0 && strcmp(name, CONTROL_NAME) != 0);
	require(!is_folder_of(ANNOTATIONS_NAME, name) && !is_folder_of(CONTROL_NAME, name));
	for (const char *part = name;; part += len + 1) {
		len = strcspn(part, "/");
		require(len > 0 && len <= 255);
		require(!(len == 1 && *part == '.') && !(len == 2 && memcmp(part, "..", 2) == 0));
		for (size_t i = 0; i < len; i++)
			require((unsigned char)part[i] >= 0x20 && part[i] != 0x7f);
		if (!part[len])
			break;
	}
}

static void check_names(char **names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_safe(names[i]);
	qsort(names, count, sizeof(*names), text_compare);
	for (size_t i = 1; i < count; i++)
		require(strcmp(names[i - 1], names[i]) != 0);
	for (size_t i = 0; i < count && count < 200; i++)
		for (size_t j = i + 1; j < count; j++)
			require(!is_folder_of(names[i], names[j]));
}

static void check_index(const char *lines)
{
	struct document document;
	char **names;

	if (!document_make(&document, true, lines))
		return;
	require(folder_names(&names, &document, NULL) == 0);
	for (size_t i = 0; i < document.count; i++)
		require(!strchr(names[i], '/'));
	check_names(names, document.count);
	layer_paths_free(names, document.count);
	document_clear(&document);
}

static void check_manifest(const char *lines)
{
	struct document document;
	const char *title;
	char **paths;

	if (!document_make(&document, false, lines))
		return;
	require(layer_paths(&paths, &document, NULL) == 0);
	if (document.count > 0) {
		title = annotations_get(&document.items[0].annotations, ANNOTATION_TITLE);
		if (title && layer_title_valid(title))
			require(strcmp(paths[0], title) == 0);
	}
	check_names(paths, document.count);
	layer_paths_free(paths, document.count);
	document_clear(&document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *lines = calloc(1, size + 1);

	require(lines != NULL);
	memcpy(lines, data, size);
	check_index(lines);
	check_manifest(lines);
	free(lines);
	return 0;
}
