#include "registry/remote/route.h"

#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "registry/remote/endpoint.h"
#include "registry/remote/relay_sink.h"

/* A mirror is worth less patience: the repository itself comes after it. */
#define MIRROR_PATIENCE 4
#define MIRROR_RETRIES 1

struct route {
	struct store store;
	struct log *log;
	bool only_reads;
	struct endpoint *endpoints; /* mirrors, and last the repository itself */
	size_t count;
};

/* One thing that is read, wherever it can be had. */
struct reading {
	struct route *route;
	bool by_digest;
	struct cancel *cancel;
	/* Asks one place. */
	int (*ask)(struct store *store, struct reading *reading, struct error *err);
	bool (*is_over)(const struct reading *reading); /* no other place would help; may be NULL */
	/* What ask takes and gives, as of store.h. */
	const char *tag, *media_type;
	const struct digest *digest;
	struct descriptor *descriptor;
	struct document *document;
	int64_t size;
	struct relay_sink *sink;
};

static struct route *route_of(struct store *store)
{
	return (struct route *)store;
}

static struct endpoint *own_endpoint(const struct route *route)
{
	return &route->endpoints[route->count - 1];
}

/* The repository itself. */
static struct store *own_store(struct store *store, struct cancel *cancel, struct error *err)
{
	return endpoint_store(own_endpoint(route_of(store)), cancel, err);
}

static bool may_ask(const struct reading *reading, struct endpoint *endpoint)
{
	if (endpoint == own_endpoint(reading->route))
		return true;
	if (endpoint_rests(endpoint))
		return false;
	return reading->by_digest ? !endpoint->not_digests
				  : reading->route->only_reads && !endpoint->not_tags;
}

static bool ends_all(const struct reading *reading, const struct error *error)
{
	return error->kind == ERROR_INTERRUPTED || error->kind == ERROR_MEMORY ||
	       (reading->is_over && reading->is_over(reading));
}

static int route_read(struct reading *reading, struct error *err)
{
	struct route *route = reading->route;

	for (size_t i = 0; i < route->count; i++) {
		struct endpoint *endpoint = &route->endpoints[i];
		struct error error = ERROR_INIT;
		struct store *store;

		if (!may_ask(reading, endpoint))
			continue;
		store = endpoint_store(endpoint, reading->cancel, &error);
		if (store && reading->ask(store, reading, &error) == 0)
			return 0;
		if (i + 1 == route->count || ends_all(reading, &error))
			return error_copy(err, &error);
		endpoint_note_failure(endpoint, &error);
		log_write(
			route->log, LOG_LEVEL_INFO, "mirror %s: %s", endpoint->name, error.message);
	}
	return -1;
}

static int ask_tag(struct store *store, struct reading *reading, struct error *err)
{
	return store->ops->resolve(store, reading->descriptor, reading->tag, reading->cancel, err);
}

static int route_resolve(struct store *store, struct descriptor *out, const char *tag,
	struct cancel *cancel, struct error *err)
{
	struct reading reading = {
		.route = route_of(store),
		.cancel = cancel,
		.ask = ask_tag,
		.tag = tag,
		.descriptor = out,
	};

	return route_read(&reading, err);
}

static int ask_document(struct store *store, struct reading *reading, struct error *err)
{
	return store->ops->document_get(store, reading->document, reading->tag, reading->digest,
		reading->media_type, reading->cancel, err);
}

static int route_document_get(struct store *store, struct document *out, const char *tag,
	const struct digest *digest, const char *media_type, struct cancel *cancel,
	struct error *err)
{
	struct reading reading = {
		.route = route_of(store),
		.by_digest = digest != NULL,
		.cancel = cancel,
		.ask = ask_document,
		.tag = tag,
		.media_type = media_type,
		.digest = digest,
		.document = out,
	};

	return route_read(&reading, err);
}

static int ask_blob(struct store *store, struct reading *reading, struct error *err)
{
	const struct store_sink sink = relay_sink(reading->sink);

	return store->ops->blob_get(store, reading->digest, reading->size, reading->sink->next,
		reading->sink->end - reading->sink->next, &sink, reading->cancel, err);
}

static bool sink_has_failed(const struct reading *reading)
{
	return reading->sink->failed;
}

static int route_blob_get(struct store *store, const struct digest *digest, int64_t size,
	uint64_t offset, uint64_t length, const struct store_sink *sink, struct cancel *cancel,
	struct error *err)
{
	struct relay_sink relay = {
		.to = sink,
		.next = offset,
		.end = offset + length,
		.size = (uint64_t)size,
	};
	struct reading reading = {
		.route = route_of(store),
		.by_digest = true,
		.cancel = cancel,
		.ask = ask_blob,
		.is_over = sink_has_failed,
		.digest = digest,
		.size = size,
		.sink = &relay,
	};

