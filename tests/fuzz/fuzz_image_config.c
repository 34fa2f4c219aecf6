/* An image config from elsewhere that is brought in step says what it was told, is read back, and
 * stays as it is the next time. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image_config.h"

#define IDS_MAX 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_ids(const struct buf *config, const struct digest *ids, size_t count)
{
	struct digest *read;
	size_t read_count;

	require(image_config_diff_ids(&read, &read_count, config->data, config->len, NULL) == 0);
	require(read_count == count);
	for (size_t i = 0; i < count; i++)
		require(digest_equal(&read[i], &ids[i]));
	free(read);
}

static void check_platform(const struct buf *config, const struct platform *wanted)
{
	struct platform platform;

	require(image_config_platform(&platform, config->data, config->len));
	require(platform_equal(&platform, wanted));
	platform_clear(&platform);
}

/* The first byte says which platform and how many layers. */
static void check_edit(const char *json, size_t len, uint8_t how)
{
	static const char *const names[] = {"linux-amd64", "linux-arm-v7",
		"windows-amd64@10.0+win32k+other", "darwin-arm64@a %2F"};
	struct buf once = BUF_INIT(1 << 20), twice = BUF_INIT(1 << 20);
	struct error err = ERROR_INIT;
	struct digest ids[IDS_MAX];
	struct platform platform;
	size_t count = how / 4 % (IDS_MAX + 1);

	for (size_t i = 0; i < IDS_MAX; i++)
		digest_of_bytes(&ids[i], &i, sizeof i);
	require(platform_parse(&platform, names[how % 4], NULL) == 0);
	if (image_config_edit(&once, json, len, &platform, ids, count, &err)) {
		require(err.kind == ERROR_CORRUPT || err.kind == ERROR_TOO_LARGE);
		require(*err.message);
	} else {
		check_platform(&once, &platform);
		check_ids(&once, ids, count);
		require(image_config_edit(
				&twice, once.data, once.len, &platform, ids, count, NULL) == 0);
		require(twice.len == once.len && memcmp(twice.data, once.data, once.len) == 0);
	}
	platform_clear(&platform);
	buf_free(&twice);
	buf_free(&once);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size)
		check_edit((const char *)data + 1, size - 1, data[0]);
	return 0;
}
