#include "registry/model/token_answer.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "secret.h"
#include "registry/model/json.h"

void token_answer_clear(struct token_answer *answer)
{
	secret_free(answer->token);
	answer->token = NULL;
}

/* Visible ASCII: what may stand behind "Bearer " without changing the header (RFC 6750, 2.1). */
static bool token_valid(const char *token)
{
	for (const char *at = token; *at; at++) {
		if (*at <= ' ' || *at >= 0x7f)
			return false;
	}
	return *token != '\0';
}

/* One of the two names; clients of other registries know either only. */
static int read_token(char **out, const struct json_text *text, const struct json_object *object,
	struct error *err)
{
	static const char *const names[] = {"token", "access_token"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct json_member *member = json_object_value(object, text, names[i]);
		cleanup_secret char *value = NULL;

		if (!member)
			continue;
		if (json_string_read(&value, text, member->value, names[i], err))
			return -1;
		if (!*value)
			continue;
		if (!token_valid(value))
			return error_set(err, ERROR_PROTOCOL, "the token can't be one");
		*out = steal_ptr(value);
		return 0;
	}
	return error_set(err, ERROR_PROTOCOL, "no token is in it");
}

/* Some send it as a text or with a fraction; what is no number is taken as not told. */
static int64_t read_life(const struct json_text *text, const struct json_object *object)
{
	const struct json_member *member = json_object_value(object, text, "expires_in");
	const char *at;
	char *end;
	double life;

	if (!member)
		return TOKEN_LIFE_DEFAULT;
	at = text->bytes + member->value.start;
	at += *at == '"';
	life = strtod(at, &end);
	if (end == at || life != life)
		return TOKEN_LIFE_DEFAULT;
	if (life < 0)
		return 0;
	return life < (double)TOKEN_LIFE_MAX ? (int64_t)life : TOKEN_LIFE_MAX;
}

/* RFC 3339, to the second; -1 where it isn't. */
static int64_t parse_time(const char *text)
{
	struct tm tm = {0};
	const char *at = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t offset = 0;

	if (!at)
		return -1;
	if (*at == '.')
		at += 1 + strspn(at + 1, "0123456789");
	if (*at == '+' || *at == '-') {
		struct tm zone = {0};
		int seconds;

		if (!strptime(at + 1, "%H:%M", &zone))
			return -1;
		seconds = (zone.tm_hour * 60 + zone.tm_min) * 60;
		offset = *at == '+' ? seconds : -seconds;
	} else if (*at != 'Z') {
		return -1;
	}
	return timegm(&tm) - offset;
}

static int read_time(int64_t *out, const struct json_text *text, const struct json_object *object,
	struct error *err)
{
	const struct json_member *member = json_object_value(object, text, "issued_at");
	cleanup_free char *value = NULL;

	*out = -1;
	if (!member || text->bytes[member->value.start] != '"')
		return 0;
	if (json_string_read(&value, text, member->value, "issued_at", err))
		return -1;
	*out = parse_time(value);
	return 0;
}

int token_answer_parse(struct token_answer *out, const char *text, size_t len, struct error *err)
{
	struct json_text json = {.bytes = text, .len = len, .kind = ERROR_PROTOCOL};
	cleanup_with(json_object_clear) struct json_object object = JSON_OBJECT_INIT;

	*out = (struct token_answer){.issued_at = -1};
	if (json_check(&json, err) ||
		json_object_read(&object, &json, json_root(&json), "the answer", err))
		return -1;
	out->expires_in = read_life(&json, &object);
	if (read_time(&out->issued_at, &json, &object, err) ||
		read_token(&out->token, &json, &object, err)) {
		token_answer_clear(out);
		return -1;
	}
	return 0;
}
