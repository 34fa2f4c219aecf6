/* What is set in a credentials file is found there, and removing it leaves what was before. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "registry/model/auth_file.h"
#include "registry/model/helper_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HOST "r.example"
#define SET_LIMIT (AUTH_FILE_SIZE_MAX + 4096)

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_find(const char *text, size_t size, enum auth_file_form form)
{
	static const char *const hosts[] = {HOST, "docker.io", "localhost:5000"};

	for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
		struct auth_entry entry;
		struct error err = ERROR_INIT;
		int result = auth_file_find(&entry, text, size, form, hosts[i], "me/app", &err);

		require(result == 0 || err.kind == ERROR_INVALID);
		require(result == 0 || (!entry.username && !entry.password && !entry.helper));
		require(!entry.helper == !entry.server);
		require(!entry.helper || (!entry.password && !entry.identity_token));
		auth_entry_clear(&entry);
	}
}

/* Whoever is found for the host after it was set, unless a helper or a namespace comes first. */
static void check_set(const char *text, size_t size)
{
	struct buf set = BUF_INIT(SET_LIMIT), removed = BUF_INIT(SET_LIMIT);
	struct auth_entry entry;
	struct error err = ERROR_INIT;
	bool has;

	if (auth_file_set(&set, text, size, HOST, "ann", "se:same", &err)) {
		require(err.kind == ERROR_INVALID || err.kind == ERROR_TOO_LARGE);
		return;
	}
	require(auth_file_has(&has, set.data, set.len, AUTH_FILE_AUTHS, HOST, NULL) == 0 && has);
	if (auth_file_find(&entry, set.data, set.len, AUTH_FILE_AUTHS, HOST, NULL, NULL) == 0) {
		require(entry.helper || strcmp(entry.username, "ann") == 0);
		require(entry.helper || strcmp(entry.password, "se:same") == 0);
		auth_entry_clear(&entry);
	}
	require(auth_file_remove(&removed, set.data, set.len, HOST, NULL) == 0);
	require(auth_file_has(&has, removed.data, removed.len, AUTH_FILE_AUTHS, HOST, NULL) == 0);
	require(!has);
	buf_free(&set);
	buf_free(&removed);
}

static void check_answer(const char *text, size_t size)
{
	char *username, *secret;

	if (helper_answer_parse(&username, &secret, text, size, NULL))
		return;
	require(!username == !secret);
	free(username);
	free(secret);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	check_find(text, size, AUTH_FILE_AUTHS);
	check_find(text, size, AUTH_FILE_FLAT);
	check_set(text, size);
	check_answer(text, size);
	free(text);
	return 0;
}
