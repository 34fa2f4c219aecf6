#include "layer_path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "media_type.h"
#include "registry/base/utf8.h"
#include "registry/model/unique_name.h"

#define TITLE_MAX 4096
#define COMPONENT_MAX 255

static bool component_valid(const char *component, size_t len)
{
	if (len == 0 || len > COMPONENT_MAX)
		return false;
	if (component[0] == '.' && (len == 1 || (len == 2 && component[1] == '.')))
		return false;
	for (size_t i = 0; i < len; i++)
		if (utf8_control_len(component + i))
			return false;
	return true;
}

static bool component_is(const char *component, size_t len, const char *name)
{
	return len == strlen(name) && memcmp(component, name, len) == 0;
}

bool layer_title_valid(const char *title)
{
	size_t first = strcspn(title, "/");
	const char *component = title;

	if (strlen(title) > TITLE_MAX || !utf8_valid(title) ||
		component_is(title, first, ANNOTATIONS_NAME) ||
		component_is(title, first, CONTROL_NAME))
		return false;
	for (;;) {
		size_t len = strcspn(component, "/");

		if (!component_valid(component, len))
			return false;
		if (!component[len])
			return true;
		component += len + 1;
	}
}

/* How a character shows in a name of one component: %XX for what can't stand there, and for "%". */
static size_t character_escape(char out[static 16], const char *text, size_t left, bool alone)
{
	unsigned char c = (unsigned char)*text;
	size_t len = utf8_character_len(text, left);

	if (len == 0)
		len = 1;
	if (len == 2 && utf8_control_len(text) == 2)
		snprintf(out, 16, "%%%02X%%%02X", c, (unsigned char)text[1]);
	else if (c < 0x20 || c == 0x7f || c == '/' || c == '%' || (alone && c == '.'))
		snprintf(out, 16, "%%%02X", c);
	else
		snprintf(out, 16, "%.*s", (int)len, text);
	return len;
}

/* A title as one component, cut to NAME_STEM_MAX bytes; the caller frees it. */
static char *title_escape(const char *title)
{
	bool dots = strcmp(title, ".") == 0 || strcmp(title, "..") == 0;
	size_t len = strlen(title), at = 0;
	char name[NAME_STEM_MAX + 1] = "", character[16];

	for (size_t i = 0; i < len;) {
		i += character_escape(character, title + i, len - i, dots);
		if (at + strlen(character) > NAME_STEM_MAX)
			break;
		strcpy(name + at, character);
		at += strlen(character);
	}
	return strdup(name);
}

/* sha256-<12 hex> and an ending; the caller frees it. */
static char *untitled_name(const struct descriptor *layer)
{
	char hex[SHORT_DIGEST_LEN + 1], *name;

	short_digest(hex, &layer->digest);
	if (asprintf(&name, "%.*s-%s%s", (int)digest_algorithm_len(&layer->digest),
		    layer->digest.text, hex, media_type_suffix(layer->media_type)) < 0)
		return NULL;
	return name;
}

/* The path that a layer would like to have, of which no part is a file of another. */
static char *layer_wish(const struct path_set *set, const struct descriptor *layer)
{
	const char *title = annotations_get(&layer->annotations, ANNOTATION_TITLE);

	if (!title || !*title)
		return untitled_name(layer);
	if (layer_title_valid(title) && path_set_look(set, title) != PATH_BLOCKED)
		return strdup(title);
	return title_escape(title);
}

static int title_claim(
	char **out, struct path_set *set, const struct descriptor *layer, struct error *err)
{
	const char *title = annotations_get(&layer->annotations, ANNOTATION_TITLE);

	if (!title || !layer_title_valid(title) || path_set_look(set, title) != PATH_CLAIMED)
		return 0;
	return unique_name_claim(out, set, title, &layer->digest, true, err);
}

static int wish_claim(
	char **out, struct path_set *set, const struct descriptor *layer, struct error *err)
{
	cleanup_free char *wish = layer_wish(set, layer);

	if (!wish)
		return error_set_memory(err);
	return unique_name_claim(out, set, wish, &layer->digest, true, err);
}

/* Good titles come first, so that no name made for another layer takes theirs. */
static int paths_claim(
	char **paths, struct path_set *set, const struct document *manifest, struct error *err)
{
	if (path_set_claim(set, ANNOTATIONS_NAME, err) == PATH_FAILED ||
		path_set_claim(set, CONTROL_NAME, err) == PATH_FAILED)
		return -1;
	for (size_t i = 0; i < manifest->count; i++)
		if (title_claim(&paths[i], set, &manifest->items[i], err))
			return -1;
	for (size_t i = 0; i < manifest->count; i++)
		if (!paths[i] && wish_claim(&paths[i], set, &manifest->items[i], err))
			return -1;
	return 0;
}

int layer_paths(char ***out, const struct document *manifest, struct error *err)
{
	cleanup_with(path_set_free) struct path_set set = {.slots = NULL};
	char **paths;

	*out = NULL;
	if (path_set_init(&set, err))
		return -1;
	paths = calloc(manifest->count + 1, sizeof(*paths));
	if (!paths)
		return error_set_memory(err);
	if (paths_claim(paths, &set, manifest, err)) {
		layer_paths_free(paths, manifest->count);
		return -1;
	}
	*out = paths;
	return 0;
}

void layer_paths_free(char **paths, size_t count)
{
	if (!paths)
		return;
	for (size_t i = 0; i < count; i++)
		free(paths[i]);
	free(paths);
}
