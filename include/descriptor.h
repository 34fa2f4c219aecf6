/*
 * descriptor.h - content descriptors (image-spec 1.1, descriptor.md) that keep their exact text.
 *
 * A descriptor is its JSON text, as it stands in its document, and beside it the members that this
 * program knows, parsed. Each setter edits the text in place: what it doesn't concern (unknown
 * members, member order, spelling of numbers and strings, white space) keeps every byte.
 */
#ifndef INDEXFS_DESCRIPTOR_H
#define INDEXFS_DESCRIPTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "annotations.h"
#include "digest.h"
#include "error.h"
#include "platform.h"

/* A size that JSON numbers of other tools can carry exactly. */
#define DESCRIPTOR_SIZE_MAX ((int64_t)1 << 53)

struct descriptor {
	char *media_type; /* never NULL once parsed */
	struct digest digest;
	int64_t size; /* bytes, 0 to DESCRIPTOR_SIZE_MAX */
	char *artifact_type; /* NULL where absent */
	bool has_platform;
	struct platform platform;
	struct annotations annotations;
	char *json; /* the exact text, NUL-terminated */
	size_t json_len;
};

#define DESCRIPTOR_INIT                                                                            \
	{                                                                                          \
		.media_type = NULL                                                                 \
	}

/* Takes the text of one JSON object; json need not be NUL-terminated. ERROR_CORRUPT says which
 * MUST of the spec it breaks. *out is empty on failure. */
int descriptor_parse(struct descriptor *out, const char *json, size_t len, struct error *err);

/* A new descriptor: mediaType, digest, size, in compact JSON. */
int descriptor_create(struct descriptor *out, const char *media_type, const struct digest *digest,
	int64_t size, struct error *err);

int descriptor_copy(struct descriptor *out, const struct descriptor *from, struct error *err);
void descriptor_clear(struct descriptor *descriptor);

/* Points it to other content: mediaType, digest and size change in their places; "data" and
 * "urls", which belong to the old content, go. Nothing changes where all three are the same. */
int descriptor_set_content(struct descriptor *descriptor, const char *media_type,
	const struct digest *digest, int64_t size, struct error *err);

/* NULL removes the member. */
int descriptor_set_artifact_type(
	struct descriptor *descriptor, const char *artifact_type, struct error *err);
int descriptor_set_platform(
	struct descriptor *descriptor, const struct platform *platform, struct error *err);

/* Makes the annotations equal to want: removes the keys that want lacks, changes values in their
 * places, appends new keys in want's order. An empty want removes the member. */
int descriptor_set_annotations(
	struct descriptor *descriptor, const struct annotations *want, struct error *err);

#endif
