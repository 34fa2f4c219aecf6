/*
 * json_scalar.c - strings and numbers by what they mean, not by how they are written.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base/utf8.h"
#include "registry/model/json_equal.h"

static uint32_t hex_read(const char *digits)
{
	char text[5] = {digits[0], digits[1], digits[2], digits[3], '\0'};

	return (uint32_t)strtoul(text, NULL, 16);
}

/* The character of the escape at *at, of one or, beyond U+FFFF, of two. */
static uint32_t escape_read(const struct json_text *text, size_t *at)
{
	static const char escapes[] = "b\bf\fn\nr\rt\t";
	const char *escape = text->bytes + *at + 1;
	uint32_t high, low;

	if (*escape != 'u') {
		const char *known = strchr(escapes, *escape);

		*at += 2;
		return (uint32_t)(isalpha((unsigned char)*escape) && known ? known[1] : *escape);
	}
	high = hex_read(escape + 1);
	*at += 6;
	if (high < 0xd800 || high > 0xdbff || text->len - *at < 6 || text->bytes[*at] != '\\')
		return high;
	low = hex_read(text->bytes + *at + 2);
	*at += 6;
	return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

static uint32_t utf8_read(const struct json_text *text, size_t *at)
{
	static const unsigned char first_bits[] = {0x7f, 0x7f, 0x1f, 0x0f, 0x07};
	const unsigned char *bytes = (const unsigned char *)text->bytes + *at;
	size_t len = utf8_character_len(text->bytes + *at, text->len - *at);
	uint32_t character = bytes[0] & first_bits[len];

	for (size_t i = 1; i < len; i++)
		character = character << 6 | (bytes[i] & 0x3f);
	*at += len ? len : 1;
	return character;
}

static uint32_t character_read(const struct json_text *text, size_t *at)
{
	return text->bytes[*at] == '\\' ? escape_read(text, at) : utf8_read(text, at);
}

int json_string_compare(const struct json_text *a, struct json_span a_span,
	const struct json_text *b, struct json_span b_span)
{
	size_t i = a_span.start + 1, j = b_span.start + 1;

	while (i < a_span.end - 1 && j < b_span.end - 1) {
		uint32_t first = character_read(a, &i), second = character_read(b, &j);

		if (first != second)
			return first < second ? -1 : 1;
	}
	return (i < a_span.end - 1) - (j < b_span.end - 1);
}

/* A number as 0.DIGITS times ten to the power: the digits from the first to the last that isn't 0,
 * which a point may stand among. */
struct number {
	bool known; /* false: no number, or a power beyond what is looked at */
	bool negative;
	const char *digits, *end;
	int64_t power;
};

/* More than any text is long, and sums of such don't overflow. */
#define POWER_MAX INT64_C(1000000000)

static const char *power_read(int64_t *out, const char *at, const char *end)
{
	bool negative = at < end && *at == '-';

	at += at < end && (*at == '-' || *at == '+');
	for (*out = 0; at < end && *out <= POWER_MAX; at++)
		*out = *out * 10 + (*at - '0');
	if (negative)
		*out = -*out;
	return at;
}

static struct number number_read(const struct json_text *text, struct json_span span)
{
	const char *at = text->bytes + span.start, *end = text->bytes + span.end, *point;
	struct number number = {.negative = *at == '-'};
	const char *mantissa = at + number.negative, *stop = mantissa;
	int64_t power = 0;

	while (stop < end && (isdigit((unsigned char)*stop) || *stop == '.'))
		stop++;
	if (stop == mantissa || (stop < end && power_read(&power, stop + 1, end) != end))
		return number;
	number.known = power <= POWER_MAX && power >= -POWER_MAX;
	point = memchr(mantissa, '.', (size_t)(stop - mantissa));
	number.digits = mantissa;
	while (number.digits < stop && (*number.digits == '0' || *number.digits == '.'))
		number.digits++;
	number.end = stop;
	while (number.end > number.digits && (number.end[-1] == '0' || number.end[-1] == '.'))
		number.end--;
	if (!point)
		point = stop;
	if (number.digits < number.end)
		number.power = power + (point - number.digits) + (number.digits > point);
	return number;
}

static const char *past_point(const char *at, const char *end)
{
	return at < end && *at == '.' ? at + 1 : at;
}

bool json_number_equal(const struct json_text *a, struct json_span a_span,
	const struct json_text *b, struct json_span b_span)
{
	struct number first = number_read(a, a_span), second = number_read(b, b_span);
	const char *i = first.digits, *j = second.digits;

	if (!first.known || !second.known || first.negative != second.negative ||
		first.power != second.power)
		return false;
	while (i < first.end && j < second.end) {
		i = past_point(i, first.end);
		j = past_point(j, second.end);
		if (*i++ != *j++)
			return false;
	}
	return i == first.end && j == second.end;
}
