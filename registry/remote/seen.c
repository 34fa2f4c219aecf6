#include "registry/remote/seen.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

#define TAGS_MAX 256
#define ETAG_LEN_MAX 512

struct seen_tag {
	struct seen_tag *next;
	char *tag;
	char *etag;
	struct descriptor what;
};

static void tag_free(struct seen_tag *tag)
{
	free(tag->tag);
	free(tag->etag);
	descriptor_clear(&tag->what);
	free(tag);
}

void seen_init(struct seen *seen)
{
	pthread_mutex_init(&seen->lock, NULL);
	seen->first = NULL;
}

void seen_clear(struct seen *seen)
{
	while (seen->first) {
		struct seen_tag *next = seen->first->next;

		tag_free(seen->first);
		seen->first = next;
	}
	pthread_mutex_destroy(&seen->lock);
}

static struct seen_tag *tag_new(
	const char *tag, const struct descriptor *what, const struct http_headers *headers)
{
	const char *etag = http_headers_get(headers, "ETag");
	struct seen_tag *new;

	if (!etag || !*etag || strlen(etag) > ETAG_LEN_MAX)
		return NULL;
	new = calloc(1, sizeof(*new));
	if (!new)
		return NULL;
	new->tag = strdup(tag);
	new->etag = strdup(etag);
	if (new->tag &&new->etag && descriptor_copy(&new->what, what, NULL) == 0)
		return new;
	tag_free(new);
	return NULL;
}

/* Takes the tag out of the list, and what is too old. */
static void forget(struct seen *seen, const char *tag)
{
	struct seen_tag **link = &seen->first;

	for (size_t count = 1; *link; count++) {
		struct seen_tag *at = *link;

		if (count < TAGS_MAX && strcmp(at->tag, tag) != 0) {
			link = &at->next;
			continue;
		}
		*link = at->next;
		tag_free(at);
	}
}

void seen_note(struct seen *seen, const char *tag, const struct descriptor *what,
	const struct http_headers *headers)
{
	struct seen_tag *new = tag_new(tag, what, headers);

	pthread_mutex_lock(&seen->lock);
	forget(seen, tag);
	if (new) {
		new->next = seen->first;
		seen->first = new;
	}
	pthread_mutex_unlock(&seen->lock);
}

/* The lock is held. */
static struct seen_tag *find(const struct seen *seen, const char *tag)
{
	struct seen_tag *at = seen->first;

	while (at && strcmp(at->tag, tag) != 0)
		at = at->next;
	return at;
}

char *seen_etag(struct seen *seen, const char *tag, const struct digest *digest)
{
	const struct seen_tag *found;
	char *etag = NULL;

	pthread_mutex_lock(&seen->lock);
	found = find(seen, tag);
	if (found && digest_equal(&found->what.digest, digest))
		etag = strdup(found->etag);
	pthread_mutex_unlock(&seen->lock);
	return etag;
}

char *seen_last(struct seen *seen, const char *tag, struct descriptor *out)
{
	const struct seen_tag *found;
	char *etag = NULL;

	pthread_mutex_lock(&seen->lock);
	found = find(seen, tag);
	if (found && strstr(found->etag, found->what.digest.text) &&
		descriptor_copy(out, &found->what, NULL) == 0)
		etag = strdup(found->etag);
	pthread_mutex_unlock(&seen->lock);
	return etag;
}
