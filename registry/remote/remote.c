#include "registry/remote/remote.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "registry/remote/remote_store.h"

/* A break costs a chunk at most; smaller ones cost more in requests than they save. */
#define CHUNKED_FROM ((int64_t)64 << 20)
#define CHUNK_SIZE ((int64_t)32 << 20)

#define ANSWER_MS 10000

char *remote_url(const struct remote *remote, struct error *err, const char *format, ...)
{
	cleanup_free char *path = NULL;
	char *url;
	va_list args;
	int len;

	va_start(args, format);
	len = vasprintf(&path, format, args);
	va_end(args);
	if (len < 0)
		path = NULL;
	if (!path || asprintf(&url, "%s%s", remote->base, path) < 0) {
		error_set_memory(err);
		return NULL;
	}
	return url;
}

char *remote_manifest_url(const struct remote *remote, const char *reference, struct error *err)
{
	struct digest digest;

	if (tag_valid(reference) || digest_parse(&digest, reference))
		return remote_url(remote, err, "/manifests/%s", reference);
	error_set(err, ERROR_INVALID, "%s: \"%s\" can't be a tag", remote->name, reference);
	return NULL;
}

static void remote_close(struct store *store)
{
	struct remote *remote = remote_of(store);

	connection_close(&remote->connection);
	store_hosts_free(remote->own_hosts);
	pthread_mutex_destroy(&remote->referrers_turn);
	seen_clear(&remote->seen);
	free(remote->repository);
	free(remote->name);
	free(remote->base);
	free(remote);
}

static const struct store_ops remote_ops = {
	.resolve = remote_resolve,
	.document_get = remote_document_get,
	.document_put = remote_document_put,
	.blob_exists = remote_blob_exists,
	.blob_get = remote_blob_get,
	.blob_put = remote_blob_put,
	.tags = remote_tags,
	.referrers = remote_referrers,
	.close = remote_close,
};

int remote_answers(struct store *store, struct cancel *cancel, struct error *err)
{
	const struct remote *remote = remote_of(store);
	cleanup_with(http_response_clear) struct http_response response = HTTP_RESPONSE_INIT;
	cleanup_free char *url = NULL;

	if (asprintf(&url, "%s/v2/", remote->connection.origin) < 0) {
		url = NULL;
		return error_set_memory(err);
	}
	const struct http_request request = {
		.method = "GET",
		.url = url,
		.anonymous = true,
		.body_limit = HTTP_ERROR_BODY_MAX,
		.timeout_ms = remote->timeout_ms < ANSWER_MS ? remote->timeout_ms : ANSWER_MS,
	};
	return http_client_do(remote->http, &request, &response, cancel, err);
}

static int set_connection(struct remote *remote, const struct reference *reference,
	const struct store_options *options, struct error *err)
{
	if (asprintf(&remote->name, "%s/%s", reference->host, reference->path) < 0) {
		remote->name = NULL;
		return error_set_memory(err);
	}
	if (connection_open(&remote->connection, reference->host, reference->path, options,
		    remote->log, err))
		return -1;
	remote->http = remote->connection.http;
	if (asprintf(&remote->base, "%s/v2/%s", remote->connection.origin, reference->path) < 0) {
		remote->base = NULL;
		return error_set_memory(err);
	}
	return 0;
}

static int set_host(struct remote *remote, const struct reference *reference,
	const struct store_options *options, struct error *err)
{
	remote->hosts = options->hosts;
	if (!remote->hosts) {
		if (store_hosts_new(&remote->own_hosts, options->known_dir, err))
			return -1;
		remote->hosts = remote->own_hosts;
	}
	remote->repository = strdup(reference->path);
	if (!remote->repository)
		return error_set_memory(err);
	remote->host = hosts_get(remote->hosts, reference->host, err);
	return remote->host ? 0 : -1;
}

int remote_open_exactly(struct store **out, const struct reference *reference,
	const struct store_options *options, struct log *log, struct error *err)
{
	struct remote *remote = calloc(1, sizeof(*remote));

	*out = NULL;
	if (!remote)
		return error_set_memory(err);
	remote->store.ops = &remote_ops;
	remote->store.jobs = options->jobs > 0 ? options->jobs : 1;
	remote->log = log;
	remote->retries = options->retries;
	remote->timeout_ms = (options->timeout > 0 ? options->timeout : 1) * 1000;
	remote->chunked_from = CHUNKED_FROM;
	remote->chunk_size = CHUNK_SIZE;
	pthread_mutex_init(&remote->referrers_turn, NULL);
	seen_init(&remote->seen);
	if (set_host(remote, reference, options, err) ||
		set_connection(remote, reference, options, err)) {
		remote_close(&remote->store);
		return -1;
	}
	*out = &remote->store;
	return 0;
}
