/*
 * document_json.h - what the reader and the editors of documents share.
 */
#ifndef INDEXFS_MODEL_DOCUMENT_JSON_H
#define INDEXFS_MODEL_DOCUMENT_JSON_H

#include "document.h"
#include "registry/model/json_edit.h"

/* The member that holds the descriptors. */
const char *document_items_name(enum document_kind kind);

/* Appends the new value of the array that is the member name of the document being edited. */
int document_items_write(struct buf *out, const struct json_edit *edit, const char *name,
	const struct descriptor *items, size_t count, struct error *err);

/* Appends a descriptor's text: as it is where it is set like the one at old (a span of the edited
 * text, NULL for none), whose place it takes, else set in the document's style at this level. */
int document_descriptor_write(struct buf *out, const struct json_edit *edit,
	const struct json_span *old, const struct descriptor *descriptor, size_t level,
	struct error *err);

#endif
