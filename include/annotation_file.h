/*
 * annotation_file.h - the text of annotations.json, both ways.
 *
 * At the top of a tag: one JSON object, string to string. In a platform folder:
 *
 *     { "$descriptor": {...}, "$manifest": {...}, "$config": {...}, "TITLE": {...}, ... }
 *
 * where an object whose values are all strings is taken as $descriptor alone. A layer whose title
 * begins with "$" has the key "./$...". Text is made with two spaces of indent, ": ", keys in the
 * given order, without what is empty, and a newline at the end.
 */
#ifndef INDEXFS_ANNOTATION_FILE_H
#define INDEXFS_ANNOTATION_FILE_H

#include <stddef.h>

#include "annotations.h"
#include "buf.h"
#include "error.h"

#define ANNOTATION_FILE_MAX ((size_t)4 << 20)

struct layer_annotations {
	char *title;
	struct annotations annotations; /* without the title itself */
};

struct annotation_file {
	struct annotations descriptor, manifest, config;
	struct layer_annotations *layers;
	size_t layer_count;
};

#define ANNOTATION_FILE_INIT                                                                       \
	{                                                                                          \
		.layers = NULL                                                                     \
	}

void annotation_file_clear(struct annotation_file *file);
int annotation_file_copy(
	struct annotation_file *out, const struct annotation_file *from, struct error *err);

/* ERROR_INVALID says what is wrong with line and column: not JSON (empty text too), a wrong shape,
 * a duplicate key, "$something" unknown, a title key inside a layer's annotations. */
int annotation_file_parse(
	struct annotation_file *out, const char *text, size_t len, struct error *err);
int annotation_file_format(struct buf *out, const struct annotation_file *file, struct error *err);

/* The same for the file at the top of a tag. */
int index_annotations_parse(
	struct annotations *out, const char *text, size_t len, struct error *err);
int index_annotations_format(
	struct buf *out, const struct annotations *annotations, struct error *err);

/* The layer's annotations by title, NULL where there are none; and the same, made if missing. */
struct annotations *annotation_file_layer(const struct annotation_file *file, const char *title);
struct annotations *annotation_file_layer_make(
	struct annotation_file *file, const char *title, struct error *err);
/* Forgets a layer's annotations. */
void annotation_file_layer_remove(struct annotation_file *file, const char *title);

#endif
