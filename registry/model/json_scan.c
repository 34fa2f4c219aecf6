/*
 * json_scan.c - the tokens of a JSON text, by the letter of RFC 8259.
 *
 * cJSON takes control characters in strings, bad \u digits, numbers like 01 and +1, any byte up
 * to 0x20 as white space and bytes that aren't UTF-8; here none of them is a token.
 */
#include <ctype.h>
#include <string.h>

#include "registry/base/utf8.h"
#include "registry/model/json.h"

static struct json_token token(enum json_token_type type, char mark, size_t start, size_t end)
{
	return (struct json_token){.type = type, .mark = mark, .span = {start, end}};
}

static struct json_token token_bad(size_t at, const char *problem)
{
	return (struct json_token){.type = JSON_BAD, .span = {at, at}, .problem = problem};
}

/* The length of the escape whose backslash is at offset at, 0 where it isn't one. */
static size_t escape_len(const struct json_text *text, size_t at)
{
	size_t left = text->len - at;

	if (left < 2)
		return 0;
	if (text->bytes[at + 1] != 'u')
		return text->bytes[at + 1] && strchr("\"\\/bfnrt", text->bytes[at + 1]) ? 2 : 0;
	if (left < 6)
		return 0;
	for (size_t i = 2; i < 6; i++)
		if (!isxdigit((unsigned char)text->bytes[at + i]))
			return 0;
	return 6;
}

static struct json_token string_next(const struct json_text *text, size_t start)
{
	size_t at = start + 1, size;

	while (at < text->len) {
		unsigned char c = (unsigned char)text->bytes[at];

		if (c == '"')
			return token(JSON_STRING, '"', start, at + 1);
		if (c < 0x20)
			return token_bad(at, "a control character in a string");
		if (c == '\\') {
			size = escape_len(text, at);
			if (size == 0)
				return token_bad(at, "a bad escape in a string");
		} else {
			size = c < 0x80 ? 1 : utf8_character_len(text->bytes + at, text->len - at);
			if (size == 0)
				return token_bad(at, "bytes that aren't UTF-8");
		}
		at += size;
	}
	return token_bad(start, "a string without an end");
}

static size_t digits_end(const struct json_text *text, size_t at)
{
	while (at < text->len && isdigit((unsigned char)text->bytes[at]))
		at++;
	return at;
}

/* The end of the number at start, or start where it isn't one. */
static size_t number_end(const struct json_text *text, size_t start)
{
	const char *bytes = text->bytes;
	size_t at = start + (bytes[start] == '-'), end = digits_end(text, at);

	if (end == at || (bytes[at] == '0' && end > at + 1))
		return start;
	at = end;
	if (at < text->len && bytes[at] == '.') {
		end = digits_end(text, at + 1);
		if (end == at + 1)
			return start;
		at = end;
	}
	if (at < text->len && (bytes[at] == 'e' || bytes[at] == 'E')) {
		at++;
		if (at < text->len && (bytes[at] == '+' || bytes[at] == '-'))
			at++;
		end = digits_end(text, at);
		if (end == at)
			return start;
		at = end;
	}
	return at;
}

static bool word_byte(char c)
{
	return isalnum((unsigned char)c) || c == '.' || c == '+' || c == '-' || c == '_';
}

static struct json_token scalar_next(const struct json_text *text, size_t start)
{
	static const char *const words[] = {"true", "false", "null"};
	char mark = text->bytes[start];
	size_t end = start;

	while (end < text->len && word_byte(text->bytes[end]))
		end++;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (end - start == strlen(words[i]) &&
			memcmp(text->bytes + start, words[i], end - start) == 0)
			return token(JSON_SCALAR, mark, start, end);
	if (mark != '-' && !isdigit((unsigned char)mark))
		return token_bad(start, "not JSON");
	if (number_end(text, start) != end)
		return token_bad(start, "a malformed number");
	return token(JSON_SCALAR, mark, start, end);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

struct json_token json_next(const struct json_text *text, size_t at)
{
	while (at < text->len && is_space(text->bytes[at]))
		at++;
	if (at >= text->len)
		return token(JSON_END, 0, text->len, text->len);
	switch (text->bytes[at]) {
	case '"':
		return string_next(text, at);
	case '{':
	case '}':
	case '[':
	case ']':
	case ',':
	case ':':
		return token(JSON_PUNCTUATION, text->bytes[at], at, at + 1);
	default:
		return scalar_next(text, at);
	}
}
