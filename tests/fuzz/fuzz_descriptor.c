/* A descriptor keeps its text, changes nothing when nothing changes, and says what it was told. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "descriptor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_same(const struct descriptor *descriptor)
{
	struct descriptor copy;
	struct digest digest = descriptor->digest;

	require(descriptor_copy(&copy, descriptor, NULL) == 0);
	require(descriptor_set_annotations(&copy, &descriptor->annotations, NULL) == 0);
	require(descriptor_set_platform(
			&copy, descriptor->has_platform ? &descriptor->platform : NULL, NULL) == 0);
	require(descriptor_set_artifact_type(&copy, descriptor->artifact_type, NULL) == 0);
	require(descriptor_set_content(
			&copy, descriptor->media_type, &digest, descriptor->size, NULL) == 0);
	require(copy.json_len == descriptor->json_len);
	require(memcmp(copy.json, descriptor->json, copy.json_len) == 0);
	descriptor_clear(&copy);
}

/* Whether it still says all that it said, but for what has been changed. */
static void check_edited(const struct descriptor *edited, const struct descriptor *before)
{
	require(edited->size == before->size);
	require(digest_equal(&edited->digest, &before->digest));
	require(strcmp(edited->media_type, before->media_type) == 0);
	require(strlen(edited->json) == edited->json_len);
}

static void check_edits(const struct descriptor *descriptor)
{
	struct descriptor edited;
	struct annotations want;
	struct platform platform;

	require(descriptor_copy(&edited, descriptor, NULL) == 0);
	require(annotations_copy(&want, &descriptor->annotations, NULL) == 0);
	if (want.count > 1)
		annotations_remove(&want, want.items[want.count / 2].key);
	require(annotations_set(&want, "a \"new\" key", "\n", NULL) == 0);
	require(descriptor_set_annotations(&edited, &want, NULL) == 0);
	require(annotations_equal(&edited.annotations, &want));
	check_edited(&edited, descriptor);
	require(platform_parse(&platform, "linux-arm-v7@1+f+g", NULL) == 0);
	require(descriptor_set_platform(&edited, &platform, NULL) == 0);
	require(platform_equal(&edited.platform, &platform));
	require(annotations_equal(&edited.annotations, &want));
	check_edited(&edited, descriptor);
	require(descriptor_set_platform(&edited, NULL, NULL) == 0);
	require(descriptor_set_artifact_type(&edited, "x/y", NULL) == 0);
	require(!edited.has_platform && strcmp(edited.artifact_type, "x/y") == 0);
	check_edited(&edited, descriptor);
	platform_clear(&platform);
	annotations_clear(&want);
	descriptor_clear(&edited);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct descriptor descriptor;
	struct error err = ERROR_INIT;

	if (descriptor_parse(&descriptor, (const char *)data, size, &err)) {
		require(err.kind == ERROR_CORRUPT && !descriptor.json && !descriptor.media_type);
		return 0;
	}
	require(memmem(data, size, descriptor.json, descriptor.json_len) != NULL);
	require(descriptor.size >= 0 && descriptor.size <= DESCRIPTOR_SIZE_MAX);
	check_same(&descriptor);
	check_edits(&descriptor);
	descriptor_clear(&descriptor);
	return 0;
}
