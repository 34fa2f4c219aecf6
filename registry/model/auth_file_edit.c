/*
 * auth_file_edit.c - changes to a credentials file that leave what they don't mean alone.
 */
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "registry/model/auth_file.h"
#include "registry/model/auth_key.h"
#include "registry/model/base64.h"
#include "registry/model/json_edit.h"
#include "secret.h"

/* As podman writes it. */
#define NEW_FILE "{\n\t\"auths\": {}\n}\n"

static void edit_close(struct json_edit *edit)
{
	if (edit->values.data)
		explicit_bzero(edit->values.data, edit->values.len);
	json_edit_close(edit);
}

static int auth_encode(char **out, const char *username, const char *password, struct error *err)
{
	cleanup_with(secret_buf_free) struct buf pair = BUF_INIT(JSON_SIZE_MAX);

	if (!*username || strchr(username, ':'))
		return error_set(err, ERROR_INVALID,
			"a username can't be empty, or have a colon in it (RFC 7617)");
	if (buf_printf(&pair, "%s:%s", username, password))
		return json_buf_error(err);
	return base64_encode(out, pair.data, pair.len, err);
}

/* Changes one entry: what else is in it stays, but for what would say something else. */
static int entry_set(struct json_edit *auths, const char *key, const char *auth, struct error *err)
{
	static const char *const secrets[] = {
		"username", "password", "identitytoken", "registrytoken"};
	cleanup_with(edit_close) struct json_edit entry = JSON_EDIT_INIT;
	cleanup_with(secret_buf_free) struct buf value = BUF_INIT(JSON_SIZE_MAX);

	if (json_edit_open_member(&entry, auths, key, err))
		return -1;
	for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++)
		json_edit_remove(&entry, secrets[i]);
	if (!auth)
		json_edit_remove(&entry, "auth");
	else if (json_edit_set_string(&entry, "auth", auth, err))
		return -1;
	if (json_edit_write(&entry, &value, err))
		return -1;
	return json_edit_set(auths, key, value.data, value.len, err);
}

static int auths_set(struct json_edit *root, const char *host, const char *auth, struct error *err)
{
	cleanup_with(edit_close) struct json_edit auths = JSON_EDIT_INIT;
	cleanup_with(secret_buf_free) struct buf value = BUF_INIT(JSON_SIZE_MAX);
	const struct json_member *member;

	if (json_edit_open_member(&auths, root, "auths", err))
		return -1;
	member = auth_key_find(&auths.object, host, NULL);
	if (!member && !auth)
		return 0;
	if (entry_set(&auths, member ? member->name : auth_key_text(host), auth, err) ||
		json_edit_write(&auths, &value, err))
		return -1;
	return json_edit_set(root, "auths", value.data, value.len, err);
}

static int auths_remove(struct json_edit *root, const char *host, struct error *err)
{
	cleanup_with(edit_close) struct json_edit auths = JSON_EDIT_INIT;
	cleanup_with(secret_buf_free) struct buf value = BUF_INIT(JSON_SIZE_MAX);
	size_t removed = 0;

	if (json_edit_open_member(&auths, root, "auths", err))
		return -1;
	for (size_t i = 0; i < auths.object.count; i++) {
		const struct json_object one = {.members = &auths.object.members[i], .count = 1};

		if (!auth_key_find(&one, host, NULL))
			continue;
		auths.changes[i].action = JSON_REMOVE;
		removed++;
	}
	if (removed == 0)
		return 0;
	if (json_edit_write(&auths, &value, err))
		return -1;
	return json_edit_set(root, "auths", value.data, value.len, err);
}

/* The text that is edited: a new file's where there is none. */
static struct json_text text_begin(const char *text, size_t len)
{
	if (strspn(text, " \t\r\n") >= len) {
		text = NEW_FILE;
		len = strlen(NEW_FILE);
	}
	return (struct json_text){.bytes = text, .len = len, .kind = ERROR_INVALID};
}

static int root_open(struct json_edit *out, const char *text, size_t len, struct error *err)
{
	const struct json_text json = text_begin(text, len);
	struct error error = ERROR_INIT;

	if (json_check(&json, err))
		return -1;
	if (json_edit_open(out, json.bytes, json.len, &error)) {
		if (error.kind == ERROR_CORRUPT)
			error.kind = ERROR_INVALID;
		return error_copy(err, &error);
	}
	out->text.kind = ERROR_INVALID;
	return 0;
}

int auth_file_set(struct buf *out, const char *text, size_t len, const char *host,
	const char *username, const char *password, struct error *err)
{
	cleanup_with(edit_close) struct json_edit root = JSON_EDIT_INIT;
	cleanup_secret char *auth = NULL;

	if ((username && auth_encode(&auth, username, password, err)) ||
		root_open(&root, text, len, err))
		return -1;
	return auths_set(&root, host, auth, err) || json_edit_write_text(&root, out, err) ? -1 : 0;
}

int auth_file_remove(
	struct buf *out, const char *text, size_t len, const char *host, struct error *err)
{
	cleanup_with(edit_close) struct json_edit root = JSON_EDIT_INIT;

	if (root_open(&root, text, len, err))
		return -1;
	return auths_remove(&root, host, err) || json_edit_write_text(&root, out, err) ? -1 : 0;
}
