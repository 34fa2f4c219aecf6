#include "registry/model/registry_error.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include <cjson/cJSON.h>

#include "cleanup.h"

#define ERRORS_QUOTED 8

static void cleanup_json(cJSON **json)
{
	cJSON_Delete(*json);
}

/* Appends as much as fits, on one line: white space becomes one space, other control characters
 * (C0, DEL, and C1 as UTF-8: c2 80 to c2 9f), with which a terminal can be driven, go. */
static void append_clean(char *text, size_t size, const char *bytes, size_t len)
{
	const unsigned char *in = (const unsigned char *)bytes;
	size_t at = strlen(text);

	for (size_t i = 0; i < len && at + 1 < size; i++) {
		unsigned char c = in[i];
		bool space = c == ' ' || (c >= '\t' && c <= '\r');

		if (space && at && text[at - 1] != ' ')
			text[at++] = ' ';
		else if (c == 0xc2 && i + 1 < len && in[i + 1] >= 0x80 && in[i + 1] <= 0x9f)
			i++;
		else if (c > ' ' && c != 0x7f)
			text[at++] = (char)c;
	}
	text[at] = '\0';
}

static void append_text(char *text, size_t size, const char *bytes)
{
	append_clean(text, size, bytes, strlen(bytes));
}

/* A character that the end of the buffer has cut in two goes as a whole. */
static void trim_end(char *text)
{
	size_t len = strlen(text);
	size_t start = len;

	while (len && text[len - 1] == ' ')
		text[--len] = '\0';
	while (start && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
		start--;
	if (start) {
		unsigned char lead = (unsigned char)text[start - 1];
		size_t want = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;

		if (len - start < want)
			text[start - 1] = '\0';
	}
}

static const char *member_text(const cJSON *object, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

	return text ? text : "";
}

static void append_error(struct registry_error *out, const cJSON *error)
{
	const char *code = member_text(error, "code");
	const char *message = member_text(error, "message");

	if (!*code && !*message)
		return;
	if (!*out->code)
		append_text(out->code, sizeof(out->code), code);
	if (*out->text)
		append_text(out->text, sizeof(out->text), "; ");
	append_text(out->text, sizeof(out->text), code);
	if (*code && *message)
		append_text(out->text, sizeof(out->text), ": ");
	append_text(out->text, sizeof(out->text), message);
}

void registry_error_parse(struct registry_error *out, const char *body, size_t len)
{
	cleanup_with(cleanup_json) cJSON *json = NULL;
	const cJSON *error;
	int left = ERRORS_QUOTED;

	out->code[0] = '\0';
	out->text[0] = '\0';
	if (!body || !len)
		return;
	json = cJSON_ParseWithLength(body, len);
	cJSON_ArrayForEach (error, cJSON_GetObjectItemCaseSensitive(json, "errors")) {
		if (left-- > 0)
			append_error(out, error);
	}
	if (!*out->text)
		append_clean(out->text, sizeof(out->text), body, len);
	trim_end(out->text);
}

static bool says(const struct registry_error *said, const char *words)
{
	return strcasestr(said->text, words) != NULL;
}

static bool has_code(const struct registry_error *said, const char *code)
{
	return strcasecmp(said->code, code) == 0;
}

/* What registries say of an immutable tag: ECR, Harbor, Artifact Registry, Quay, ACR. */
static bool is_immutable(int status, const struct registry_error *said)
{
	return status == 409 || has_code(said, "TAG_INVALID") || says(said, "immutable") ||
	       says(said, "immutability") || says(said, "cannot be overwritten") ||
	       says(said, "can't be overwritten");
}

static enum error_kind kind_by_words(int status, const struct registry_error *said)
{
	static const struct {
		const char *code;
		enum error_kind kind;
	} codes[] = {
		{"TOOMANYREQUESTS", ERROR_THROTTLED},
		{"DIGEST_INVALID", ERROR_CORRUPT},
		{"SIZE_INVALID", ERROR_CORRUPT},
		{"MANIFEST_INVALID", ERROR_CORRUPT},
		{"NAME_UNKNOWN", ERROR_NOT_FOUND},
		{"MANIFEST_UNKNOWN", ERROR_NOT_FOUND},
		{"BLOB_UNKNOWN", ERROR_NOT_FOUND},
		{"MANIFEST_BLOB_UNKNOWN", ERROR_NOT_FOUND},
		{"UNAUTHORIZED", ERROR_DENIED},
		{"DENIED", ERROR_DENIED},
	};

	if (says(said, "quota") || says(said, "storage limit"))
		return ERROR_QUOTA;
	if (is_immutable(status, said))
		return ERROR_IMMUTABLE;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (has_code(said, codes[i].code))
			return codes[i].kind;
	}
	return ERROR_NONE;
}

enum error_kind registry_error_kind(int status, const struct registry_error *said)
{
	enum error_kind kind;

	switch (status) {
	case 401:
		return ERROR_DENIED;
	case 404:
		return ERROR_NOT_FOUND;
	case 408:
		return ERROR_TIMEOUT;
	case 413:
		return ERROR_TOO_LARGE;
	case 429:
		return ERROR_THROTTLED;
	case 507:
		return ERROR_QUOTA;
	default:
		break;
	}
	if (status >= 500)
		return ERROR_SERVER;
	kind = status >= 400 ? kind_by_words(status, said) : ERROR_PROTOCOL;
	if (kind != ERROR_NONE)
		return kind;
	if (status == 403)
		return ERROR_DENIED;
	if (status == 412)
		return ERROR_CONFLICT;
	/* distribution's read-only mode answers 405 UNSUPPORTED to every change. */
	return status == 405 ? ERROR_READ_ONLY : ERROR_PROTOCOL;
}
