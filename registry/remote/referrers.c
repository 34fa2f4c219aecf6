#include "registry/model/referrers.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "media_type.h"
#include "registry/model/registry_error.h"
#include "registry/remote/pages.h"

#define WHAT_SIZE (DIGEST_TEXT_SIZE + 32)

/* What came of asking the Referrers API. */
enum api_result { API_FAILED = -1, API_ANSWERED, API_ABSENT, API_UNSURE };

static bool is_json(const struct http_response *response)
{
	const char *type = http_headers_get(&response->headers, "Content-Type");
	size_t len = type ? strcspn(type, "; \t") : 0;

	return (len == strlen(MEDIA_TYPE_INDEX) && strncasecmp(type, MEDIA_TYPE_INDEX, len) == 0) ||
	       (len == strlen("application/json") &&
		       strncasecmp(type, "application/json", len) == 0);
}

/* Where there is no such API, registries answer 404, or send whoever asks to their web site, whose
 * answer may be 200 and HTML. A 404 that speaks of the repository says nothing about the API. */
static enum api_result api_judge(const struct http_response *response)
{
	struct registry_error said;

	if (response->elsewhere)
		return API_ABSENT;
	switch (response->status) {
	case 200:
		return is_json(response) ? API_ANSWERED : API_ABSENT;
	case HTTP_NOT_FOUND:
		registry_error_parse(&said, response->body.data, response->body.len);
		return strcasecmp(said.code, "NAME_UNKNOWN") == 0 ? API_UNSURE : API_ABSENT;
	case 405:
	case 501:
		return API_ABSENT;
	default:
		return API_FAILED;
	}
}

static int page_take(const struct remote *remote, struct referrers *referrers,
	const struct http_response *response, const char *artifact_type, const char *what,
	struct error *err)
{
	const struct buf *body = &response->body;
	const char *filters = http_headers_get(&response->headers, "OCI-Filters-Applied");
	cleanup_with(document_clear) struct document page = DOCUMENT_INIT;

	if (document_parse(&page, MEDIA_TYPE_INDEX, body->data ? body->data : "", body->len, err))
		return error_prefix(err, "%s: %s", remote->name, what);
	return referrers_take(
		referrers, &page, referrers_filtered(filters) ? NULL : artifact_type, err);
}

/* The characters of media types that a query can't have as they are. */
static int append_type(struct buf *out, const char *artifact_type)
{
	for (const char *at = artifact_type; *at; at++) {
		unsigned char c = (unsigned char)*at;

		if (isalnum(c) || strchr("-._~/", c) ? buf_append(out, at, 1)
						     : buf_printf(out, "%%%02X", c))
			return -1;
	}
	return 0;
}

static char *api_url(const struct remote *remote, const struct digest *subject,
	const char *artifact_type, struct error *err)
{
	cleanup_with(buf_free) struct buf query = BUF_INIT(4096);

	if (artifact_type &&
		(buf_append_text(&query, "?artifactType=") || append_type(&query, artifact_type))) {
		error_set_memory(err);
		return NULL;
	}
	return remote_url(
		remote, err, "/referrers/%s%s", subject->text, query.data ? query.data : "");
}

/* Asks page after page. Only the first says whether there is such an API. */
static enum api_result api_ask(const struct remote *remote, struct referrers *referrers,
	const struct digest *subject, const char *artifact_type, struct cancel *cancel,
	struct error *err)
{
	char what[WHAT_SIZE];
	cleanup_with(pages_end) struct pages pages;

	snprintf(what, sizeof(what), "the referrers of %s", subject->text);
	if (pages_begin(&pages, remote, what, MEDIA_TYPE_INDEX, DOCUMENT_SIZE_MAX,
		    api_url(remote, subject, artifact_type, err), err))
		return API_FAILED;
	while (pages.url) {
		cleanup_with(http_response_clear) struct http_response response =
			HTTP_RESPONSE_INIT;
		enum api_result result;

		if (pages_next(&pages, &response, cancel, err))
			return API_FAILED;
		result = api_judge(&response);
		if (pages.count == 1 && (result == API_ABSENT || result == API_UNSURE))
			return result;
		if (result != API_ANSWERED) {
			answer_refused(remote, &response, what, err);
			return API_FAILED;
		}
		if (page_take(remote, referrers, &response, artifact_type, what, err))
			return API_FAILED;
	}
	return API_ANSWERED;
}

/* The same, unless the host is known to have no such API; what it tells is remembered. */
static enum api_result api_try(const struct remote *remote, struct referrers *referrers,
	const struct digest *subject, const char *artifact_type, struct cancel *cancel,
	struct error *err)
{
	enum api_result result;

	if (host_trait_get(&remote->host->referrers) == HOST_NO)
		return API_ABSENT;
	result = api_ask(remote, referrers, subject, artifact_type, cancel, err);
	if (result == API_ANSWERED)
		host_trait_set(&remote->host->referrers, HOST_YES);
	if (result == API_ABSENT)
		host_trait_set(&remote->host->referrers, HOST_NO);
	return result;
}

int remote_referrers(struct store *store, struct document *out, const struct digest *subject,
	const char *artifact_type, struct cancel *cancel, struct error *err)
{
	struct remote *remote = remote_of(store);
	cleanup_with(referrers_clear) struct referrers referrers = REFERRERS_INIT;
	cleanup_with(document_clear) struct document list = DOCUMENT_INIT;
	enum api_result result = api_try(remote, &referrers, subject, artifact_type, cancel, err);

	if (result == API_FAILED)
		return -1;
	if (result != API_ANSWERED &&
		(referrers_tag_get(remote, &list, subject, cancel, err) ||
			referrers_take(&referrers, &list, artifact_type, err)))
		return -1;
	return referrers_index(out, &referrers, err);
}

/* An answer without OCI-Subject is of a registry that makes no list. One with it may still be:
 * there are registries that send it and have no Referrers API. */
int remote_referrers_enter(struct remote *remote, const struct document *document,
	const struct http_response *response, struct cancel *cancel, struct error *err)
{
	const char *noted = http_headers_get(&response->headers, "OCI-Subject");
	enum host_trait trait = host_trait_get(&remote->host->referrers);
	cleanup_with(referrers_clear) struct referrers referrers = REFERRERS_INIT;
	enum api_result result;

	if (trait == HOST_YES)
		return 0;
	if (trait == HOST_UNKNOWN && noted && strcmp(noted, document->subject.digest.text) == 0) {
		result = api_try(remote, &referrers, &document->subject.digest, NULL, cancel, err);
		if (result == API_ANSWERED || result == API_FAILED)
			return result == API_ANSWERED ? 0 : -1;
	}
	return referrers_tag_enter(remote, document, cancel, err);
}
