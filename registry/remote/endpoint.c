#include "registry/remote/endpoint.h"

#include <string.h>

#include "clock.h"
#include "registry/model/reference_host.h"
#include "registry/remote/remote_store.h"

#define BY_HTTPS 0
#define BY_PLAIN_HTTP 1
#define REST_MS 10000

static int open_insecure(struct endpoint *endpoint, const struct reference *reference,
	const struct store_options *options, struct log *log, struct error *err)
{
	struct store_options by_https = *options, by_plain_http = *options;

	by_https.plain_http = false;
	by_https.tls_verify = false;
	by_plain_http.plain_http = true;
	atomic_store(&endpoint->chosen, -1);
	if (remote_open_exactly(&endpoint->stores[BY_HTTPS], reference, &by_https, log, err))
		return -1;
	return remote_open_exactly(
		&endpoint->stores[BY_PLAIN_HTTP], reference, &by_plain_http, log, err);
}

/* Without the rules for short names: none of them is a mirror. */
static bool names_repository(const struct reference *reference, const char *name)
{
	return reference->transport == REFERENCE_REGISTRY && reference->path && !reference->tag &&
	       !digest_is_set(&reference->digest) && host_before_slash(name, strcspn(name, "/"));
}

int endpoint_open(struct endpoint *out, const char *name, bool insecure,
	const struct store_options *options, struct log *log, struct error *err)
{
	struct reference reference;
	int failed;

	*out = (struct endpoint){.name = strdup(name)};
	if (!out->name)
		return error_set_memory(err);
	if (reference_parse(&reference, name, err))
		return -1;
	if (!names_repository(&reference, name))
		failed = error_set(err, ERROR_INVALID, "\"%s\" is no HOST[:PORT]/REPOSITORY", name);
	else if (insecure)
		failed = open_insecure(out, &reference, options, log, err);
	else
		failed = remote_open_exactly(&out->stores[0], &reference, options, log, err);
	reference_clear(&reference);
	return failed;
}

void endpoint_close(struct endpoint *endpoint)
{
	for (size_t i = 0; i < 2; i++) {
		if (endpoint->stores[i])
			endpoint->stores[i]->ops->close(endpoint->stores[i]);
	}
	free(endpoint->name);
}

struct store *endpoint_store(struct endpoint *endpoint, struct cancel *cancel, struct error *err)
{
	int chosen = atomic_load(&endpoint->chosen);
	struct error error = ERROR_INIT;

	if (chosen < 0) {
		if (remote_answers(endpoint->stores[BY_HTTPS], cancel, &error) == 0)
			chosen = BY_HTTPS;
		else if (remote_answers(endpoint->stores[BY_PLAIN_HTTP], cancel, NULL) == 0)
			chosen = BY_PLAIN_HTTP;
		if (chosen < 0) {
			error_copy(err, &error);
			return NULL;
		}
		atomic_store(&endpoint->chosen, chosen);
	}
	return endpoint->stores[chosen];
}

void endpoint_note_failure(struct endpoint *endpoint, const struct error *error)
{
	switch (error->kind) {
	case ERROR_REFUSED:
	case ERROR_UNREACHABLE:
	case ERROR_TIMEOUT:
	case ERROR_CERTIFICATE:
		atomic_store(&endpoint->rests_until_ms, clock_ms() + REST_MS);
		break;
	default:
		break;
	}
}

bool endpoint_rests(struct endpoint *endpoint)
{
	return clock_ms() < atomic_load(&endpoint->rests_until_ms);
}
