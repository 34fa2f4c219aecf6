/*
 * referrers_tag.c - the list of a manifest's referrers under a tag that clients keep
 * (distribution-spec 1.1, "Referrers Tag Schema").
 */
#include "registry/model/referrers.h"

#include "media_type.h"
#include "registry/http/wait.h"
#include "registry/remote/remote_store.h"

#define TRIES 8 /* others write there too */
#define LOOK_AGAIN_MS 250
#define TURN_MS 10

/* The list, or an empty one where there is none yet. */
static int list_read(struct remote *remote, struct document *out, const char *tag,
	struct cancel *cancel, struct error *err)
{
	struct error why = ERROR_INIT;

	if (remote_document_get(&remote->store, out, tag, NULL, MEDIA_TYPE_INDEX, cancel, &why)) {
		if (why.kind != ERROR_NOT_FOUND)
			return error_copy(err, &why);
		return document_create(out, DOCUMENT_INDEX, NULL, DOCUMENT_COMPACT, err);
	}
	if (out->kind == DOCUMENT_INDEX)
		return 0;
	document_clear(out);
	return error_set(err, ERROR_PROTOCOL,
		"%s: tag %s should be a list of referrers, and is a manifest", remote->name, tag);
}

int referrers_tag_get(struct remote *remote, struct document *out, const struct digest *subject,
	struct cancel *cancel, struct error *err)
{
	char tag[TAG_MAX + 1];

	referrers_tag(tag, subject);
	return list_read(remote, out, tag, cancel, err);
}

/* Reads, adds, writes. *found: the entry was there already. */
static int list_change(struct remote *remote, const char *tag, const struct descriptor *entry,
	bool *found, struct cancel *cancel, struct error *err)
{
	cleanup_free char *etag = NULL;
	cleanup_with(document_clear) struct document list = DOCUMENT_INIT;
	cleanup_with(http_response_clear) struct http_response response = HTTP_RESPONSE_INIT;
	struct http_header condition = {"If-Match", NULL};
	struct error why = ERROR_INIT;
	size_t before;

	if (list_read(remote, &list, tag, cancel, err))
		return -1;
	condition.value = etag = seen_etag(&remote->seen, tag, &list.digest);
	before = list.count;
	if (referrers_add(&list, entry, err))
		return -1;
	*found = list.count == before;
	if (*found || remote_document_write(remote, &list, tag, etag ? &condition : NULL, &response,
			      cancel, &why) == 0)
		return 0;
	/* somebody else was faster */
	return why.kind == ERROR_CONFLICT ? 0 : error_copy(err, &why);
}

/* What has been written is read again, because few registries honour If-Match: where another
 * writer's list has replaced ours, ours is added to it. At once, and after a moment: who had read
 * the list before we wrote it may write it after we have read it. */
static int list_enter(struct remote *remote, const char *tag, const struct descriptor *entry,
	struct cancel *cancel, struct error *err)
{
	bool written = false, looked = false;

	for (int i = 0; i < TRIES; i++) {
		bool found;

		if (list_change(remote, tag, entry, &found, cancel, err))
			return -1;
		if (found && (looked || !written))
			return 0;
		looked = found;
		written = true;
		if (looked && cancel_sleep(cancel, LOOK_AGAIN_MS, err))
			return -1;
	}
	return error_set(err, ERROR_PROTOCOL,
		"%s: tag %s: others change the list of referrers all the time", remote->name, tag);
}

int referrers_tag_enter(struct remote *remote, const struct document *document,
	struct cancel *cancel, struct error *err)
{
	char tag[TAG_MAX + 1];
	cleanup_with(descriptor_clear) struct descriptor entry = DESCRIPTOR_INIT;
	int failed;

	referrers_tag(tag, &document->subject.digest);
	if (referrers_entry(&entry, document, err))
		return -1;
	/* A wait that can be interrupted, which one for a lock can't. */
	while (pthread_mutex_trylock(&remote->referrers_turn)) {
		if (cancel_sleep(cancel, TURN_MS, err))
			return -1;
	}
	failed = list_enter(remote, tag, &entry, cancel, err);
	pthread_mutex_unlock(&remote->referrers_turn);
	return failed;
}
