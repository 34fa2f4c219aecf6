#include "registry/model/tag_list.h"
#include "registry/remote/pages.h"

#define WHAT "the list of tags"

/* Counts the tags on their way. */
struct tag_count {
	int (*take)(void *context, const char *tag, struct error *err);
	void *context;
	size_t count;
};

static int tag_take(void *context, const char *tag, struct error *err)
{
	struct tag_count *count = context;

	if (count->count++ == STORE_TAGS_MAX)
		return error_set(
			err, ERROR_TOO_LARGE, WHAT ": there are more than %d", STORE_TAGS_MAX);
	return count->take(count->context, tag, err);
}

/* An empty page is not the end: the next one may have tags. */
static int page_read(const struct remote *remote, struct tag_count *count,
	const struct http_response *response, struct error *err)
{
	const struct buf *body = &response->body;

	if (response->status != 200)
		return answer_refused(remote, response, WHAT, err);
	if (tag_list_read(body->data ? body->data : "", body->len, tag_take, count, err))
		return error_prefix(err, "%s", remote->name);
	return 0;
}

int remote_tags(struct store *store, int (*take)(void *context, const char *tag, struct error *err),
	void *context, struct cancel *cancel, struct error *err)
{
	const struct remote *remote = remote_of(store);
	struct tag_count count = {.take = take, .context = context};
	cleanup_with(pages_end) struct pages pages;

	if (pages_begin(&pages, remote, WHAT, NULL, TAG_LIST_SIZE_MAX,
		    remote_url(remote, err, "/tags/list?n=1000"), err))
		return -1;
	while (pages.url) {
		cleanup_with(http_response_clear) struct http_response response =
			HTTP_RESPONSE_INIT;

		if (pages_next(&pages, &response, cancel, err) ||
			page_read(remote, &count, &response, err))
			return -1;
	}
	return 0;
}
