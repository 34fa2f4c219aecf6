/*
 * annotation_file_json.h - what the reader and the writer of annotations.json share.
 */
#ifndef INDEXFS_MODEL_ANNOTATION_FILE_JSON_H
#define INDEXFS_MODEL_ANNOTATION_FILE_JSON_H

#include <string.h>

#include "annotation_file.h"

/* A layer that isn't there yet; doesn't look. */
struct annotations *annotation_file_layer_append(
	struct annotation_file *file, const char *title, struct error *err);

/* A key that begins with "$" is no layer, so a layer whose title does is written with "./" before
 * it, which no safe title begins with; so is a title that would then be taken for it. Whether key
 * is "$..." behind any number of "./". */
static inline bool annotation_file_dollar(const char *key)
{
	while (strncmp(key, "./", 2) == 0)
		key += 2;
	return *key == '$';
}

#endif
