#include "login.h"

#include <stdio.h>
#include <stdlib.h>

#include "cleanup.h"
#include "registry/http/credential_store.h"
#include "registry/model/auth_file.h"
#include "registry/model/registry_error.h"
#include "registry/remote/config.h"
#include "registry/remote/connection.h"

#define HTTP_OK 200
#define ANSWER_LIMIT ((size_t)64 << 10)

static int answer_judge(const struct http_response *response, const char *host, struct error *err)
{
	struct registry_error said;

	if (response->status == HTTP_OK)
		return 0;
	registry_error_parse(&said, response->body.data, response->body.len);
	return error_set_http(err, registry_error_kind(response->status, &said), response->status,
		"%s: %s (HTTP %d)%s%s", host,
		response->status == 401 || response->status == 403
			? "the registry takes neither this username nor this password"
			: "the registry gave an unexpected answer",
		response->status, *said.text ? ": " : "", said.text);
}

/* distribution-spec 1.1, "Determining Support": what a client with credentials may ask first. */
static int registry_ask(const struct connection *connection, const char *host, struct error *err)
{
	cleanup_with(http_response_clear) struct http_response response = HTTP_RESPONSE_INIT;
	cleanup_free char *url = NULL;

	if (asprintf(&url, "%s/v2/", connection->origin) < 0) {
		url = NULL;
		return error_set_memory(err);
	}
	const struct http_request request = {
		.method = "GET",
		.url = url,
		.repeatable = true,
		.body_limit = ANSWER_LIMIT,
	};
	if (http_client_do(connection->http, &request, &response, NULL, err))
		return -1;
	return answer_judge(&response, host, err);
}

static int registry_check(
	const struct store_options *options, const char *host, struct log *log, struct error *err)
{
	cleanup_with(connection_close) struct connection connection = {.origin = NULL};

	if (connection_open(&connection, host, NULL, options, log, err))
		return -1;
	return registry_ask(&connection, host, err);
}

/* What registries.conf says of the host itself, wherever its repositories are. */
static int conf_ask(bool *insecure, const char *host, struct error *err)
{
	cleanup_with(config_places_clear) struct config_places places = {.file = NULL};
	cleanup_with(registries_conf_clear) struct registries_conf conf = REGISTRIES_CONF_INIT;
	const struct registries_entry *entry;
	size_t matched;

	if (config_places_find(&places, CONFIG_SYSTEM, err) ||
		config_registries(&conf, &places, err))
		return -1;
	entry = registries_conf_find(&conf, host, &matched);
	if (entry && entry->blocked)
		return error_set(err, ERROR_DENIED, "%s is blocked by %s", host, entry->file);
	*insecure = entry && entry->insecure;
	return 0;
}

static int credential_check(
	const struct store_options *options, const char *host, struct log *log, struct error *err)
{
	struct store_options checked = *options;
	struct error by_https = ERROR_INIT, by_plain_http = ERROR_INIT;
	bool insecure = false;

	if (conf_ask(&insecure, host, err))
		return -1;
	checked.authfile = NULL; /* it may have to be made yet */
	if (!insecure || options->tls_told)
		return registry_check(&checked, host, log, err);
	checked.tls_verify = false;
	if (registry_check(&checked, host, log, &by_https) == 0)
		return 0;
	if (by_https.status)
		return error_copy(err, &by_https);
	checked.plain_http = true;
	if (registry_check(&checked, host, log, &by_plain_http) == 0)
		return 0;
	return error_copy(err, by_plain_http.status ? &by_plain_http : &by_https);
}

int registry_login(char **host, char **where, const struct store_options *options,
	const char *registry, struct log *log, struct error *err)
{
	*host = *where = NULL;
	if (!options->username || !options->password)
		return error_set(err, ERROR_INVALID, "a username and a password are needed");
	if (auth_host(host, registry, err) || credential_check(options, *host, log, err))
		return -1;
	return credential_store(
		where, options->authfile, *host, options->username, options->password, log, err);
}

/* Whether a credential is found still; what keeps it from being found isn't of interest. */
static bool credential_remains(const char *authfile, const char *host)
{
	const struct credential_options options = {.authfile = authfile};
	cleanup_with(credential_clear) struct credential left = CREDENTIAL_INIT;
	struct credentials *credentials;

	if (credentials_open(&credentials, &options, NULL, NULL))
		return false;
	credentials_find(credentials, &left, host, NULL, NULL, NULL);
	credentials_free(credentials);
	return left.username || left.password || left.identity_token;
}

int registry_logout(char **host, char **where, bool *more, const struct store_options *options,
	const char *registry, struct log *log, struct error *err)
{
	*host = *where = NULL;
	*more = false;
	if (auth_host(host, registry, err) ||
		credential_erase(where, options->authfile, *host, log, err))
		return -1;
	*more = credential_remains(options->authfile, *host);
	return 0;
}
