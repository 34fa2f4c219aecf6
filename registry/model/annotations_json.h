/*
 * annotations_json.h - annotations as an object in a JSON text.
 */
#ifndef INDEXFS_MODEL_ANNOTATIONS_JSON_H
#define INDEXFS_MODEL_ANNOTATIONS_JSON_H

#include "annotations.h"
#include "registry/model/json_edit.h"

/* Appends a pair whose key isn't there yet; doesn't look. Copies both strings. */
int annotations_append(
	struct annotations *annotations, const char *key, const char *value, struct error *err);

/* Reads an object whose values must all be strings. *out is empty on failure. */
int annotations_read(struct annotations *out, const struct json_text *text, struct json_span span,
	const char *what, struct error *err);

/* Makes the "annotations" member of the object that is being edited equal to want; now is what it
 * holds. An empty want removes the member, unless it's empty already. */
int annotations_edit(struct json_edit *edit, const struct annotations *now,
	const struct annotations *want, struct error *err);

#endif
