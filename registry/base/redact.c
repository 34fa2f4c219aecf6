#include "registry/base/redact.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "registry/base/utf8.h"

#define MARK "***"
#define WORD_END " \t\r\n\"<>"

struct writer {
	char *out;
	size_t len, size;
};

static void put(struct writer *to, const char *text, size_t len)
{
	size_t room = to->size - 1 - to->len;

	if (len > room)
		len = room;
	memcpy(to->out + to->len, text, len);
	to->len += len;
	to->out[to->len] = '\0';
}

static bool begins(const char *text, const char *word)
{
	return strncasecmp(text, word, strlen(word)) == 0;
}

/* The parameters of a challenge, and prose, follow "Bearer" and "Basic" too. */
static bool is_harmless(const char *text, size_t len)
{
	static const char *const parameters[] = {"realm=", "service=", "scope=", "error="};
	static const char *const prose[] = {"auth", "authentication", "token", "challenge"};

	for (size_t i = 0; i < sizeof(parameters) / sizeof(*parameters); i++)
		if (begins(text, parameters[i]))
			return true;
	for (size_t i = 0; i < sizeof(prose) / sizeof(*prose); i++)
		if (len == strlen(prose[i]) && begins(text, prose[i]))
			return true;
	return false;
}

/* "Authorization: SCHEME VALUE", quoted or not: SCHEME is kept, the rest of the line isn't. */
static const char *take_header(struct writer *to, const char *text)
{
	const char *p = text + strlen("authorization");

	p += strspn(p, "\"' \t");
	if (*p != ':' && *p != '=')
		return text;
	p++;
	p += strspn(p, "\"' \t");
	size_t scheme = strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
	if (p[scheme] == ' ')
		p += scheme + 1;
	put(to, text, (size_t)(p - text));
	put(to, MARK, strlen(MARK));
	return p + strcspn(p, "\r\n");
}

/* "Bearer VALUE", "Basic VALUE" outside a header. */
static const char *take_scheme(struct writer *to, const char *text)
{
	const char *p = text + (begins(text, "bearer") ? strlen("bearer") : strlen("basic"));
	size_t gap = strspn(p, " \t:=");
	size_t len = strcspn(p + gap, WORD_END "',;");

	if (gap == 0 || len == 0 || is_harmless(p + gap, len))
		return text;
	p += gap;
	put(to, text, (size_t)(p - text));
	put(to, MARK, strlen(MARK));
	return p + len;
}

/* "://USER:PASSWORD@": USER is kept where there is a PASSWORD, else it may be a token. */
static const char *take_userinfo(struct writer *to, const char *text)
{
	const char *user = text + strlen("://");
	size_t len = strcspn(user, "/?#" WORD_END);
	const char *at = memrchr(user, '@', len);

	put(to, text, strlen("://"));
	if (!at)
		return user;
	const char *colon = memchr(user, ':', (size_t)(at - user));
	if (colon)
		put(to, user, (size_t)(colon + 1 - user));
	put(to, MARK, strlen(MARK));
	return at;
}

static const char *take_query(struct writer *to, const char *text, bool in_url)
{
	size_t len = strcspn(text, WORD_END);

	if (len < 2 || (!in_url && !memchr(text, '=', len)))
		return text;
	put(to, "?" MARK, strlen("?" MARK));
	return text + len;
}

/* Copies what is secret at this place as a mark and returns what is after it, or returns p. */
static const char *take_secret(struct writer *to, const char *p, bool word_start, bool *in_url)
{
	if (begins(p, "authorization"))
		return take_header(to, p);
	if (word_start && (begins(p, "bearer") || begins(p, "basic")))
		return take_scheme(to, p);
	if (begins(p, "://")) {
		*in_url = true;
		return take_userinfo(to, p);
	}
	if (*p == '?')
		return take_query(to, p, *in_url);
	return p;
}

void redact(char *out, size_t size, const char *text)
{
	struct writer to = {.out = out, .size = size};
	const char *p = text;
	bool word_start = true;
	bool in_url = false;

	out[0] = '\0';
	while (*p) {
		const char *after = take_secret(&to, p, word_start, &in_url);

		if (after == p) {
			put(&to, p, 1);
			after++;
		}
		p = after;
		word_start = !isalnum((unsigned char)p[-1]);
		if (strchr(WORD_END, p[-1]))
			in_url = false;
	}
}

void redact_known(char *text, const char *secret)
{
	size_t len = secret ? strlen(secret) : 0;

	if (len < strlen(MARK))
		return;
	while ((text = strstr(text, secret))) {
		memcpy(text, MARK, strlen(MARK));
		memmove(text + strlen(MARK), text + len, strlen(text + len) + 1);
		text += strlen(MARK);
	}
}

static size_t escape_one(char out[static 9], const unsigned char *p)
{
	size_t len = utf8_control_len((const char *)p);
	const char *at = len == 1 ? strchr("\nn\rr\tt", p[0]) : NULL;

	if (len == 0)
		sprintf(out, "%c", p[0]);
	else if (at && p[0] < 0x20)
		sprintf(out, "\\%c", at[1]);
	else if (len == 1)
		sprintf(out, "\\x%02x", p[0]);
	else
		sprintf(out, "\\x%02x\\x%02x", p[0], p[1]);
	return len ? len : 1;
}

void escape_controls(char *out, size_t size, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	char one[9];
	size_t len = 0;

	while (*p) {
		p += escape_one(one, p);
		size_t one_len = strlen(one);
		if (one_len > size - 1 - len)
			break;
		memcpy(out + len, one, one_len);
		len += one_len;
	}
	out[len] = '\0';
}
