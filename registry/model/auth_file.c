#include "registry/model/auth_file.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "registry/model/auth_key.h"
#include "registry/model/base64.h"
#include "registry/model/json.h"
#include "registry/model/reference_host.h"
#include "secret.h"

void auth_entry_clear(struct auth_entry *entry)
{
	secret_free(entry->username);
	secret_free(entry->password);
	secret_free(entry->identity_token);
	secret_free(entry->registry_token);
	free(entry->helper);
	free(entry->server);
	*entry = (struct auth_entry)AUTH_ENTRY_INIT;
}

/* A member that is a string with something in it; else *out stays NULL. */
static int string_take(char **out, const struct json_object *object, const struct json_text *text,
	const char *name, struct error *err)
{
	const struct json_member *member = json_object_value(object, text, name);

	if (!member || json_string_read(out, text, member->value, name, err))
		return member ? -1 : 0;
	if (!**out) {
		free(*out);
		*out = NULL;
	}
	return 0;
}

/* docker pads the password with NULs. */
static int auth_decode(struct auth_entry *out, const char *auth, struct error *err)
{
	cleanup_secret char *pair = NULL;
	size_t len;
	char *colon;

	if (base64_decode(&pair, &len, auth, err))
		return -1;
	while (len > 0 && pair[len - 1] == '\0')
		len--;
	colon = memchr(pair, ':', len);
	if (!colon || strlen(pair) != len) {
		explicit_bzero(pair, len);
		return error_set(err, ERROR_INVALID, "it isn't USER:PASSWORD");
	}
	if (len == 1)
		return 0;
	out->username = strndup(pair, (size_t)(colon - pair));
	out->password = strdup(colon + 1);
	return out->username && out->password ? 0 : error_set_memory(err);
}

static int strings_take(struct auth_entry *out, const struct json_object *object,
	const struct json_text *text, struct error *err)
{
	cleanup_secret char *auth = NULL;

	if (string_take(&auth, object, text, "auth", err) ||
		string_take(&out->identity_token, object, text, "identitytoken", err) ||
		string_take(&out->registry_token, object, text, "registrytoken", err))
		return -1;
	if (auth)
		return auth_decode(out, auth, err) ? error_prefix(err, "auth") : 0;
	if (string_take(&out->username, object, text, "username", err) ||
		string_take(&out->password, object, text, "password", err))
		return -1;
	return 0;
}

static int entry_read(struct auth_entry *out, const struct json_text *text,
	const struct json_member *member, struct error *err)
{
	struct json_object object = JSON_OBJECT_INIT;
	int result;

	if (text->bytes[member->value.start] == 'n')
		return 0;
	if (json_object_read(&object, text, member->value, "an entry", err))
		return error_prefix(err, "%.128s", member->name);
	result = strings_take(out, &object, text, err);
	json_object_clear(&object);
	return result ? error_prefix(err, "%.128s", member->name) : 0;
}

static bool entry_is_empty(const struct auth_entry *entry)
{
	return !entry->username && !entry->password && !entry->identity_token &&
	       !entry->registry_token;
}

/* The object that is a member; empty where that is absent or null. */
static int member_open(struct json_object *out, const struct json_text *text,
	const struct json_object *root, const char *name, struct error *err)
{
	const struct json_member *member = json_object_value(root, text, name);

	*out = (struct json_object)JSON_OBJECT_INIT;
	return member ? json_object_read(out, text, member->value, name, err) : 0;
}

static int server_set(struct auth_entry *out, const char *server, struct error *err)
{
	out->server = strdup(server);
	return out->server ? 0 : error_set_memory(err);
}

/* The helper that is named for the host. */
static int helper_find(struct auth_entry *out, const struct json_text *text,
	const struct json_object *root, const char *host, const char *repository, struct error *err)
{
	struct json_object helpers = JSON_OBJECT_INIT;
	const struct json_member *member;
	int result = 0;

	if (member_open(&helpers, text, root, "credHelpers", err))
		return -1;
	member = auth_key_find(&helpers, host, repository);
	if (member && member->value.end - member->value.start > strlen("\"\""))
		result = json_string_read(&out->helper, text, member->value, "a helper", err) ||
					 server_set(out, member->name, err)
				 ? -1
				 : 0;
	json_object_clear(&helpers);
	return result;
}

/* The default helper, and what it knows the member's registry as. */
static int default_helper_find(struct auth_entry *out, const struct json_text *text,
	const struct json_object *root, const struct json_member *member, const char *host,
	struct error *err)
{
	if (string_take(&out->helper, root, text, "credsStore", err))
		return -1;
	if (!out->helper)
		return 0;
	out->helper_is_default = true;
	return server_set(out, member ? member->name : auth_key_text(host), err);
}

