/* A registries.conf that anybody may have written: whole entries, or an error that names it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "registry/model/registries_conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void check_entry(const struct registries_conf *conf, const struct registries_entry *entry)
{
	size_t matched;

	require(entry->prefix && *entry->prefix);
	require(!entry->location || *entry->location);
	for (size_t i = 0; i < entry->mirror_count; i++)
		require(entry->mirrors[i].location && *entry->mirrors[i].location);
	if (entry->prefix[0] != '*')
		require(registries_conf_find(conf, entry->prefix, &matched) == entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct registries_conf conf = REGISTRIES_CONF_INIT;
	struct error err = ERROR_INIT;

	/* Twice: as a drop-in would say the same again. */
	for (int i = 0; i < 2; i++) {
		if (registries_conf_read(&conf, "conf", (const char *)data, size, &err))
			require(error_is_set(&err) && strncmp(err.message, "conf: ", 6) == 0);
	}
	for (size_t i = 0; i < conf.count; i++)
		check_entry(&conf, &conf.entries[i]);
	registries_conf_clear(&conf);
	return 0;
}
