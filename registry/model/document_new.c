/*
 * document_new.c - documents from nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "media_type.h"
#include "registry/model/document_json.h"

#define EMPTY_CONFIG                                                                               \
	"{\"mediaType\":\"" MEDIA_TYPE_EMPTY "\",\"digest\":\"" EMPTY_JSON_DIGEST "\",\"size\":2}"

/* The members of both kinds, in the order of the specs. config: the text of a descriptor, NULL for
 * an index. */
static int create_text(
	struct buf *out, const char *artifact_type, const char *config, struct error *err)
{
	if (buf_printf(out, "{\"schemaVersion\":2,\"mediaType\":\"%s\"",
		    config ? MEDIA_TYPE_MANIFEST : MEDIA_TYPE_INDEX))
		return json_buf_error(err);
	if (artifact_type) {
		if (buf_append_text(out, ",\"artifactType\":"))
			return json_buf_error(err);
		if (json_string_write(out, artifact_type, err))
			return -1;
	}
	if (config && (buf_append_text(out, ",\"config\":") || buf_append_text(out, config)))
		return json_buf_error(err);
	if (buf_append_text(out, config ? ",\"layers\":[]}" : ",\"manifests\":[]}"))
		return json_buf_error(err);
	return 0;
}

static int create(struct document *out, const char *artifact_type, const char *config,
	enum document_style style, struct error *err)
{
	static const struct json_style compact = JSON_STYLE_COMPACT, pretty = JSON_STYLE_PRETTY;
	cleanup_with(buf_free) struct buf unset = BUF_INIT(DOCUMENT_SIZE_MAX);
	cleanup_with(buf_free) struct buf set = BUF_INIT(DOCUMENT_SIZE_MAX);
	struct json_text text = {.kind = ERROR_INVALID};

	if (create_text(&unset, artifact_type, config, err))
		return -1;
	text.bytes = unset.data;
	text.len = unset.len;
	if (json_layout(&set, &text, json_root(&text),
		    style == DOCUMENT_PRETTY ? &pretty : &compact, 0))
		return json_buf_error(err);
	return document_parse(out, NULL, set.data, set.len, err);
}

int document_create(struct document *out, enum document_kind kind, const char *artifact_type,
	enum document_style style, struct error *err)
{
	*out = (struct document)DOCUMENT_INIT;
	if (kind == DOCUMENT_MANIFEST && !artifact_type)
		return error_set(err, ERROR_INVALID,
			"a manifest with the empty config needs an artifactType");
	return create(
		out, artifact_type, kind == DOCUMENT_MANIFEST ? EMPTY_CONFIG : NULL, style, err);
}

int document_create_image(struct document *out, const struct descriptor *config,
	const char *artifact_type, enum document_style style, struct error *err)
{
	*out = (struct document)DOCUMENT_INIT;
	return create(out, artifact_type, config->json, style, err);
}
