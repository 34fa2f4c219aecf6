#include <stdio.h>
#include <string.h>

#include "registry/remote/remote_store.h"

#define WHAT_SIZE (TAG_MAX + 16)

/* What a HEAD tells of a manifest: false where it isn't enough, as with some registries. */
static bool head_is_complete(const struct http_response *response, struct digest *digest,
	int64_t *size, const char **content_type)
{
	const char *text = http_headers_get(&response->headers, "Docker-Content-Digest");

	*size = http_headers_length(&response->headers);
	*content_type = http_headers_get(&response->headers, "Content-Type");
	return text && digest_parse(digest, text) && *size > 0 && *content_type &&
	       (strstr(*content_type, "manifest") || strstr(*content_type, "index"));
}

static int describe(struct descriptor *out, const char *content_type, const struct digest *digest,
	int64_t size, struct error *err)
{
	cleanup_free char *media_type = strndup(content_type, strcspn(content_type, "; \t"));

	if (!media_type)
		return error_set_memory(err);
	return descriptor_create(out, media_type, digest, size, err);
}

static int resolve_by_get(struct store *store, struct descriptor *out, const char *tag,
	struct cancel *cancel, struct error *err)
{
	cleanup_with(document_clear) struct document document = DOCUMENT_INIT;

	if (remote_document_get(store, &document, tag, NULL, NULL, cancel, err))
		return -1;
	return descriptor_create(
		out, document.media_type, &document.digest, (int64_t)document.json_len, err);
}

int remote_resolve(struct store *store, struct descriptor *out, const char *tag,
	struct cancel *cancel, struct error *err)
{
	const struct remote *remote = remote_of(store);
	char what[WHAT_SIZE];
	struct digest digest = DIGEST_NONE;
	const char *content_type;
	int64_t size;
	cleanup_free char *url = remote_manifest_url(remote, tag, err);
	cleanup_with(http_response_clear) struct http_response response = HTTP_RESPONSE_INIT;
	struct http_header header = {"Accept", remote_accept};
	struct http_request request = {
		.method = "HEAD",
		.url = url,
		.headers = &header,
		.header_count = 1,
		.repeatable = true,
	};

	if (!url)
		return -1;
	if (remote_ask(remote, &request, &response, cancel, err))
		return -1;
	if (response.status == 200 && head_is_complete(&response, &digest, &size, &content_type))
		return describe(out, content_type, &digest, size, err);
	if (response.status == 200 || response.status == 405)
		return resolve_by_get(store, out, tag, cancel, err);
	snprintf(what, sizeof(what), "tag %s", tag);
	return answer_refused(remote, &response, what, err);
}
