/*
 * contents.h - whether what a document names is in the layout.
 *
 * A layout may be sparse: a copy of one platform keeps the index whole and leaves out what the
 * other entries name. What is missing already stays so; nothing new may be.
 */
#ifndef INDEXFS_REGISTRY_LAYOUT_CONTENTS_H
#define INDEXFS_REGISTRY_LAYOUT_CONTENTS_H

#include "document.h"
#include "error.h"

/* dir is the layout's folder, open. What before names, by digest, need not be there; it may be
 * empty. ERROR_NOT_FOUND tells what is missing. */
int layout_contents_check(
	int dir, const struct document *document, const struct document *before, struct error *err);

#endif
