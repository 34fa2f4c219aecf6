#include "fs/commit/lost.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "fs/cache/cache.h"
#include "fs/tree/file.h"
#include "fs/tree/folder.h"
#include "fs/tree/history.h"
#include "fs/tree/tag.h"
#include "media_type.h"
#include "parallel.h"
#include "publish.h"

/* The manifest of a folder. */
struct lost_manifest {
	const struct plan_folder *folder;
	struct document document; /* empty: it's an index, which is taken to be whole */
	bool lost;
	bool here;
};

/* A blob that one of them names. */
struct lost_blob {
	const struct lost_manifest *manifest;
	const struct descriptor *item;
	bool lost;
	bool here;
};

struct lost {
	const struct plan *plan;
	struct lost_manifest *manifests;
	size_t manifest_count;
	struct lost_blob *blobs;
	size_t blob_count;
	struct cancel *cancel;
};

static void lost_clear(struct lost *lost)
{
	for (size_t i = 0; i < lost->manifest_count; i++)
		document_clear(&lost->manifests[i].document);
	free(lost->manifests);
	free(lost->blobs);
}

/* The manifest where it is in memory, or on disk. */
static bool find_here(const struct lost *lost, struct lost_manifest *manifest)
{
	struct tree *tree = lost->plan->tree;
	const struct digest *digest = &manifest->folder->entry.digest;
	const struct document *shown;
	bool found;

	pthread_mutex_lock(&tree->lock);
	shown = manifest->folder->node->folder->manifest;
	found = shown && digest_equal(&shown->digest, digest) &&
		document_copy(&manifest->document, shown, NULL) == 0;
	pthread_mutex_unlock(&tree->lock);
	return found || history_document(tree->history, &manifest->document, digest, NULL) == 0;
}

/* One that the plan has made is sent by it. */
static int ask_manifest(void *context, size_t i, struct error *err)
{
	struct lost *lost = context;
	struct lost_manifest *manifest = &lost->manifests[i];
	const struct plan_folder *folder = manifest->folder;
	struct error why = ERROR_INIT;

	if (folder->rebuilt)
		return document_copy(&manifest->document, &folder->manifest, err);
	if (resolve_entry(lost->plan->tree->store, &manifest->document, &folder->entry,
		    lost->cancel, &why) == 0)
		return 0;
	if (why.kind != ERROR_NOT_FOUND)
		return error_copy(err, &why);
	manifest->lost = true;
	manifest->here = find_here(lost, manifest);
	return 0;
}

static int ask_manifests(struct lost *lost, struct error *err)
{
	const struct plan *plan = lost->plan;

	lost->manifests = calloc(plan->folder_count + 1, sizeof *lost->manifests);
	if (!lost->manifests)
		return error_set_memory(err);
	for (size_t i = 0; i < plan->folder_count; i++)
		if (!plan->folders[i].left_out)
			lost->manifests[lost->manifest_count++].folder = &plan->folders[i];
	return parallel_for(lost->manifest_count, plan->tree->store->jobs, ask_manifest, lost, err);
}

static bool is_asked_for(const struct lost *lost, const struct descriptor *item)
{
	const struct plan *plan = lost->plan;

	if (media_type_is_elsewhere(item->media_type))
		return false;
	for (size_t i = 0; i < plan->blob_count; i++)
		if (digest_equal(&plan->blobs[i].digest, &item->digest))
			return false;
	for (size_t i = 0; i < lost->blob_count; i++)
		if (digest_equal(&lost->blobs[i].item->digest, &item->digest))
			return false;
	return true;
}

static void add_blob(
	struct lost *lost, const struct lost_manifest *manifest, const struct descriptor *item)
{
	if (is_asked_for(lost, item))
		lost->blobs[lost->blob_count++] =
			(struct lost_blob){.manifest = manifest, .item = item};
}

static int add_blobs(struct lost *lost, struct error *err)
{
	size_t most = 1;

	for (size_t i = 0; i < lost->manifest_count; i++)
		most += lost->manifests[i].document.count + 1;
	lost->blobs = calloc(most, sizeof *lost->blobs);
	if (!lost->blobs)
		return error_set_memory(err);
	for (size_t i = 0; i < lost->manifest_count; i++) {
		const struct lost_manifest *manifest = &lost->manifests[i];
		const struct document *document = &manifest->document;

		if (document->kind != DOCUMENT_MANIFEST)
			continue;
		if (document->has_config)
			add_blob(lost, manifest, &document->config);
		for (size_t k = 0; k < document->count; k++)
			add_blob(lost, manifest, &document->items[k]);
	}
	return 0;
}

/* The file's own bytes, where the cache couldn't take them over; the lock is held. */
static struct staged *find_staged(const struct node *node, const struct digest *digest)
{
	struct staged *found = NULL;
	const struct file *file = node->file;

	if (node->kind == NODE_FILE)
		return file->staged && file->has_layer && !file->changed &&
				       digest_equal(&file->layer.digest, digest)
			       ? staged_ref(file->staged)
			       : NULL;
	for (size_t i = 0; i < node->children.count && !found; i++)
		found = find_staged(node->children.items[i], digest);
	return found;
}

