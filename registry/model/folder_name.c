/*
 * folder_name.c - the folders of an index's entries.
 */
#include <stdlib.h>
#include <string.h>

#include "layer_path.h"
#include "registry/model/unique_name.h"

#define NAMELESS_PLATFORM "platform" /* of a platform that has no folder name */
#define NAMELESS_INDEX "index"

/* BuildKit's attestation manifests say they're for unknown/unknown. */
static bool is_attestation(const struct descriptor *entry)
{
	return entry->has_platform && strcmp(entry->platform.os, "unknown") == 0 &&
	       strcmp(entry->platform.architecture, "unknown") == 0;
}

static bool is_anywhere(const struct descriptor *entry)
{
	return !entry->has_platform || (!*entry->platform.os && !*entry->platform.architecture);
}

/* The name of an entry that isn't an index; false where it may not stand without its digest. */
static bool entry_name(char out[static FOLDER_NAME_SIZE], const struct descriptor *entry)
{
	if (is_anywhere(entry)) {
		strcpy(out, PLATFORM_ANY);
		return true;
	}
	if (!platform_name(out, &entry->platform)) {
		strcpy(out, NAMELESS_PLATFORM);
		return false;
	}
	return !is_attestation(entry);
}

static int entry_claim(
	char **out, struct path_set *set, const struct descriptor *entry, struct error *err)
{
	char name[FOLDER_NAME_SIZE];
	bool plain = entry_name(name, entry);

	return unique_name_claim(out, set, name, &entry->digest, plain, err);
}

/* Whether the folder of a platform could want this name, now or later: *out. */
static int name_is_platforms(bool *out, const char *name, struct error *err)
{
	struct platform platform = PLATFORM_INIT;
	struct error why = ERROR_INIT;

	*out = strcmp(name, PLATFORM_ANY) == 0;
	if (*out)
		return 0;
	if (platform_parse(&platform, name, &why))
		return why.kind == ERROR_INVALID ? 0 : error_copy(err, &why);
	*out = platform_usual(&platform);
	platform_clear(&platform);
	return 0;
}

static int index_claim(
	char **out, struct path_set *set, const struct descriptor *entry, struct error *err)
{
	const char *name = annotations_get(&entry->annotations, ANNOTATION_REF_NAME);
	bool reserved = true;

	if (name && layer_title_valid(name) && !strchr(name, '/') &&
		path_set_look(set, name) == PATH_CLAIMED && name_is_platforms(&reserved, name, err))
		return -1;
	if (!reserved)
		return unique_name_claim(out, set, name, &entry->digest, true, err);
	return unique_name_claim(out, set, NAMELESS_INDEX, &entry->digest, false, err);
}

/* Platforms come first, so that no index takes the name of one. */
static int names_claim(
	char **names, struct path_set *set, const struct document *index, struct error *err)
{
	if (path_set_claim(set, ANNOTATIONS_NAME, err) == PATH_FAILED ||
		path_set_claim(set, CONTROL_NAME, err) == PATH_FAILED)
		return -1;
	for (size_t i = 0; i < index->count; i++)
		if (!media_type_is_index(index->items[i].media_type) &&
			entry_claim(&names[i], set, &index->items[i], err))
			return -1;
	for (size_t i = 0; i < index->count; i++)
		if (!names[i] && index_claim(&names[i], set, &index->items[i], err))
			return -1;
	return 0;
}

int folder_names(char ***out, const struct document *index, struct error *err)
{
	struct path_set set;
	char **names;
	int failed;

	*out = NULL;
	if (path_set_init(&set, err))
		return -1;
	names = calloc(index->count + 1, sizeof(*names));
	failed = names ? names_claim(names, &set, index, err) : error_set_memory(err);
	path_set_free(&set);
	if (failed) {
		layer_paths_free(names, index->count);
		return -1;
	}
	*out = names;
	return 0;
}
