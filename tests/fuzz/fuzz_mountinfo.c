/* What /proc/self/mountinfo tells, names that anybody may have chosen among it, are mounts that are
 * found again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fs/cmd/mounts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT;
	struct mounts mounts;
	char *text = strndup((const char *)data, size);

	require(text != NULL);
	require(mounts_parse(&mounts, text, &err) == 0);
	for (size_t i = 0; i < mounts.count; i++) {
		const char *path = mounts.items[i].mountpoint;
		const struct mounted *at = mounts_at(&mounts, path);

		require(strlen(path) <= size && strlen(mounts.items[i].source) <= size);
		require(at && at >= &mounts.items[i] && !strcmp(at->mountpoint, path));
		require(mounts_of(&mounts, path) != NULL);
	}
	mounts_clear(&mounts);
	free(text);
	return 0;
}
