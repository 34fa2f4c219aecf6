#include "registry/model/tag_list.h"

#include <string.h>

#include "reference.h"
#include "registry/model/json.h"

/* A place in the text, one token ahead. The text may be far larger than what is good to make a tree
 * of, so the grammar is checked here, by tokens. */
struct walk {
	struct json_text text;
	struct json_token token;
};

static void walk_next(struct walk *walk)
{
	walk->token = json_next(&walk->text, walk->token.span.end);
}

static int walk_error(const struct walk *walk, struct error *err)
{
	const char *problem = walk->token.type == JSON_BAD ? walk->token.problem : "not a tag list";

	return json_error(&walk->text, walk->token.span.start, err, "%s", problem);
}

static int walk_expect(struct walk *walk, char mark, struct error *err)
{
	if (walk->token.type != JSON_PUNCTUATION || walk->token.mark != mark)
		return walk_error(walk, err);
	walk_next(walk);
	return 0;
}

/* Passes a comma, with *more, or the closing bracket. */
static int walk_more(struct walk *walk, char closes, bool *more, struct error *err)
{
	*more = walk->token.type == JSON_PUNCTUATION && walk->token.mark == ',';
	return walk_expect(walk, *more ? ',' : closes, err);
}

/* Passes a value that nobody asks for. Its inner grammar doesn't matter, but that it ends. */
static int value_skip(struct walk *walk, struct error *err)
{
	size_t depth = 0;

	do {
		if (walk->token.type == JSON_END || walk->token.type == JSON_BAD)
			return walk_error(walk, err);
		if (json_token_opens(walk->token) && ++depth > JSON_DEPTH_MAX)
			return walk_error(walk, err);
		if (json_token_closes(walk->token)) {
			if (!depth)
				return walk_error(walk, err);
			depth--;
		}
		walk_next(walk);
	} while (depth);
	return 0;
}

/* No character of a tag needs an escape, so what has one is as it stands no tag. */
static int tag_take(struct walk *walk,
	int (*take)(void *context, const char *tag, struct error *err), void *context,
	struct error *err)
{
	char tag[TAG_MAX + 1];
	struct json_span span = walk->token.span;
	size_t len;

	if (walk->token.type != JSON_STRING)
		return walk_error(walk, err);
	len = span.end - span.start - 2;
	walk_next(walk);
	if (len > TAG_MAX)
		return 0;
	memcpy(tag, walk->text.bytes + span.start + 1, len);
	tag[len] = '\0';
	return tag_valid(tag) ? take(context, tag, err) : 0;
}

static bool is_null(const struct walk *walk)
{
	return walk->token.type == JSON_SCALAR && walk->token.mark == 'n';
}

static int tags_read(struct walk *walk,
	int (*take)(void *context, const char *tag, struct error *err), void *context,
	struct error *err)
{
	bool more = true;

	if (is_null(walk)) {
		walk_next(walk);
		return 0;
	}
	if (walk_expect(walk, '[', err))
		return -1;
	if (walk->token.type == JSON_PUNCTUATION && walk->token.mark == ']')
		return walk_expect(walk, ']', err);
	while (more) {
		if (tag_take(walk, take, context, err) || walk_more(walk, ']', &more, err))
			return -1;
	}
	return 0;
}

static bool key_is(const struct walk *walk, const char *name)
{
	size_t len = walk->token.span.end - walk->token.span.start;

	return len == strlen(name) &&
	       memcmp(walk->text.bytes + walk->token.span.start, name, len) == 0;
}

/* One member, with its key. *found: the tags have been read. */
static int member_read(struct walk *walk,
	int (*take)(void *context, const char *tag, struct error *err), void *context, bool *found,
	struct error *err)
{
	bool tags = key_is(walk, "\"tags\"");

	if (walk->token.type != JSON_STRING || (tags && *found))
		return walk_error(walk, err);
	*found = *found || tags;
	walk_next(walk);
	if (walk_expect(walk, ':', err))
		return -1;
	return tags ? tags_read(walk, take, context, err) : value_skip(walk, err);
}

int tag_list_read(const char *json, size_t len,
	int (*take)(void *context, const char *tag, struct error *err), void *context,
	struct error *err)
{
	struct walk walk = {.text = {json, len, ERROR_CORRUPT}};
	bool more = true, found = false;

	walk_next(&walk);
	if (walk_expect(&walk, '{', err))
		return -1;
	if (walk.token.type == JSON_PUNCTUATION && walk.token.mark == '}')
		return walk_error(&walk, err);
	while (more) {
		if (member_read(&walk, take, context, &found, err) ||
			walk_more(&walk, '}', &more, err))
			return -1;
	}
	return found && walk.token.type == JSON_END ? 0 : walk_error(&walk, err);
}
