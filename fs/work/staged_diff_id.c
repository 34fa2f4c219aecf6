/*
 * staged_diff_id.c - what a staged file holds once it's uncompressed, remembered with it.
 */
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diff_id.h"
#include "fs/work/staged.h"

/* The content of a sealed file; unset where it isn't sealed any more. */
static struct digest content_of(struct staged *staged)
{
	struct digest content = DIGEST_NONE;

	pthread_mutex_lock(&staged->lock);
	if (staged->sealed)
		content = staged->digest;
	pthread_mutex_unlock(&staged->lock);
	return content;
}

static bool recall(struct staged *staged, struct digest *out, const struct digest *content,
	const char *media_type)
{
	const struct staged_diff_id *known = &staged->known;
	bool found;

	pthread_mutex_lock(&staged->lock);
	found = known->media_type && digest_equal(&known->content, content) &&
		!strcmp(known->media_type, media_type);
	if (found)
		*out = known->diff_id;
	pthread_mutex_unlock(&staged->lock);
	return found;
}

static void remember(struct staged *staged, const struct digest *content, const char *media_type,
	const struct digest *diff_id)
{
	char *copy = strdup(media_type);

	if (!copy)
		return;
	pthread_mutex_lock(&staged->lock);
	free(staged->known.media_type);
	staged->known = (struct staged_diff_id){*content, copy, *diff_id};
	pthread_mutex_unlock(&staged->lock);
}

int staged_diff_id(struct staged *staged, struct digest *out, const char *name,
	const char *media_type, struct cancel *cancel, struct error *err)
{
	struct digest content = content_of(staged);

	if (digest_is_set(&content) && recall(staged, out, &content, media_type))
		return 0;
	if (diff_id_of_fd(out, staged->fd, name, media_type, cancel, err))
		return -1;
	if (digest_is_set(&content))
		remember(staged, &content, media_type, out);
	return 0;
}
