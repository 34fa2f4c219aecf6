/* What "-o" can say is taken, or is refused with a reason. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fs/mount/options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT;
	struct mount_options options;
	char *text = strndup((const char *)data, size);

	require(text != NULL);
	require(mount_options_init(&options, &err) == 0);
	if (mount_options_parse(&options, text, &err))
		require(error_is_set(&err) && *err.message);
	else
		require(options.cache_size >= 0);
	mount_options_clear(&options);
	free(text);
	return 0;
}
