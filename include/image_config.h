/*
 * image_config.h - image configs (image-spec 1.1, config.md): the platform that an image is for,
 * and what its layers hold.
 */
#ifndef INDEXFS_IMAGE_CONFIG_H
#define INDEXFS_IMAGE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "digest.h"
#include "document.h"
#include "error.h"
#include "platform.h"

/* The platform that an image config is for. False where it is no JSON object with os and
 * architecture; *out is empty then. */
bool image_config_platform(struct platform *out, const char *json, size_t len);

/* Its rootfs.diff_ids, one for each layer of its manifest, in their order; none where there is no
 * rootfs. The caller frees *out. ERROR_CORRUPT where it is no image config. */
int image_config_diff_ids(
	struct digest **out, size_t *count, const char *json, size_t len, struct error *err);

/* Appends a new image config to out: architecture, os, then os.version, variant and os.features
 * where they are set, then rootfs. */
int image_config_create(struct buf *out, const struct platform *platform,
	const struct digest *diff_ids, size_t count, enum document_style style, struct error *err);

/* The same of an image config that is there: what isn't about the platform and the layers keeps
 * every byte, and so does all of it where nothing is new. history, which tells how each layer was
 * made, goes where their number changes: readers refuse one that doesn't fit. ERROR_CORRUPT. */
int image_config_edit(struct buf *out, const char *json, size_t len,
	const struct platform *platform, const struct digest *diff_ids, size_t count,
	struct error *err);

/* OCI's or Docker's image config. */
bool media_type_is_image_config(const char *media_type);

#endif
