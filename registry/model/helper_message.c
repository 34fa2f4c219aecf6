#include "registry/model/helper_message.h"

#include <string.h>

#include "cleanup.h"
#include "json_text.h"
#include "registry/base/utf8.h"
#include "registry/model/json.h"
#include "secret.h"

#define NAME_SIZE_MAX 128

bool helper_name_valid(const char *name)
{
	size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "abcdefghijklmnopqrstuvwxyz"
				  "0123456789._-");

	return len > 0 && len <= NAME_SIZE_MAX && name[len] == '\0';
}

bool helper_says_not_found(const char *text)
{
	return strstr(text, "credentials not found in native keychain") != NULL;
}

static int member_take(char **out, const struct json_object *object, const struct json_text *text,
	const char *name, struct error *err)
{
	const struct json_member *member = json_object_value(object, text, name);

	return member ? json_string_read(out, text, member->value, name, err) : 0;
}

int helper_answer_parse(
	char **username, char **secret, const char *text, size_t len, struct error *err)
{
	const struct json_text json = {.bytes = text, .len = len, .kind = ERROR_INVALID};
	cleanup_secret char *user = NULL, *password = NULL;
	struct json_object object = JSON_OBJECT_INIT;
	int result;

	*username = *secret = NULL;
	if (json_check(&json, err) ||
		json_object_read(&object, &json, json_root(&json), "the answer", err))
		return -1;
	result = member_take(&user, &object, &json, "Username", err) ||
		 member_take(&password, &object, &json, "Secret", err);
	json_object_clear(&object);
	if (result)
		return -1;
	if (!password || !*password)
		return 0;
	if (!user && !(user = strdup("")))
		return error_set_memory(err);
	*username = steal_ptr(user);
	*secret = steal_ptr(password);
	return 0;
}

int helper_store_format(struct buf *out, const char *server, const char *username,
	const char *secret, struct error *err)
{
	if (!utf8_valid(server) || !utf8_valid(username) || !utf8_valid(secret))
		return error_set(err, ERROR_INVALID,
			"a username or password that isn't UTF-8 can't be stored with a helper");
	if (buf_append_text(out, "{\"ServerURL\":") || json_append_string(out, server) ||
		buf_append_text(out, ",\"Username\":") || json_append_string(out, username) ||
		buf_append_text(out, ",\"Secret\":") || json_append_string(out, secret) ||
		buf_append_text(out, "}"))
		return json_buf_error(err);
	return 0;
}
