#include "registry/http/credential_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "registry/http/credential_file.h"
#include "registry/http/credential_helper.h"
#include "secret.h"

/* A file that is about to be changed: locked and read. */
struct open_file {
	const char *path;
	int lock;
	mode_t mode; /* 0: it isn't there */
	struct buf text;
	struct auth_entry helper; /* who keeps the credential in place of the file, if anybody */
};

#define OPEN_FILE_INIT                                                                             \
	{                                                                                          \
		.lock = -1, .text = BUF_INIT(AUTH_FILE_SIZE_MAX), .helper = AUTH_ENTRY_INIT        \
	}

static void file_close(struct open_file *file)
{
	auth_entry_clear(&file->helper);
	secret_buf_free(&file->text);
	cleanup_close_fd(&file->lock);
}

static const char *file_text(const struct open_file *file)
{
	return file->text.data ? file->text.data : "";
}

static int file_open(struct open_file *file, const char *path, const char *host, struct error *err)
{
	file->path = path;
	file->lock = credential_file_lock(path, err);
	if (file->lock < 0 || credential_file_read(&file->text, &file->mode, path, err))
		return -1;
	if (auth_file_helper(&file->helper, file_text(file), file->text.len, host, err))
		return error_prefix(err, "%s", path);
	return 0;
}

/* Writes what has changed. */
static int file_save(const struct open_file *file, const struct buf *changed, struct error *err)
{
	if (file->mode != 0 && changed->len == file->text.len &&
		memcmp(changed->data, file_text(file), changed->len) == 0)
		return 0;
	return credential_file_write(file->path, changed, err);
}

static int file_set(struct open_file *file, const char *host, const char *username,
	const char *password, struct error *err)
{
	cleanup_with(secret_buf_free) struct buf changed = BUF_INIT(AUTH_FILE_SIZE_MAX);

	if (auth_file_set(&changed, file_text(file), file->text.len, host, username, password, err))
		return error_prefix(err, "%s", file->path);
	return file_save(file, &changed, err);
}

static int say(char **where, const char *before, const char *text, struct error *err)
{
	if (asprintf(where, "%s%s", before, text) >= 0)
		return 0;
	*where = NULL;
	return error_set_memory(err);
}

static int file_store(struct open_file *file, char **where, const char *host, const char *username,
	const char *password, struct log *log, struct error *err)
{
	const struct auth_entry *helper = &file->helper;

	if (!helper->helper) {
		if (file_set(file, host, username, password, err))
			return -1;
		return say(where, "", file->path, err);
	}
	if (credential_helper_store(helper->helper, helper->server, username, password, log, err))
		return -1;
	/* An old secret in the file would be found before the helper's. */
	if (file->mode != 0 && file_set(file, host, NULL, NULL, err))
		return -1;
	return say(where, "docker-credential-", helper->helper, err);
}

/* The first that is there, else the first. */
static int place_choose(const char **out, const struct credential_places *places, struct error *err)
{
	*out = places->count > 0 ? places->items[0].path : NULL;
	for (size_t i = 0; i < places->count; i++)
		if (places->items[i].form == AUTH_FILE_AUTHS &&
			access(places->items[i].path, F_OK) == 0) {
			*out = places->items[i].path;
			break;
		}
	if (*out)
		return 0;
	return error_set(err, ERROR_INVALID,
		"neither HOME nor XDG_RUNTIME_DIR is set: REGISTRY_AUTH_FILE can name a place for "
		"credentials");
}

int credential_store(char **where, const char *authfile, const char *host, const char *username,
	const char *password, struct log *log, struct error *err)
{
	cleanup_with(credential_places_clear) struct credential_places places = {.count = 0};
	cleanup_with(file_close) struct open_file file = OPEN_FILE_INIT;
	const char *path;

	*where = NULL;
	if (credential_places_find(&places, authfile, err) || place_choose(&path, &places, err) ||
		file_open(&file, path, host, err))
		return -1;
	return file_store(&file, where, host, username, password, log, err);
}

/* A helper that went away has nothing to forget. */
static int helper_erase(struct open_file *file, char **where, struct log *log, struct error *err)
{
	const struct auth_entry *helper = &file->helper;
	cleanup_with(credential_clear) struct credential kept = CREDENTIAL_INIT;
	struct error error = ERROR_INIT;

	if (!helper->helper)
		return 0;
	if (credential_helper_get(&kept, helper->helper, helper->server, log, NULL, &error))
		return error.kind == ERROR_NOT_FOUND && helper->helper_is_default
			       ? 0
			       : error_copy(err, &error);
	if (!kept.password && !kept.identity_token)
		return 0;
	if (credential_helper_erase(helper->helper, helper->server, log, err))
		return -1;
	return say(where, "docker-credential-", helper->helper, err);
}

static int entry_erase(
	const struct open_file *file, char **where, const char *host, struct error *err)
{
	cleanup_with(secret_buf_free) struct buf changed = BUF_INIT(AUTH_FILE_SIZE_MAX);
	bool has;

	if (auth_file_has(&has, file_text(file), file->text.len, AUTH_FILE_AUTHS, host, err))
		return error_prefix(err, "%s", file->path);
	if (!has)
		return 0;
	if (auth_file_remove(&changed, file_text(file), file->text.len, host, err))
		return error_prefix(err, "%s", file->path);
	if (file_save(file, &changed, err))
		return -1;
	return *where ? 0 : say(where, "", file->path, err);
}

static int place_erase(const struct credential_place *place, char **where, const char *host,
	struct log *log, struct error *err)
{
	cleanup_with(file_close) struct open_file file = OPEN_FILE_INIT;

	if (access(place->path, F_OK) || place->form != AUTH_FILE_AUTHS)
		return 0;
	if (file_open(&file, place->path, host, err) || helper_erase(&file, where, log, err))
		return -1;
	return entry_erase(&file, where, host, err);
}

int credential_erase(
	char **where, const char *authfile, const char *host, struct log *log, struct error *err)
{
	cleanup_with(credential_places_clear) struct credential_places places = {.count = 0};

	*where = NULL;
	if (credential_places_find(&places, authfile, err))
		return -1;
	for (size_t i = 0; i < places.count && !*where; i++)
		if (place_erase(&places.items[i], where, host, log, err)) {
			free(*where);
			*where = NULL;
			return -1;
		}
	return 0;
}
