#include "registry/model/challenge.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "buf.h"
#include "cleanup.h"

#define BLANK " \t"
#define VALUE_MAX ((size_t)64 << 10)

/* RFC 9110, section 5.6.2. */
static size_t token_len(const char *text)
{
	return strspn(text, "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "abcdefghijklmnopqrstuvwxyz");
}

static bool span_is(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && strncasecmp(text, word, len) == 0;
}

void challenge_clear(struct challenge *challenge)
{
	struct challenge none = CHALLENGE_INIT;

	free(challenge->realm);
	free(challenge->service);
	free(challenge->scope);
	*challenge = none;
}

static int copy_text(char **out, const char *text, struct error *err)
{
	if (!text)
		return 0;
	*out = strdup(text);
	return *out ? 0 : error_set_memory(err);
}

int challenge_copy(struct challenge *out, const struct challenge *from, struct error *err)
{
	*out = (struct challenge){.scheme = from->scheme};
	if (copy_text(&out->realm, from->realm, err) == 0 &&
		copy_text(&out->service, from->service, err) == 0 &&
		copy_text(&out->scope, from->scope, err) == 0)
		return 0;
	challenge_clear(out);
	return -1;
}

static bool text_equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool challenge_equal(const struct challenge *a, const struct challenge *b)
{
	return a->scheme == b->scheme && text_equal(a->realm, b->realm) &&
	       text_equal(a->service, b->service);
}

/* A quoted string (RFC 9110, section 5.6.4), or one without quotes, which may hold what a token
 * may not: some registries send URLs so. *text is behind it then. */
static int read_value(char **out, const char **text, struct error *err)
{
	cleanup_with(buf_free) struct buf value = BUF_INIT(VALUE_MAX);
	const char *at = *text;
	bool quoted = *at == '"';
	int failed = buf_append(&value, "", 0);

	at += quoted;
	while (*at && !failed && !(quoted ? *at == '"' : strchr("," BLANK, *at) != NULL)) {
		if (quoted && *at == '\\' && at[1])
			at++;
		failed = buf_append(&value, at++, 1);
	}
	*text = at + (quoted && *at == '"');
	*out = failed ? NULL : buf_steal(&value);
	return *out ? 0 : error_set_memory(err);
}

/* The value belongs to the challenge after. Of two parameters of one name the first counts. */
static void set_parameter(struct challenge *challenge, const char *name, size_t len, char *value)
{
	char **member = span_is(name, len, "realm")	? &challenge->realm
			: span_is(name, len, "service") ? &challenge->service
			: span_is(name, len, "scope")	? &challenge->scope
							: NULL;

	if (value && span_is(name, len, "error") && strcasecmp(value, "insufficient_scope") == 0)
		challenge->insufficient = true;
	if (!member || *member) {
		free(value);
		return;
	}
	*member = value;
}

/* Takes `one` into *best if it is better, and empties it. */
static void keep_better(struct challenge *best, struct challenge *one)
{
	bool usable = one->scheme != CHALLENGE_BEARER || (one->realm && *one->realm);

	if (usable && one->scheme > best->scheme) {
		challenge_clear(best);
		*best = *one;
		*one = (struct challenge)CHALLENGE_INIT;
	}
	challenge_clear(one);
}

static enum challenge_scheme scheme_of(const char *text, size_t len)
{
	if (span_is(text, len, "bearer"))
		return CHALLENGE_BEARER;
	return span_is(text, len, "basic") ? CHALLENGE_BASIC : CHALLENGE_NONE;
}

/* The "=" behind a name; NULL where the name is a scheme, or what is there is a token68 with its
 * padding ("Negotiate YWJj=="). */
static const char *parameter_value(const char *after_name)
{
	const char *at = after_name + strspn(after_name, BLANK);

	if (*at != '=')
		return NULL;
	at += 1 + strspn(at + 1, BLANK);
	return *at && !strchr("=,", *at) ? at : NULL;
}

int challenge_read(struct challenge *challenge, const char *value, struct error *err)
{
	struct challenge one = CHALLENGE_INIT;
	int failed = 0;

	while (*value && !failed) {
		size_t len = token_len(value);
		const char *at = len ? parameter_value(value + len) : NULL;
		char *text;

		if (at) {
			failed = read_value(&text, &at, err);
			if (!failed)
				set_parameter(&one, value, len, text);
			value = at;
		} else if (len) {
			keep_better(challenge, &one);
			one.scheme = scheme_of(value, len);
			value += len + strspn(value + len, "=");
		} else {
			value++;
		}
	}
	keep_better(challenge, &one);
	return failed ? -1 : 0;
}
