/*
 * descriptor_json.h - descriptors and platforms within a JSON text.
 */
#ifndef INDEXFS_MODEL_DESCRIPTOR_JSON_H
#define INDEXFS_MODEL_DESCRIPTOR_JSON_H

#include "descriptor.h"
#include "registry/model/json_edit.h"

/* Reads the descriptor at span of a text that json_check() has passed. *out is empty on failure. */
int descriptor_read(struct descriptor *out, const struct json_text *text, struct json_span span,
	const char *what, struct error *err);

/* Reads a platform. Attestations and older tools leave os and architecture out: they read as "",
 * so that the entry still shows. An empty variant or os.version counts as absent. */
int platform_read(struct platform *out, const struct json_text *text, struct json_span span,
	struct error *err);

/* Makes the "platform" member of the object that is being edited equal to want; now is what it
 * holds, NULL where there is none. */
int platform_edit(struct json_edit *edit, const struct platform *now, const struct platform *want,
	struct error *err);

/* The same of one field, and of os.features, as members of the object that is being edited: where a
 * config says it. */
int platform_field_edit(struct json_edit *edit, const char *name, const char *now, const char *want,
	struct error *err);
int platform_features_edit(struct json_edit *edit, const struct platform *now,
	const struct platform *want, struct error *err);

/* A media type, or another text for a header or a message: a string without control characters,
 * and not empty. */
int type_read(char **out, const struct json_text *text, struct json_span span, const char *what,
	struct error *err);

#endif
