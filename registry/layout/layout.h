/*
 * layout.h - an OCI image layout folder as a store (image-spec 1.1, image-layout.md).
 */
#ifndef INDEXFS_REGISTRY_LAYOUT_LAYOUT_H
#define INDEXFS_REGISTRY_LAYOUT_LAYOUT_H

#include "store.h"

/* Opens the folder reference->path, and makes it if it's missing or empty: see store_open(). */
int layout_open(struct store **out, const struct reference *reference,
	const struct store_options *options, struct log *log, struct error *err);

#endif
