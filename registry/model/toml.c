#include "registry/model/toml.h"

#include <errno.h>
#include <string.h>

#include "buf.h"
#include "cleanup.h"

#define KEY_MAX ((size_t)4096)
#define STRING_MAX ((size_t)64 << 10)
#define DEPTH_MAX 16

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define BARE LETTERS "0123456789-_"
#define BLANK " \t"

struct reader {
	const char *at, *end;
	int line;
	int depth; /* of arrays and inline tables */
	const struct toml_sink *sink;
	struct error *err;
	struct buf key, text;
};

static int wrong(struct reader *reader, const char *what)
{
	return error_set(reader->err, ERROR_INVALID, "%s", what);
}

static bool at_char(const struct reader *reader, char c)
{
	return reader->at < reader->end && *reader->at == c;
}

static bool at_text(const struct reader *reader, const char *text)
{
	size_t len = strlen(text);

	return (size_t)(reader->end - reader->at) >= len && memcmp(reader->at, text, len) == 0;
}

static bool take_text(struct reader *reader, const char *text)
{
	if (!at_text(reader, text))
		return false;
	reader->at += strlen(text);
	return true;
}

/* How many of the next bytes are among those; a NUL never is. */
static size_t span_of(const struct reader *reader, const char *bytes)
{
	const char *at = reader->at;

	while (at < reader->end && *at && strchr(bytes, *at))
		at++;
	return (size_t)(at - reader->at);
}

static void skip_blank(struct reader *reader)
{
	reader->at += span_of(reader, BLANK);
}

static bool take_newline(struct reader *reader)
{
	if (!take_text(reader, "\n") && !take_text(reader, "\r\n"))
		return false;
	reader->line++;
	return true;
}

static void skip_comment(struct reader *reader)
{
	if (at_char(reader, '#'))
		while (reader->at < reader->end && *reader->at != '\n')
			reader->at++;
}

/* What may stand between the items of an array. */
static void skip_space(struct reader *reader)
{
	do {
		skip_blank(reader);
		skip_comment(reader);
	} while (take_newline(reader));
}

static int put(struct reader *reader, struct buf *out, const char *bytes, size_t len)
{
	if (buf_append(out, bytes, len) == 0)
		return 0;
	return errno == EFBIG ? wrong(reader, "a text that is too long")
			      : error_set_memory(reader->err);
}

static int put_code_point(struct reader *reader, struct buf *out, unsigned long code)
{
	char bytes[4];
	size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};

	if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return wrong(reader, "an escape of no character");
	for (size_t i = len - 1; i > 0; i--, code >>= 6)
		bytes[i] = (char)(0x80 | (code & 0x3f));
	bytes[0] = (char)(first[len] | code);
	return put(reader, out, bytes, len);
}

static int take_unicode(struct reader *reader, struct buf *out, int digits)
{
	static const char hex[] = "0123456789abcdef0123456789ABCDEF";
	unsigned long code = 0;

	for (; digits > 0; digits--, reader->at++) {
		const char *digit =
			reader->at < reader->end && *reader->at ? strchr(hex, *reader->at) : NULL;

		if (!digit)
			return wrong(reader, "an escape without its digits");
		code = code << 4 | (unsigned long)((digit - hex) & 15);
	}
	return put_code_point(reader, out, code);
}

/* What is behind a backslash. */
static int take_escape(struct reader *reader, struct buf *out, bool lines)
{
	static const char names[] = "btnfr\"\\", values[] = "\b\t\n\f\r\"\\";
	const char *name;

	if (reader->at == reader->end)
		return wrong(reader, "a string without an end");
	if (lines && strchr(BLANK "\r\n", *reader->at) && *reader->at) {
		do
			skip_blank(reader);
		while (take_newline(reader));
		return 0;
	}
	if (take_text(reader, "u"))
		return take_unicode(reader, out, 4);
	if (take_text(reader, "U"))
		return take_unicode(reader, out, 8);
	name = *reader->at ? strchr(names, *reader->at) : NULL;
	if (!name)
		return wrong(reader, "an escape that there isn't");
	reader->at++;
	return put(reader, out, values + (name - names), 1);
}

/* To the quotes that end it, which may be three, and then the text may have lines. */
static int take_rest_of_string(
	struct reader *reader, struct buf *out, const char *quotes, bool escapes)
{
	bool lines = quotes[1] != '\0';

	while (reader->at < reader->end) {
		const char *c = reader->at;

		if (take_text(reader, quotes)) {
			/* Quotes may stand before the three: """a"""". */
			while (lines && at_char(reader, *quotes)) {
				if (put(reader, out, quotes, 1))
					return -1;
				reader->at++;
			}
			return 0;
		}
		if (lines && take_newline(reader)) {
			if (put(reader, out, "\n", 1))
				return -1;
			continue;
		}
		if (((unsigned char)*c < 0x20 && *c != '\t') || *c == 0x7f)
			return wrong(reader, *c == '\n' ? "a string without an end"
							: "a control character in a string");
		reader->at++;
		if (escapes && *c == '\\' ? take_escape(reader, out, lines)
					  : put(reader, out, c, 1))
			return -1;
	}
	return wrong(reader, "a string without an end");
}

static int take_string(struct reader *reader, struct buf *out, bool may_have_lines)
{
	static const char *const quotes[] = {"\"\"\"", "'''", "\"", "'"};

	for (size_t i = may_have_lines ? 0 : 2; i < 4; i++) {
		if (!take_text(reader, quotes[i]))
			continue;
		if (i < 2)
			take_newline(reader);
		return take_rest_of_string(reader, out, quotes[i], *quotes[i] == '"');
	}
	return wrong(reader, "a string is missing");
}