	if (size < 0 || offset > (uint64_t)size || length > (uint64_t)size - offset)
		return error_set(err, ERROR_INVALID, "%s: a range beyond the end", digest->text);
	return route_read(&reading, err);
}

static int route_document_put(struct store *store, const struct document *document, const char *tag,
	const struct digest *expected, struct cancel *cancel, struct error *err)
{
	struct store *own = own_store(store, cancel, err);

	return own ? own->ops->document_put(own, document, tag, expected, cancel, err) : -1;
}

static int route_blob_exists(struct store *store, bool *out, const struct digest *digest,
	int64_t size, struct cancel *cancel, struct error *err)
{
	struct store *own = own_store(store, cancel, err);

	*out = false;
	return own ? own->ops->blob_exists(own, out, digest, size, cancel, err) : -1;
}

static int route_blob_put(struct store *store, const struct digest *digest,
	const struct store_source *source, struct cancel *cancel, struct error *err)
{
	struct store *own = own_store(store, cancel, err);

	return own ? own->ops->blob_put(own, digest, source, cancel, err) : -1;
}

static int route_tags(struct store *store,
	int (*take)(void *context, const char *tag, struct error *err), void *context,
	struct cancel *cancel, struct error *err)
{
	struct store *own = own_store(store, cancel, err);

	return own ? own->ops->tags(own, take, context, cancel, err) : -1;
}

static int route_referrers(struct store *store, struct document *out, const struct digest *subject,
	const char *artifact_type, struct cancel *cancel, struct error *err)
{
	struct store *own = own_store(store, cancel, err);

	return own ? own->ops->referrers(own, out, subject, artifact_type, cancel, err) : -1;
}

static void route_close(struct store *store)
{
	struct route *route = route_of(store);

	for (size_t i = 0; i < route->count; i++)
		endpoint_close(&route->endpoints[i]);
	free(route->endpoints);
	free(route);
}

static const struct store_ops route_ops = {
	.resolve = route_resolve,
	.document_get = route_document_get,
	.document_put = route_document_put,
	.blob_exists = route_blob_exists,
	.blob_get = route_blob_get,
	.blob_put = route_blob_put,
	.tags = route_tags,
	.referrers = route_referrers,
	.close = route_close,
};

/* A location in the place of what was matched, with the rest of the name behind it. */
static int add_endpoint(struct route *route, const char *location, const char *rest, bool insecure,
	const struct store_options *options, struct error *err)
{
	cleanup_free char *name = NULL;

	if (asprintf(&name, "%s%s", location, rest) < 0) {
		name = NULL;
		return error_set_memory(err);
	}
	return endpoint_open(
		&route->endpoints[route->count++], name, insecure, options, route->log, err);
}

/* A mirror isn't told what was said to be for the registry itself. */
static struct store_options mirror_options(const struct store_options *options)
{
	struct store_options mirror = *options;

	mirror.plain_http = false;
	mirror.tls_verify = true;
	mirror.cert = mirror.key = NULL;
	mirror.username = mirror.password = NULL;
	mirror.refusals_stand = true;
	mirror.timeout = options->timeout / MIRROR_PATIENCE;
	if (mirror.timeout < 1)
		mirror.timeout = 1;
	if (mirror.retries > MIRROR_RETRIES)
		mirror.retries = MIRROR_RETRIES;
	return mirror;
}

static int add_endpoints(struct route *route, const char *name,
	const struct registries_entry *entry, size_t matched, const struct store_options *options,
	struct error *err)
{
	struct store_options of_mirrors = mirror_options(options);
	bool insecure = entry->insecure && !options->tls_told;

	for (size_t i = 0; i < entry->mirror_count; i++) {
		const struct registries_mirror *mirror = &entry->mirrors[i];

		if (add_endpoint(route, mirror->location, name + matched, mirror->insecure,
			    &of_mirrors, err))
			return -1;
		route->endpoints[i].not_tags = mirror->not_tags;
		route->endpoints[i].not_digests = mirror->not_digests;
	}
	if (!entry->location)
		return add_endpoint(route, name, "", insecure, options, err);
	return add_endpoint(route, entry->location, name + matched, insecure, options, err);
}

int route_open(struct store **out, const char *name, const struct registries_entry *entry,
	size_t matched, const struct store_options *options, struct log *log, struct error *err)
{
	struct route *route = calloc(1, sizeof(*route));

	*out = NULL;
	if (route)
		route->endpoints = calloc(entry->mirror_count + 1, sizeof(*route->endpoints));
	if (!route || !route->endpoints) {
		free(route);
		return error_set_memory(err);
	}
	route->store.ops = &route_ops;
	route->store.jobs = options->jobs > 0 ? options->jobs : 1;
	route->log = log;
	route->only_reads = options->only_reads;
	if (add_endpoints(route, name, entry, matched, options, err)) {
		route_close(&route->store);
		return error_prefix(err, "%s: %s", entry->file, entry->prefix);
	}
	*out = &route->store;
	return 0;
}
