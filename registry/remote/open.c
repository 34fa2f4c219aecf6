#include "registry/remote/remote.h"

#include <stdio.h>

#include "registry/remote/config.h"
#include "registry/remote/remote_store.h"
#include "registry/remote/route.h"

/* What registries.conf says of the repository decides how it is reached. */
static int open_by_conf(struct store **out, const struct reference *reference,
	const struct registries_conf *conf, const struct store_options *options, struct log *log,
	struct error *err)
{
	const struct registries_entry *entry;
	cleanup_free char *name = NULL;
	size_t matched;

	if (asprintf(&name, "%s/%s", reference->host, reference->path) < 0) {
		name = NULL;
		return error_set_memory(err);
	}
	entry = registries_conf_find(conf, name, &matched);
	if (!entry)
		return remote_open_exactly(out, reference, options, log, err);
	if (entry->blocked)
		return error_set(err, ERROR_DENIED, "%s: %s is blocked by %s", name, entry->prefix,
			entry->file);
	return route_open(out, name, entry, matched, options, log, err);
}

int remote_open(struct store **out, const struct reference *reference,
	const struct store_options *options, struct log *log, struct error *err)
{
	cleanup_with(config_places_clear) struct config_places places = {.file = NULL};
	cleanup_with(registries_conf_clear) struct registries_conf conf = REGISTRIES_CONF_INIT;

	*out = NULL;
	if (!reference->path)
		return error_set(err, ERROR_INVALID, "%s: a repository is needed", reference->host);
	if (config_places_find(&places, CONFIG_SYSTEM, err) ||
		config_registries(&conf, &places, err))
		return -1;
	return open_by_conf(out, reference, &conf, options, log, err);
}
