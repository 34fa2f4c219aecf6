/*
 * require.h - the platforms that a tag must have: linux-amd64+linux-arm64.
 */
#ifndef INDEXFS_REQUIRE_H
#define INDEXFS_REQUIRE_H

#include <stddef.h>

#include "document.h"
#include "error.h"
#include "platform.h"

struct require {
	struct platform *items; /* os is NULL for PLATFORM_ANY: an entry without a platform */
	size_t count;
};

/* Takes names of platforms, in any spelling that opens a folder, with "+" between; what follows a
 * "+" after a Windows platform and is none is its os.feature. ERROR_INVALID names what is no
 * platform, or none that image-spec's lists know. *out is empty on failure. */
int require_parse(struct require *out, const char *text, struct error *err);
void require_clear(struct require *require);

/* ERROR_INVALID names the platforms that the index lacks. What a requirement doesn't say (variant,
 * os.version, os.features) may be anything. single: of a single manifest, its platform; NULL where
 * it has none. */
int require_check(const struct require *require, const struct document *root,
	const struct platform *single, struct error *err);

#endif
