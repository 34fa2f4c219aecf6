/*
 * json_edit.h - changes to an object that leave every other byte as it stands.
 *
 * An edit collects what happens to members and then writes the object's new text in one pass, so
 * that any number of changes costs one copy. What it adds is set like what stands before it: the
 * same white space, the same colon; an object that was empty follows the style of its text.
 */
#ifndef INDEXFS_MODEL_JSON_EDIT_H
#define INDEXFS_MODEL_JSON_EDIT_H

#include "buf.h"
#include "registry/model/json.h"

#define JSON_SPACE_SIZE 64

/* How a text is set, found from its first object. */
struct json_style {
	bool pretty; /* a line for each member */
	char newline[3];
	char base[JSON_SPACE_SIZE]; /* the indent of the line that closes the text */
	char unit[JSON_SPACE_SIZE]; /* and of each level within */
	char colon[8]; /* with the white space around it */
	char gap[8]; /* after a comma within a line */
};

#define JSON_STYLE_COMPACT                                                                         \
	{                                                                                          \
		.newline = "\n", .colon = ":"                                                      \
	}
#define JSON_STYLE_PRETTY                                                                          \
	{                                                                                          \
		.pretty = true, .newline = "\n", .unit = "  ", .colon = ": ", .gap = " "           \
	}

void json_style_find(struct json_style *out, const struct json_text *text, struct json_span object);
bool json_style_equal(const struct json_style *a, const struct json_style *b);

/* Appends the line break and indent of a level; nothing in a compact style. 0 or -1, as buf. */
int json_style_break(struct buf *out, const struct json_style *style, size_t level);

/* Appends the value at span in this style, its closing bracket at the indent of level: white
 * space outside strings changes, each token keeps its spelling. 0 or -1, as buf_append(). */
int json_layout(struct buf *out, const struct json_text *text, struct json_span span,
	const struct json_style *style, size_t level);

enum json_action { JSON_KEEP, JSON_REPLACE, JSON_REMOVE, JSON_ADD };

struct json_change {
	enum json_action action;
	struct json_span name, value; /* in the edit's values; of JSON_ADD and JSON_REPLACE */
};

struct json_edit {
	struct json_text text; /* borrowed */
	struct json_style style;
	struct json_object object;
	size_t level; /* of the object's closing brace */
	struct json_change *changes; /* one for each member, then those added */
	size_t count;
	struct buf values;
};

#define JSON_EDIT_INIT                                                                             \
	{                                                                                          \
		.changes = NULL, .values = BUF_INIT(JSON_SIZE_MAX)                                 \
	}

/* Begins to edit a text that is one object. The text must outlive the edit and must have passed
 * json_check(). Each call below returns 0, or -1 with *err set. */
int json_edit_open(struct json_edit *out, const char *text, size_t len, struct error *err);

/* Begins to edit the object that is a member of outer's, or {} where that is absent or null. The
 * result is for json_edit_set() of outer. */
int json_edit_open_member(
	struct json_edit *out, const struct json_edit *outer, const char *name, struct error *err);
void json_edit_close(struct json_edit *edit);

/* Gives member i, or a new one, the value: JSON text that is written as it is. */
int json_edit_replace(
	struct json_edit *edit, size_t i, const char *value, size_t len, struct error *err);
int json_edit_add(
	struct json_edit *edit, const char *name, const char *value, size_t len, struct error *err);

/* The same by name: changes it, or adds it where it's absent. */
int json_edit_set(
	struct json_edit *edit, const char *name, const char *value, size_t len, struct error *err);
/* The same with a string as the value. ERROR_INVALID where it isn't UTF-8. */
int json_edit_set_string(
	struct json_edit *edit, const char *name, const char *value, struct error *err);
void json_edit_remove(struct json_edit *edit, const char *name);

/* Appends a string. ERROR_INVALID where it isn't UTF-8: what can't be said isn't altered. */
int json_string_write(struct buf *out, const char *text, struct error *err);

/* Appends the object's new text. */
int json_edit_write(struct json_edit *edit, struct buf *out, struct error *err);

/* The same with what stands around it: the whole new text. */
int json_edit_write_text(struct json_edit *edit, struct buf *out, struct error *err);

#endif