static int auths_find(struct auth_entry *out, const struct json_text *text,
	const struct json_object *root, const char *host, const char *repository, struct error *err)
{
	struct json_object entries = JSON_OBJECT_INIT;
	const struct json_member *member;
	int result;

	if (helper_find(out, text, root, host, repository, err))
		return -1;
	if (out->helper)
		return 0;
	if (member_open(&entries, text, root, "auths", err))
		return -1;
	member = auth_key_find(&entries, host, repository);
	result = member ? entry_read(out, text, member, err) : 0;
	if (!result && entry_is_empty(out))
		result = default_helper_find(out, text, root, member, host, err);
	json_object_clear(&entries);
	return result;
}

static int flat_find(struct auth_entry *out, const struct json_text *text,
	const struct json_object *root, const char *host, const char *repository, struct error *err)
{
	const struct json_member *member = auth_key_find(root, host, repository);

	return member ? entry_read(out, text, member, err) : 0;
}

static bool is_blank(const char *text, size_t len)
{
	return strspn(text, " \t\r\n") >= len;
}

/* Opens the root object; 1 where there is nothing to read. */
static int root_open(struct json_object *out, const struct json_text *text, struct error *err)
{
	*out = (struct json_object)JSON_OBJECT_INIT;
	if (is_blank(text->bytes, text->len))
		return 1;
	if (json_check(text, err))
		return -1;
	return json_object_read(out, text, json_root(text), "the file", err);
}

int auth_file_find(struct auth_entry *out, const char *text, size_t len, enum auth_file_form form,
	const char *host, const char *repository, struct error *err)
{
	const struct json_text json = {.bytes = text, .len = len, .kind = ERROR_INVALID};
	struct json_object root;
	int result = root_open(&root, &json, err);

	*out = (struct auth_entry)AUTH_ENTRY_INIT;
	if (result)
		return result < 0 ? -1 : 0;
	if (form == AUTH_FILE_FLAT)
		result = flat_find(out, &json, &root, host, repository, err);
	else
		result = auths_find(out, &json, &root, host, repository, err);
	json_object_clear(&root);
	if (result)
		auth_entry_clear(out);
	return result;
}

int auth_file_helper(
	struct auth_entry *out, const char *text, size_t len, const char *host, struct error *err)
{
	const struct json_text json = {.bytes = text, .len = len, .kind = ERROR_INVALID};
	struct json_object root, entries = JSON_OBJECT_INIT;
	int result = root_open(&root, &json, err);

	*out = (struct auth_entry)AUTH_ENTRY_INIT;
	if (result)
		return result < 0 ? -1 : 0;
	result = helper_find(out, &json, &root, host, NULL, err);
	if (!result && !out->helper)
		result = member_open(&entries, &json, &root, "auths", err) ||
					 default_helper_find(out, &json, &root,
						 auth_key_find(&entries, host, NULL), host, err)
				 ? -1
				 : 0;
	json_object_clear(&entries);
	json_object_clear(&root);
	if (result)
		auth_entry_clear(out);
	return result;
}

int auth_file_has(bool *out, const char *text, size_t len, enum auth_file_form form,
	const char *host, struct error *err)
{
	const struct json_text json = {.bytes = text, .len = len, .kind = ERROR_INVALID};
	struct json_object root, entries = JSON_OBJECT_INIT;
	int result = root_open(&root, &json, err);

	*out = false;
	if (result)
		return result < 0 ? -1 : 0;
	if (form == AUTH_FILE_FLAT)
		*out = auth_key_find(&root, host, NULL) != NULL;
	else if (!(result = member_open(&entries, &json, &root, "auths", err)))
		*out = auth_key_find(&entries, host, NULL) != NULL;
	json_object_clear(&entries);
	json_object_clear(&root);
	return result;
}

int auth_host(char **out, const char *name, struct error *err)
{
	struct auth_key key = auth_key_parse(name);
	cleanup_free char *host = strndup(key.host, key.host_len);
	const char *wrong = host ? host_wrong(host) : NULL;

	*out = NULL;
	if (!host)
		return error_set_memory(err);
	if (wrong)
		return error_set(err, ERROR_INVALID, "\"%.128s\" is no registry: %s", host, wrong);
	if (key.path_len > 0)
		return error_set(err, ERROR_INVALID, "a registry has no path: \"%.128s\"", host);
	*out = steal_ptr(host);
	return 0;
}
