#include <stdio.h>
#include <string.h>

#include "registry/remote/remote_store.h"

#define WHAT_SIZE (TAG_MAX + 16)
#define HTTP_NOT_MODIFIED 304

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

/* A HEAD for the tag, unless it is where it was last seen: with the ETag, where that isn't NULL. */
static int head(const struct remote *remote, const char *tag, const char *etag,
	struct http_response *response, struct cancel *cancel, struct error *err)
{
	cleanup_free char *url = remote_manifest_url(remote, tag, err);
	struct http_header headers[] = {{"Accept", remote_accept}, {"If-None-Match", etag}};
	struct http_request request = {
		.method = "HEAD",
		.url = url,
		.headers = headers,
		.header_count = etag ? 2 : 1,
		.repeatable = true,
		.settles = answer_absent,
	};

	return url ? remote_ask(remote, &request, response, cancel, err) : -1;
}

/* The tag is where it was. */
static int unmoved(const struct remote *remote, struct descriptor *out, struct descriptor *last,
	const struct http_response *response, const char *what, struct error *err)
{
	if (answer_check_digest(remote, response, &last->digest, what, err))
		return -1;
	*out = *last;
	*last = (struct descriptor)DESCRIPTOR_INIT;
	return 0;
}

int remote_resolve(struct store *store, struct descriptor *out, const char *tag,
	struct cancel *cancel, struct error *err)
{
	struct remote *remote = remote_of(store);
	char what[WHAT_SIZE];
	struct digest digest = DIGEST_NONE;
	const char *content_type;
	int64_t size;
	cleanup_with(descriptor_clear) struct descriptor last = DESCRIPTOR_INIT;
	cleanup_free char *etag = seen_last(&remote->seen, tag, &last);
	cleanup_with(http_response_clear) struct http_response response = HTTP_RESPONSE_INIT;

	snprintf(what, sizeof(what), "tag %s", tag);
	if (head(remote, tag, etag, &response, cancel, err))
		return -1;
	if (response.status == HTTP_NOT_MODIFIED && etag)
		return unmoved(remote, out, &last, &response, what, err);
	if (response.status == 405 ||
		(response.status == 200 &&
			!head_is_complete(&response, &digest, &size, &content_type)))
		return resolve_by_get(store, out, tag, cancel, err);
	if (response.status != 200)
		return answer_refused(remote, &response, what, err);
	if (describe(out, content_type, &digest, size, err))
		return -1;
	seen_note(&remote->seen, tag, out, &response.headers);
	return 0;
}
