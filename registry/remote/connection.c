#include "registry/remote/connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "registry/remote/certs.h"

#define DOCKER_HUB "docker.io"
#define DOCKER_HUB_API "registry-1.docker.io"

static bool speaks_plain_http(
	const char *host, const struct certs *certs, const struct store_options *options)
{
	bool tls_wanted =
		options->ca_file || options->cert || !options->tls_verify || certs->folder;

	return options->plain_http || (host_is_loopback(host) && !tls_wanted);
}

static int origin_set(struct connection *connection, const char *host, const struct certs *certs,
	const struct store_options *options, struct error *err)
{
	const char *api = strcmp(host, DOCKER_HUB) == 0 ? DOCKER_HUB_API : host;
	const char *scheme = speaks_plain_http(host, certs, options) ? "http" : "https";

	if (asprintf(&connection->origin, "%s://%s", scheme, api) >= 0)
		return 0;
	connection->origin = NULL;
	return error_set_memory(err);
}

/* libcurl, other than the curl program, doesn't look there itself. */
static const char *default_ca_file(void)
{
	const char *file = getenv("SSL_CERT_FILE");

	return file && *file ? file : NULL;
}

/* What an option names outweighs what stands in certs.d. */
static int client_set(struct connection *connection, const char *host, const char *repository,
	const struct certs *certs, const struct store_options *options, struct log *log,
	struct error *err)
{
	bool own_pair = options->cert || options->key;
	const struct auth_options auth = {
		.registry = connection->origin,
		.host = host,
		.repository = repository,
		.credentials = connection->credentials,
	};
	const struct http_options http = {
		.tls_verify = options->tls_verify,
		.ca_file = options->ca_file ? options->ca_file : default_ca_file(),
		.ca_pem = options->ca_file ? NULL : certs->authorities.data,
		.cert = own_pair ? options->cert : certs->cert,
		.key = own_pair ? options->key : certs->key,
		.timeout = options->timeout,
		.retries = options->retries,
		.refusals_stand = options->refusals_stand,
		.jobs = options->jobs,
		.auth = &auth,
	};

	return http_client_new(&connection->http, &http, log, err);
}

int connection_open(struct connection *out, const char *host, const char *repository,
	const struct store_options *options, struct log *log, struct error *err)
{
	const struct credential_options who = {
		.authfile = options->authfile,
		.username = options->username,
		.password = options->password,
	};

	cleanup_with(config_places_clear) struct config_places places = {.file = NULL};
	cleanup_with(certs_clear) struct certs certs = CERTS_INIT;

	*out = (struct connection){.origin = NULL};
	if (config_places_find(&places, CONFIG_SYSTEM, err) ||
		certs_find(&certs, &places, host, log, err) ||
		origin_set(out, host, &certs, options, err) ||
		credentials_open(&out->credentials, &who, log, err))
		return -1;
	return client_set(out, host, repository, &certs, options, log, err);
}

void connection_close(struct connection *connection)
{
	http_client_free(connection->http);
	credentials_free(connection->credentials);
	free(connection->origin);
	*connection = (struct connection){.origin = NULL};
}
