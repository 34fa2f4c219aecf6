/*
 * annotations.h - an ordered map from string to string (image-spec 1.1, annotations.md).
 */
#ifndef INDEXFS_ANNOTATIONS_H
#define INDEXFS_ANNOTATIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

#define ANNOTATION_TITLE "org.opencontainers.image.title"
#define ANNOTATION_REF_NAME "org.opencontainers.image.ref.name"
#define ANNOTATION_CREATED "org.opencontainers.image.created"
#define ANNOTATION_MODE "dev.indexfs.mode"

struct annotation {
	char *key;
	char *value; /* may be "", never NULL */
};

struct annotations {
	struct annotation *items; /* in the document's order */
	size_t count;
};

#define ANNOTATIONS_INIT                                                                           \
	{                                                                                          \
		.items = NULL, .count = 0                                                          \
	}

void annotations_clear(struct annotations *annotations);
int annotations_copy(struct annotations *out, const struct annotations *from, struct error *err);

/* The value, or NULL. Valid until the map is changed. */
const char *annotations_get(const struct annotations *annotations, const char *key);

/* Changes the value in its place, or appends. Copies both strings. */
int annotations_set(
	struct annotations *annotations, const char *key, const char *value, struct error *err);

/* Whether there was one. The order of the others stays. */
bool annotations_remove(struct annotations *annotations, const char *key);

/* Same pairs in the same order. */
bool annotations_equal(const struct annotations *a, const struct annotations *b);

#endif
