#include "json_text.h"

#include <string.h>

#include "registry/base/utf8.h"

static const char short_escapes[] = "\bb\ff\nn\rr\tt\"\"\\\\";

/* Appends what can't stand in a string as it is; c is such a byte. */
static int escape_append(struct buf *out, char c)
{
	for (const char *pair = short_escapes; *pair; pair += 2)
		if (*pair == c)
			return buf_append(out, (char[]){'\\', pair[1]}, 2);
	return buf_printf(out, "\\u%04x", (unsigned char)c);
}

static int content_append(struct buf *out, const char *text)
{
	size_t len = strlen(text), plain = 0, size;

	for (size_t i = 0; i < len; i += size) {
		unsigned char c = (unsigned char)text[i];
		int failed = 0;

		size = utf8_character_len(text + i, len - i);
		if (size != 0 && c >= 0x20 && c != '"' && c != '\\')
			continue;
		failed = buf_append(out, text + plain, i - plain);
		if (failed == 0)
			failed = size ? escape_append(out, text[i])
				      : buf_append_text(out, "\xef\xbf\xbd");
		if (failed)
			return -1;
		size = 1;
		plain = i + 1;
	}
	return buf_append(out, text + plain, len - plain);
}

int json_append_string(struct buf *out, const char *text)
{
	size_t before = out->len;

	if (buf_append(out, "\"", 1) == 0 && content_append(out, text) == 0 &&
		buf_append(out, "\"", 1) == 0)
		return 0;
	if (out->data) {
		out->len = before;
		out->data[before] = '\0';
	}
	return -1;
}
