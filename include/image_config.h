/*
 * image_config.h - what an image config says (image-spec 1.1, config.md).
 */
#ifndef INDEXFS_IMAGE_CONFIG_H
#define INDEXFS_IMAGE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "platform.h"

/* The platform that an image config is for. False where it is no JSON object with os and
 * architecture; *out is empty then. */
bool image_config_platform(struct platform *out, const char *json, size_t len);

/* OCI's or Docker's image config. */
bool media_type_is_image_config(const char *media_type);

#endif
