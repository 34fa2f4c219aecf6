#include "fs/tree/conflict.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "json_text.h"
#include "layer_path.h"

static void items_free(struct merge_conflict *items, size_t count)
{
	while (count-- > 0)
		free(items[count].path);
	free(items);
}

void conflicts_clear(struct conflicts *conflicts)
{
	items_free(conflicts->items, conflicts->count);
	for (size_t i = 0; i < conflicts->choice_count; i++)
		free(conflicts->choices[i].path);
	free(conflicts->choices);
	*conflicts = (struct conflicts){.items = NULL};
}

void conflicts_take(struct conflicts *conflicts, struct merge_result *result)
{
	items_free(conflicts->items, conflicts->count);
	conflicts->items = steal_ptr(result->conflicts);
	conflicts->count = result->conflict_count;
	result->conflict_count = 0;
}

/* Whether all of prefix is at the beginning; *rest is what comes after it. */
static bool begins_with(const char *text, const char *prefix, const char **rest)
{
	size_t len = strlen(prefix);

	*rest = text + len;
	return strncmp(text, prefix, len) == 0;
}

/* Whether a path ends here: with all of it, or with what is below it. */
static bool ends_there(const char *rest)
{
	return *rest == '\0' || *rest == '/';
}

static bool is_followed_by_key(const char *rest)
{
	return strncmp(rest, ": ", 2) == 0;
}

/* Whether the path is the notes of the tag or of a folder, or leads on into them: a file may be
 * called "a: b" as well. */
static bool is_in_notes(const char *path)
{
	const char *slash = strchr(path, '/'), *rest;

	return (begins_with(path, ANNOTATIONS_NAME, &rest) ||
		       (slash && begins_with(slash + 1, ANNOTATIONS_NAME, &rest))) &&
	       (*rest == '\0' || is_followed_by_key(rest));
}

/* Whether the conflict is of a note of the layer, or of layers below the folder, at path. */
static bool is_note_of(const char *path, const char *conflict)
{
	const char *slash = strchr(path, '/'), *rest;
	size_t len = slash ? (size_t)(slash + 1 - path) : 0;

	if (!slash || strncmp(conflict, path, len) != 0 ||
		!begins_with(conflict + len, ANNOTATIONS_NAME ": ", &rest))
		return false;
	if (strncmp(rest, "./$", 3) == 0)
		rest += 2;
	return begins_with(rest, slash + 1, &rest) &&
	       (ends_there(rest) || is_followed_by_key(rest));
}

static bool is_about(const char *path, const char *conflict)
{
	const char *rest;

	if (strcmp(path, ".") == 0 || is_note_of(path, conflict))
		return true;
	return begins_with(conflict, path, &rest) &&
	       (ends_there(rest) || (is_in_notes(path) && is_followed_by_key(rest)));
}

/* The path without "./" before it and slashes after it. */
static char *tidy(const char *path, size_t len)
{
	while (len > 2 && strncmp(path, "./", 2) == 0) {
		path += 2;
		len -= 2;
	}
	while (len > 1 && path[len - 1] == '/')
		len--;
	return strndup(path, len);
}

static int add(struct conflicts *conflicts, enum merge_choice which, char *path, struct error *err)
{
	struct choice *choices = path ? reallocarray(conflicts->choices,
						conflicts->choice_count + 1, sizeof *choices)
				      : NULL;

	if (!choices) {
		free(path);
		return error_set_memory(err);
	}
	conflicts->choices = choices;
	choices[conflicts->choice_count++] = (struct choice){.which = which, .path = path};
	return 0;
}

int conflicts_choose(struct conflicts *conflicts, const char *text, size_t len, struct error *err)
{
	static const struct {
		const char *word;
		enum merge_choice which;
	} words[] = {{"ours ", MERGE_OURS}, {"theirs ", MERGE_THEIRS}};

	for (size_t i = 0; i < 2; i++) {
		size_t word = strlen(words[i].word);

		if (len <= word || strncmp(text, words[i].word, word) != 0 ||
			memchr(text, '\0', len))
			continue;
		return add(conflicts, words[i].which, tidy(text + word, len - word), err);
	}
	return error_set(err, ERROR_INVALID,
		"it takes \"ours PATH\" or \"theirs PATH\", the path as seen from the mount point");
}

enum merge_choice conflicts_choice(const struct conflicts *conflicts, const char *path)
{
	for (size_t i = conflicts->choice_count; i-- > 0;)
		if (is_about(conflicts->choices[i].path, path))
			return conflicts->choices[i].which;
	return MERGE_UNSETTLED;
}

static int format_digest(struct buf *out, const char *name, const struct digest *digest)
{
	if (buf_printf(out, ", \"%s\": ", name))
		return -1;
	return digest_is_set(digest) ? json_append_string(out, digest->text)
				     : buf_append_text(out, "null");
}

int conflicts_format(const struct conflicts *conflicts, struct buf *out)
{
	if (buf_append_text(out, "["))
		return -1;
	for (size_t i = 0; i < conflicts->count; i++) {
		const struct merge_conflict *conflict = &conflicts->items[i];

		if (buf_append_text(out, i ? ",\n    {\"path\": " : "\n    {\"path\": ") ||
			json_append_string(out, conflict->path) ||
			format_digest(out, "ours", &conflict->ours) ||
			format_digest(out, "theirs", &conflict->theirs) ||
			buf_append_text(out, "}"))
			return -1;
	}
	return buf_append_text(out, conflicts->count ? "\n  ]" : "]");
}
