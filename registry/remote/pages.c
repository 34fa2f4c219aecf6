#include "registry/remote/pages.h"

#include <stdio.h>
#include <string.h>

#include "registry/http/url.h"
#include "registry/model/link_header.h"

int pages_begin(struct pages *out, const struct remote *remote, const char *what,
	const char *accept, size_t body_limit, char *url, struct error *err)
{
	*out = (struct pages){
		.remote = remote,
		.what = what,
		.accept = accept,
		.body_limit = body_limit,
		.url = url,
	};
	if (!url)
		return -1;
	out->list = strndup(url, strcspn(url, "?"));
	return out->list ? 0 : error_set_memory(err);
}

void pages_end(struct pages *pages)
{
	free(pages->url);
	free(pages->list);
	free(pages->marked);
}

/* Where there is no such list, an answer may also be that of a web site. */
static bool page_absent(const struct http_response *response)
{
	return answer_absent(response) || response->elsewhere;
}

static int page_get(const struct pages *pages, const char *url, struct http_response *response,
	struct cancel *cancel, struct error *err)
{
	struct http_header header = {"Accept", pages->accept};
	struct http_request request = {
		.method = "GET",
		.url = url,
		.headers = &header,
		.header_count = pages->accept != NULL,
		.repeatable = true,
		.settles = page_absent,
		.body_limit = pages->body_limit,
	};

	return remote_ask(pages->remote, &request, response, cancel, err);
}

/* Some registries behind a proxy send a Link whose path is one of theirs and not of ours: then its
 * query is asked of where the first page was. */
static int page_get_mended(const struct pages *pages, struct http_response *response,
	struct cancel *cancel, struct error *err)
{
	size_t len = strcspn(pages->url, "?");
	cleanup_free char *mended = NULL;

	if (!pages->count || response->status != HTTP_NOT_FOUND || !pages->url[len] ||
		(strlen(pages->list) == len && strncmp(pages->list, pages->url, len) == 0))
		return 0;
	if (asprintf(&mended, "%s%s", pages->list, pages->url + len) < 0) {
		mended = NULL;
		return error_set_memory(err);
	}
	http_response_clear(response);
	return page_get(pages, mended, response, cancel, err);
}

/* *out: the absolute URL of the next page, or NULL. */
static int link_next(char **out, const struct pages *pages, const struct http_response *response,
	struct error *err)
{
	const char *value = NULL, *target;
	cleanup_free char *location = NULL;
	size_t len;

	*out = NULL;
	while ((value = http_headers_next(&response->headers, "Link", value))) {
		if (link_header_next(&target, &len, value))
			break;
	}
	if (!value)
		return 0;
	location = strndup(target, len);
	if (!location)
		return error_set_memory(err);
	if (http_url_resolve(out, pages->url, location, err))
		return error_prefix(err, "%s: %s", pages->remote->name, pages->what);
	return 0;
}

static int pages_wrong(const struct pages *pages, const char *why, struct error *err)
{
	return answer_wrong(pages->remote, ERROR_PROTOCOL, pages->what, why, err);
}

/* A loop meets the marked page again, because the mark moves on after 1, 2, 4, 8... pages: so one
 * mark is enough to find loops of any length. */
static int loop_check(struct pages *pages, const char *next, struct error *err)
{
	if (strcmp(next, pages->url) == 0 || (pages->marked && strcmp(next, pages->marked) == 0))
		return pages_wrong(pages, "the list leads round in a circle", err);
	if (pages->count >= PAGES_MAX)
		return pages_wrong(pages, "the list has too many pages", err);
	if ((pages->count & (pages->count - 1)) == 0) {
		free(pages->marked);
		pages->marked = strdup(pages->url);
		if (!pages->marked)
			return error_set_memory(err);
	}
	return 0;
}

static int pages_turn(struct pages *pages, const struct http_response *response, struct error *err)
{
	cleanup_free char *next = NULL;

	if (response->status == 200 && link_next(&next, pages, response, err))
		return -1;
	if (next && !http_url_same_origin(pages->list, next))
		return pages_wrong(pages, "the list goes on at another host", err);
	if (next && loop_check(pages, next, err))
		return -1;
	free(pages->url);
	pages->url = steal_ptr(next);
	return 0;
}

int pages_next(struct pages *pages, struct http_response *response, struct cancel *cancel,
	struct error *err)
{
	if (page_get(pages, pages->url, response, cancel, err) ||
		page_get_mended(pages, response, cancel, err))
		return -1;
	pages->count++;
	return pages_turn(pages, response, err);
}
