#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "media_type.h"
#include "registry/remote/remote_store.h"

const char remote_accept[] = MEDIA_TYPE_INDEX ", " MEDIA_TYPE_MANIFEST ", " MEDIA_TYPE_DOCKER_LIST
					      ", " MEDIA_TYPE_DOCKER_MANIFEST;

#define WHAT_SIZE (DIGEST_TEXT_SIZE + 16)

/* "application/json; charset=utf-8" and the like say nothing about what the document is. */
static bool says_nothing(const char *content_type)
{
	static const char *const vague[] = {
		"application/json", "application/octet-stream", "text/plain", "text/json"};
	size_t len = strcspn(content_type, "; \t");

	for (size_t i = 0; i < sizeof(vague) / sizeof(*vague); i++) {
		if (strlen(vague[i]) == len && strncasecmp(content_type, vague[i], len) == 0)
			return true;
	}
	return len == 0;
}

/* The bytes against the digest that was asked for, and against the one that the registry tells. */
static int check_content(const struct remote *remote, const struct document *document,
	const struct digest *asked, const struct http_response *response, const char *what,
	struct error *err)
{
	if (asked && !digest_verifiable(asked))
		return answer_wrong(remote, ERROR_CORRUPT, what,
			"its digest can't be verified by this program", err);
	if (asked && digest_check(asked, document->json, document->json_len, err))
		return error_prefix(err, "%s: %s", remote->name, what);
	return answer_check_digest(remote, response, &document->digest, what, err);
}

static int take_document(const struct remote *remote, struct document *out,
	const struct digest *asked, const char *media_type, const struct http_response *response,
	const char *what, struct error *err)
{
	const char *served = http_headers_get(&response->headers, "Content-Type");
	const struct buf *body = &response->body;

	if (!served || says_nothing(served))
		served = media_type;
	if (document_parse(out, served, body->data ? body->data : "", body->len, err))
		return error_prefix(err, "%s: %s", remote->name, what);
	if (check_content(remote, out, asked, response, what, err) == 0)
		return 0;
	document_clear(out);
	return -1;
}

/* Asks for the usual types, and for one of its own where the descriptor names another. */
static int append_accept(struct buf *accept, const char *media_type)
{
	if (buf_append_text(accept, remote_accept))
		return -1;
	if (!media_type || !media_type_valid(media_type) || strstr(remote_accept, media_type))
		return 0;
	return buf_printf(accept, ", %s", media_type);
}

/* What a tag named when it was read goes with the answer's ETag. */
static int note_tag(struct remote *remote, const char *tag, const struct document *document,
	const struct http_response *response, struct error *err)
{
	cleanup_with(descriptor_clear) struct descriptor what = DESCRIPTOR_INIT;

	if (descriptor_create(&what, document->media_type, &document->digest,
		    (int64_t)document->json_len, err))
		return -1;
	seen_note(&remote->seen, tag, &what, &response->headers);
	return 0;
}

static int read_once(struct remote *remote, struct document *out, const char *tag,
	const struct digest *digest, const char *media_type, struct cancel *cancel,
	struct error *err)
{
	const char *reference = digest ? digest->text : tag;
	char what[WHAT_SIZE];
	cleanup_with(buf_free) struct buf accept = BUF_INIT(4096);
	cleanup_free char *url = remote_manifest_url(remote, reference, err);
	cleanup_with(http_response_clear) struct http_response response = HTTP_RESPONSE_INIT;

	if (!url)
		return -1;
	if (append_accept(&accept, media_type))
		return error_set_memory(err);

	struct http_header header = {"Accept", accept.data};
	struct http_request request = {
		.method = "GET",
		.url = url,
		.headers = &header,
		.header_count = 1,
		.repeatable = true,
		.settles = digest ? NULL : answer_absent,
		.body_limit = DOCUMENT_SIZE_MAX,
	};

	snprintf(what, sizeof(what), "manifest %s", reference);
	if (remote_ask(remote, &request, &response, cancel, err))
		return -1;
	if (response.status != 200)
		return answer_refused(remote, &response, what, err);
	if (take_document(remote, out, digest, media_type, &response, what, err))
		return -1;
	if (digest || note_tag(remote, tag, out, &response, err) == 0)
		return 0;
	document_clear(out);
	return -1;
}

int remote_document_get(struct store *store, struct document *out, const char *tag,
	const struct digest *digest, const char *media_type, struct cancel *cancel,
	struct error *err)
{
	struct remote *remote = remote_of(store);
	struct error why = ERROR_INIT;

	if (read_once(remote, out, tag, digest, media_type, cancel, &why) == 0)
		return 0;
	if (!remote_is_worth_another(remote, &why))
		return error_copy(err, &why);
	return read_once(remote, out, tag, digest, media_type, cancel, err);
}
