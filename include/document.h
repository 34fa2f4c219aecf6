/*
 * document.h - image indexes and image manifests (image-spec 1.1, image-index.md, manifest.md).
 *
 * Both have one shape: an array of descriptors ("manifests" of an index, "layers" of a manifest)
 * with annotations, artifactType and subject beside it. A document is its exact bytes and, beside
 * them, what this program knows of them, parsed. Each setter edits the bytes in place and keeps
 * all that it doesn't concern, byte for byte; what it adds follows the document's own style
 * (compact, or indented by what the document indents with). Nothing else changes one: copies share
 * what was parsed.
 *
 * Docker's manifest lists and schema 2 manifests have the same shape and are taken too.
 */
#ifndef INDEXFS_DOCUMENT_H
#define INDEXFS_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "annotations.h"
#include "descriptor.h"
#include "digest.h"
#include "error.h"

#define DOCUMENT_SIZE_MAX ((size_t)4 << 20) /* what registries take: 4 MiB */
#define DOCUMENT_ITEMS_MAX 65536

enum document_kind { DOCUMENT_INDEX, DOCUMENT_MANIFEST };
enum document_style { DOCUMENT_COMPACT, DOCUMENT_PRETTY };

struct document {
	enum document_kind kind;
	char *media_type; /* its own mediaType member, else what it was served as, else by kind */
	char *artifact_type; /* NULL where absent */
	bool has_config;
	struct descriptor config; /* of a manifest */
	struct descriptor *items; /* the manifests of an index, the layers of a manifest */
	size_t count;
	bool has_subject;
	struct descriptor subject;
	struct annotations annotations;
	struct digest digest; /* sha256 of the bytes */
	char *json; /* the exact bytes, NUL-terminated */
	size_t json_len;
	struct document_shares *shares; /* counts the copies, which share all of this */
};

#define DOCUMENT_INIT                                                                              \
	{                                                                                          \
		.kind = DOCUMENT_INDEX                                                             \
	}

/* Takes the bytes of a document that was served as media_type (NULL: not known; parameters after
 * ";" are ignored). What it is follows from its own mediaType, else from media_type, else from its
 * members. ERROR_CORRUPT says which MUST is broken: not JSON, a member twice, a mediaType that
 * contradicts media_type, both manifests and layers (image/index confusion), a descriptor that
 * isn't one, and ERROR_TOO_LARGE over DOCUMENT_SIZE_MAX. *out is empty on failure. */
int document_parse(struct document *out, const char *media_type, const char *json, size_t len,
	struct error *err);

/* A new document without items. An index: schemaVersion, mediaType, [artifactType], manifests.
 * A manifest: schemaVersion, mediaType, [artifactType], config (the empty config), layers.
 * artifact_type may be NULL for an index. */
int document_create(struct document *out, enum document_kind kind, const char *artifact_type,
	enum document_style style, struct error *err);

/* A new manifest of an image, without layers: schemaVersion, mediaType, [artifactType], config,
 * layers. artifact_type may be NULL: an image config says what it is. */
int document_create_image(struct document *out, const struct descriptor *config,
	const char *artifact_type, enum document_style style, struct error *err);

/* Costs nothing. Copies may be set and cleared on different threads. What has no bytes is copied as
 * empty. */
int document_copy(struct document *out, const struct document *from, struct error *err);
void document_clear(struct document *document);

/* Replaces the array by these descriptors, in this order, each with its exact text where it was
 * an item of this document before (the same json text), else laid out in the document's style.
 * The descriptors are copied; digest and json follow. Linear in the size of the document. */
int document_set_items(
	struct document *document, const struct descriptor *items, size_t count, struct error *err);

int document_set_annotations(
	struct document *document, const struct annotations *want, struct error *err);
int document_set_config(
	struct document *document, const struct descriptor *config, struct error *err);
/* NULL removes the member. */
int document_set_artifact_type(
	struct document *document, const char *artifact_type, struct error *err);
int document_set_subject(
	struct document *document, const struct descriptor *subject, struct error *err);

/* Whether a descriptor of this media type names an index, a manifest, or neither. */
bool media_type_is_index(const char *media_type);
bool media_type_is_manifest(const char *media_type);

#endif
