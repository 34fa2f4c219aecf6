#include "registry/base/utf8.h"

#include <string.h>

/* RFC 3629, section 4: what the first byte says of the length and of the second byte, which rules
 * out overlong forms, surrogates and what is beyond U+10FFFF. */
static const struct form {
	unsigned char first, last; /* of the first byte */
	unsigned char low, high; /* of the second */
	size_t len;
} forms[] = {
	{0xc2, 0xdf, 0x80, 0xbf, 2},
	{0xe0, 0xe0, 0xa0, 0xbf, 3},
	{0xe1, 0xec, 0x80, 0xbf, 3},
	{0xed, 0xed, 0x80, 0x9f, 3},
	{0xee, 0xef, 0x80, 0xbf, 3},
	{0xf0, 0xf0, 0x90, 0xbf, 4},
	{0xf1, 0xf3, 0x80, 0xbf, 4},
	{0xf4, 0xf4, 0x80, 0x8f, 4},
};

static bool fits(const struct form *form, const unsigned char *p)
{
	if (p[0] < form->first || p[0] > form->last || p[1] < form->low || p[1] > form->high)
		return false;
	for (size_t i = 2; i < form->len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return false;
	return true;
}

size_t utf8_character_len(const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text;

	if (len == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
		if (forms[i].len <= len && fits(&forms[i], p))
			return forms[i].len;
	return 0;
}

size_t utf8_control_len(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	if ((p[0] && p[0] < 0x20) || p[0] == 0x7f)
		return 1;
	return p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0 ? 2 : 0;
}

bool utf8_valid(const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		size_t character = utf8_character_len(text, len);
		if (character == 0)
			return false;
		text += character;
		len -= character;
	}
	return true;
}