static bool at_quote(const struct reader *reader)
{
	return at_char(reader, '"') || at_char(reader, '\'');
}

/* A dotted key, with the blanks behind it, into reader->key. */
static int take_key(struct reader *reader)
{
	buf_reset(&reader->key);
	for (;;) {
		size_t len = span_of(reader, BARE);

		if (at_quote(reader) ? take_string(reader, &reader->key, false)
			: len	     ? put(reader, &reader->key, reader->at, len)
				     : wrong(reader, "a key is missing"))
			return -1;
		reader->at += len;
		skip_blank(reader);
		if (!take_text(reader, "."))
			return 0;
		if (put(reader, &reader->key, ".", 1))
			return -1;
		skip_blank(reader);
	}
}

static int take_value(struct reader *reader, struct toml_value *out);

static int skip_array(struct reader *reader)
{
	struct toml_value item;

	for (skip_space(reader); !take_text(reader, "]"); skip_space(reader)) {
		if (take_value(reader, &item))
			return -1;
		skip_space(reader);
		if (!take_text(reader, ",") && !at_char(reader, ']'))
			return wrong(reader, "an array without an end");
	}
	return 0;
}

static int skip_inline_table(struct reader *reader)
{
	struct toml_value item;

	skip_blank(reader);
	if (take_text(reader, "}"))
		return 0;
	do {
		skip_blank(reader);
		if (take_key(reader))
			return -1;
		if (!take_text(reader, "="))
			return wrong(reader, "\"=\" is missing");
		skip_blank(reader);
		if (take_value(reader, &item))
			return -1;
		skip_blank(reader);
	} while (take_text(reader, ","));
	return take_text(reader, "}") ? 0 : wrong(reader, "an inline table without an end");
}

static int skip_nested(struct reader *reader)
{
	int failed;

	if (++reader->depth > DEPTH_MAX)
		return wrong(reader, "arrays too deep in each other");
	failed = *reader->at++ == '[' ? skip_array(reader) : skip_inline_table(reader);
	reader->depth--;
	return failed;
}

static int take_value(struct reader *reader, struct toml_value *out)
{
	size_t len = span_of(reader, BARE "+.:");

	*out = (struct toml_value){.type = TOML_OTHER, .text = ""};
	if (at_quote(reader)) {
		out->type = TOML_STRING;
		buf_reset(&reader->text);
		if (take_string(reader, &reader->text, true))
			return -1;
		out->text = reader->text.data ? reader->text.data : "";
		return 0;
	}
	if (at_char(reader, '[') || at_char(reader, '{'))
		return skip_nested(reader);
	if (!len)
		return wrong(reader, "a value is missing");
	out->truth = len == 4 && at_text(reader, "true");
	if (out->truth || (len == 5 && at_text(reader, "false")))
		out->type = TOML_BOOLEAN;
	else if (strchr(LETTERS "_.:", *reader->at) && !at_text(reader, "inf") &&
		 !at_text(reader, "nan"))
		return wrong(reader, "a value that is neither text, in quotes, nor true or false");
	reader->at += len;
	return 0;
}

static int take_header(struct reader *reader)
{
	bool is_element = take_text(reader, "[[");
	const char *close = is_element ? "]]" : "]";

	if (!is_element)
		reader->at++;
	skip_blank(reader);
	if (take_key(reader))
		return -1;
	if (!take_text(reader, close))
		return wrong(reader, is_element ? "\"]]\" is missing" : "\"]\" is missing");
	return reader->sink->table(reader->sink->context, reader->key.data ? reader->key.data : "",
		is_element, reader->err);
}

static int take_pair(struct reader *reader)
{
	cleanup_free char *key = NULL;
	struct toml_value value;

	if (take_key(reader))
		return -1;
	if (!take_text(reader, "="))
		return wrong(reader, "\"=\" is missing");
	/* An inline table has keys of its own. */
	key = buf_steal(&reader->key);
	if (!key)
		return error_set_memory(reader->err);
	skip_blank(reader);
	if (take_value(reader, &value))
		return -1;
	return reader->sink->value(reader->sink->context, key, &value, reader->err);
}

static int take_line(struct reader *reader)
{
	bool empty;

	skip_blank(reader);
	empty = reader->at == reader->end || at_char(reader, '#') || at_char(reader, '\n') ||
		at_char(reader, '\r');
	if (!empty && (at_char(reader, '[') ? take_header(reader) : take_pair(reader)))
		return -1;
	skip_blank(reader);
	skip_comment(reader);
	return take_newline(reader) || reader->at == reader->end
		       ? 0
		       : wrong(reader, "something more on the line");
}

int toml_read(const char *text, size_t len, const struct toml_sink *sink, struct error *err)
{
	struct error error = ERROR_INIT;
	struct reader reader = {
		.at = text,
		.end = text + len,
		.line = 1,
		.sink = sink,
		.err = &error,
		.key = BUF_INIT(KEY_MAX),
		.text = BUF_INIT(STRING_MAX),
	};
	int failed = 0;

	take_text(&reader, "\xef\xbb\xbf"); /* as editors of Windows begin a file */
	while (!failed && reader.at < reader.end)
		failed = take_line(&reader);
	buf_free(&reader.key);
	buf_free(&reader.text);
	if (!failed)
		return 0;
	error_prefix(&error, "line %d", reader.line);
	return error_copy(err, &error);
}
