/*
 * pages.h - lists that come in pages, each of which names the next in its Link header
 * (distribution-spec 1.1, "Listing Tags", "Listing Referrers").
 */
#ifndef INDEXFS_REMOTE_PAGES_H
#define INDEXFS_REMOTE_PAGES_H

#include "registry/remote/remote_store.h"

#define PAGES_MAX 10000

struct pages {
	const struct remote *remote;
	const char *what; /* what is listed, in messages */
	const char *accept; /* media types, or NULL */
	size_t body_limit; /* of a page */
	char *url; /* of the next page; NULL after the last */
	char *list; /* the list's own URL, without a query */
	char *marked; /* the URL of an earlier page, to find loops by */
	size_t count; /* pages that have been asked for */
};

/* Takes url, which may be NULL: then *err is set. */
int pages_begin(struct pages *out, const struct remote *remote, const char *what,
	const char *accept, size_t body_limit, char *url, struct error *err);
void pages_end(struct pages *pages);

/* Gets the next page, whatever its status; *response must be empty. pages->url is then that of the
 * page after it, of the same origin. ERROR_PROTOCOL for a loop or no end. */
int pages_next(struct pages *pages, struct http_response *response, struct cancel *cancel,
	struct error *err);

#endif