static int open_staged(const struct plan *plan, const struct descriptor *item)
{
	struct staged *staged;
	int fd;

	if (!strcmp(item->digest.text, EMPTY_JSON_DIGEST))
		return fcntl(staged_fd(plan->empty), F_DUPFD_CLOEXEC, 0);
	pthread_mutex_lock(&plan->tree->lock);
	staged = find_staged(plan->tag, &item->digest);
	pthread_mutex_unlock(&plan->tree->lock);
	if (!staged)
		return -1;
	fd = fcntl(staged_fd(staged), F_DUPFD_CLOEXEC, 0);
	staged_put_back(staged);
	return fd;
}

/* The blob's bytes, which the caller closes. ERROR_NOT_FOUND, ERROR_CORRUPT. */
static int open_here(const struct lost *lost, const struct descriptor *item, struct error *err)
{
	int fd = open_staged(lost->plan, item);
	struct blob *blob;

	if (fd >= 0)
		return fd;
	blob = cache_blob(lost->plan->tree->cache, &item->digest, item->size, err);
	if (!blob)
		return -1;
	fd = blob_fetch(blob, lost->cancel, err);
	blob_put_back(blob);
	return fd;
}

static int ask_blob(void *context, size_t i, struct error *err)
{
	const struct lost *lost = context;
	struct lost_blob *blob = &lost->blobs[i];
	struct store *store = lost->plan->tree->store;
	struct error why = ERROR_INIT;
	cleanup_close int fd = -1;
	bool there;

	if (store->ops->blob_exists(
		    store, &there, &blob->item->digest, blob->item->size, lost->cancel, err))
		return -1;
	if (there)
		return 0;
	blob->lost = true;
	fd = open_here(lost, blob->item, &why);
	blob->here = fd >= 0;
	return blob->here || why.kind == ERROR_NOT_FOUND || why.kind == ERROR_CORRUPT
		       ? 0
		       : error_copy(err, &why);
}

static int send_blob(void *context, size_t i, struct error *err)
{
	const struct lost *lost = context;
	const struct lost_blob *blob = &lost->blobs[i];
	cleanup_close int fd = -1;
	struct store_source source = {.size = blob->item->size};

	if (!blob->lost)
		return 0;
	fd = open_here(lost, blob->item, err);
	if (fd < 0)
		return -1;
	source.fd = fd;
	return store_blob_put(
		lost->plan->tree->store, &blob->item->digest, &source, lost->cancel, err);
}

static int send_manifest(void *context, size_t i, struct error *err)
{
	const struct lost *lost = context;
	const struct lost_manifest *manifest = &lost->manifests[i];
	struct store *store = lost->plan->tree->store;

	return manifest->lost ? store->ops->document_put(
					store, &manifest->document, NULL, NULL, lost->cancel, err)
			      : 0;
}

/* Sets *err to the first that isn't here. */
static int tell_manifest(const struct lost_manifest *manifest, struct error *err)
{
	return error_set(err, ERROR_NOT_FOUND,
		"%s: the repository has lost its manifest %s, which isn't here either: push it "
		"again, or remove the folder",
		manifest->folder->name, manifest->folder->entry.digest.text);
}

static int tell_blob(const struct lost_blob *blob, struct error *err)
{
	const char *folder = blob->manifest->folder->name;
	const char *title = annotations_get(&blob->item->annotations, ANNOTATION_TITLE);

	return error_set(err, ERROR_NOT_FOUND,
		"%s/%s: the repository has lost its blob %s, which isn't here either: write the "
		"file again, or remove it",
		folder, title ? title : "", blob->item->digest.text);
}

/* What was lost has to be here, all of it. *any: something was. */
static int judge(const struct lost *lost, bool *any, struct error *err)
{
	size_t blobs = 0, manifests = 0;

	for (size_t i = 0; i < lost->manifest_count; i++) {
		manifests += lost->manifests[i].lost;
		if (lost->manifests[i].lost && !lost->manifests[i].here)
			return tell_manifest(&lost->manifests[i], err);
	}
	for (size_t i = 0; i < lost->blob_count; i++) {
		blobs += lost->blobs[i].lost;
		if (lost->blobs[i].lost && !lost->blobs[i].here)
			return tell_blob(&lost->blobs[i], err);
	}
	*any = blobs || manifests;
	if (*any)
		log_write(lost->plan->tree->log, LOG_LEVEL_WARNING,
			"%s: the repository has lost %zu blobs and %zu manifests of it: they are "
			"sent again",
			lost->plan->tag->tag->name, blobs, manifests);
	return 0;
}

int plan_send_lost(struct plan *plan, bool *any, struct cancel *cancel, struct error *err)
{
	cleanup_with(lost_clear) struct lost lost = {.plan = plan, .cancel = cancel};
	int jobs = plan->tree->store->jobs;
	struct digest empty;
	int64_t size;

	return plan_stage_empty(plan, &empty, &size, err) || ask_manifests(&lost, err) ||
			       add_blobs(&lost, err) ||
			       parallel_for(lost.blob_count, jobs, ask_blob, &lost, err) ||
			       judge(&lost, any, err) ||
			       parallel_for(lost.blob_count, jobs, send_blob, &lost, err) ||
			       parallel_for(lost.manifest_count, jobs, send_manifest, &lost, err)
		       ? -1
		       : 0;
}
