/*
 * referrers.h - what refers to a manifest of a layout: found by reading, because a layout keeps no
 * list of it.
 *
 * dir is the layout's folder, open.
 */
#ifndef INDEXFS_REGISTRY_LAYOUT_REFERRERS_H
#define INDEXFS_REGISTRY_LAYOUT_REFERRERS_H

#include "cancel.h"
#include "document.h"
#include "error.h"

/* An index of the documents that index.json leads to and whose subject is this one; see
 * store_ops.referrers. What is missing or broken is passed over. */
int layout_referrers_find(int dir, struct document *out, const struct digest *subject,
	const char *artifact_type, struct cancel *cancel, struct error *err);

#endif
