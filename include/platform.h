/*
 * platform.h - platforms and the folder names that stand for them, both ways.
 *
 *     OS-ARCH[-VARIANT][@OS.VERSION][+OS.FEATURE]...
 *
 * each field as it stands in the descriptor, with / % @ + - and control characters (bytes below
 * 0x20, and 0x7f) inside a field written %XX (upper-case hex). The tuple (os, architecture,
 * variant, os.version, os.features) is the identity of an index entry.
 */
#ifndef INDEXFS_PLATFORM_H
#define INDEXFS_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

#define FOLDER_NAME_SIZE 256 /* a folder's name with its NUL: NAME_MAX + 1 */
#define PLATFORM_ANY "any" /* the folder of an entry without a platform */

struct platform {
	char *os; /* never NULL */
	char *architecture; /* never NULL */
	char *variant; /* NULL where absent */
	char *os_version; /* NULL where absent */
	char **os_features; /* in the order of the document */
	size_t os_feature_count;
};

#define PLATFORM_INIT                                                                              \
	{                                                                                          \
		.os = NULL                                                                         \
	}

void platform_clear(struct platform *platform);
int platform_copy(struct platform *out, const struct platform *from, struct error *err);
bool platform_equal(const struct platform *a, const struct platform *b);

/* The canonical folder name. False where it has no such name: longer than NAME_MAX, or a field that
 * could not be read back (empty, or not UTF-8). */
bool platform_name(char out[static FOLDER_NAME_SIZE], const struct platform *platform);

/* Takes a folder name: the canonical form, or another well-known spelling ("linux-x86_64",
 * "linux_amd64", "linux_arm64_v8", "macos-aarch64", "linux-armv7", ...), of which the result is
 * the canonical platform. ERROR_INVALID says why the name isn't one, with an example. */
int platform_parse(struct platform *out, const char *name, struct error *err);

/* Whether os and architecture are in Go's lists (GOOS, GOARCH), as image-spec wants. */
bool platform_usual(const struct platform *platform);

#endif
