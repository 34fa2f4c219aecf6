#include "registry/http/credentials.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "registry/http/credential_file.h"
#include "registry/http/credential_helper.h"
#include "secret.h"

struct credentials {
	char *username, *password; /* NULL: from the places */
	struct credential_places places;
	bool must_exist; /* the file was named by an option */
	struct log *log;
	pthread_mutex_t lock;
	/* Of each place, what was told already. */
	struct {
		bool readable, helper;
	} told[CREDENTIAL_PLACES_MAX];
};

void credential_clear(struct credential *credential)
{
	secret_free(credential->username);
	secret_free(credential->password);
	secret_free(credential->identity_token);
	secret_free(credential->registry_token);
	*credential = (struct credential)CREDENTIAL_INIT;
}

static int names_set(struct credentials *credentials, const struct credential_options *options,
	struct error *err)
{
	if (!options->username)
		return 0;
	credentials->username = strdup(options->username);
	credentials->password = strdup(options->password ? options->password : "");
	if (!credentials->username || !credentials->password)
		return error_set_memory(err);
	if (!*options->username || strchr(options->username, ':'))
		return error_set(err, ERROR_INVALID,
			"a username can't be empty, or have a colon in it (RFC 7617)");
	return 0;
}

/* A file that the user has named and that isn't there is a mistake worth telling at once. */
static int authfile_check(const char *path, struct error *err)
{
	struct stat st;

	return stat(path, &st) ? error_set_errno(err, errno, "authfile %s", path) : 0;
}

int credentials_open(struct credentials **out, const struct credential_options *options,
	struct log *log, struct error *err)
{
	struct credentials *credentials = calloc(1, sizeof(*credentials));

	*out = NULL;
	if (!credentials)
		return error_set_memory(err);
	credentials->log = log;
	credentials->must_exist = options->authfile != NULL;
	pthread_mutex_init(&credentials->lock, NULL);
	if (names_set(credentials, options, err) ||
		credential_places_find(&credentials->places, options->authfile, err) ||
		(options->authfile && authfile_check(options->authfile, err))) {
		credentials_free(credentials);
		return -1;
	}
	*out = credentials;
	return 0;
}

void credentials_free(struct credentials *credentials)
{
	if (!credentials)
		return;
	secret_free(credentials->username);
	secret_free(credentials->password);
	credential_places_clear(&credentials->places);
	pthread_mutex_destroy(&credentials->lock);
	free(credentials);
}

/* Whether something is to be told for the first time. */
static bool first_time(struct credentials *credentials, bool *told)
{
	bool first;

	pthread_mutex_lock(&credentials->lock);
	first = !*told;
	*told = true;
	pthread_mutex_unlock(&credentials->lock);
	return first;
}

static void mode_judge(struct credentials *credentials, size_t place, mode_t mode)
{
	if (S_ISREG(mode) && (mode & 077) != 0 &&
		first_time(credentials, &credentials->told[place].readable))
		log_write(credentials->log, LOG_LEVEL_WARNING,
			"%s: others can read the credentials in it (mode %03o): chmod 600",
			credentials->places.items[place].path, (unsigned)(mode & 0777));
}

/* Docker leaves a default helper in its file that went away with the program; then nobody's
 * credential is lost. A helper that was named for the registry must be there. */
static int helper_ask(struct credentials *credentials, size_t place, struct credential *out,
	const struct auth_entry *entry, struct cancel *cancel, struct error *err)
{
	struct error error = ERROR_INIT;

	if (!credential_helper_get(
		    out, entry->helper, entry->server, credentials->log, cancel, &error))
		return 0;
	if (error.kind != ERROR_NOT_FOUND || !entry->helper_is_default)
		return error_copy(err, &error);
	if (first_time(credentials, &credentials->told[place].helper))
		log_write(credentials->log, LOG_LEVEL_WARNING, "%s: %s: going on without it",
			credentials->places.items[place].path, error.message);
	return 0;
}

static int entry_use(struct credentials *credentials, size_t place, struct credential *out,
	struct auth_entry *entry, struct cancel *cancel, struct error *err)
{
	if (entry->helper)
		return helper_ask(credentials, place, out, entry, cancel, err);
	out->username = steal_ptr(entry->username);
	out->password = steal_ptr(entry->password);
	out->identity_token = steal_ptr(entry->identity_token);
	out->registry_token = steal_ptr(entry->registry_token);
	return 0;
}

static int place_find(struct credentials *credentials, size_t place, struct credential *out,
	const char *host, const char *repository, struct cancel *cancel, struct error *err)
{
	const struct credential_place *at = &credentials->places.items[place];
	cleanup_with(auth_entry_clear) struct auth_entry entry = AUTH_ENTRY_INIT;
	cleanup_with(secret_buf_free) struct buf text = BUF_INIT(AUTH_FILE_SIZE_MAX);
	mode_t mode;

	if (credential_file_read(&text, &mode, at->path, err))
		return -1;
	if (mode == 0)
		return credentials->must_exist
			       ? error_set(err, ERROR_NOT_FOUND, "%s: it isn't there", at->path)
			       : 0;
	mode_judge(credentials, place, mode);
	if (auth_file_find(
		    &entry, text.data ? text.data : "", text.len, at->form, host, repository, err))
		return error_prefix(err, "%s", at->path);
	return entry_use(credentials, place, out, &entry, cancel, err);
}

static bool is_anonymous(const struct credential *credential)
{
	return !credential->username && !credential->password && !credential->identity_token &&
	       !credential->registry_token;
}

static int explicit_use(
	const struct credentials *credentials, struct credential *out, struct error *err)
{
	out->username = strdup(credentials->username);
	out->password = strdup(credentials->password);
	return out->username && out->password ? 0 : error_set_memory(err);
}

/* To who waits for an answer of the registry, all that keeps the credential from being found is
 * the same: access is denied. */
static int find_failed(const struct error *error, struct error *err)
{
	struct error told = *error;

	if (told.kind != ERROR_MEMORY && told.kind != ERROR_INTERRUPTED &&
		told.kind != ERROR_TIMEOUT)
		told.kind = ERROR_DENIED;
	return error_copy(err, &told);
}

int credentials_find(struct credentials *credentials, struct credential *out, const char *host,
	const char *repository, struct cancel *cancel, struct error *err)
{
	struct error error = ERROR_INIT;
	int failed = 0;

	if (credentials->username)
		failed = explicit_use(credentials, out, &error);
	else
		for (size_t i = 0; !failed && i < credentials->places.count && is_anonymous(out);
			i++)
			failed = place_find(credentials, i, out, host, repository, cancel, &error);
	if (!failed)
		return 0;
	credential_clear(out);
	return find_failed(&error, err);
}
