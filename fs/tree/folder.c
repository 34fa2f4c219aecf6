#include "fs/tree/folder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cleanup.h"
#include "fs/tree/attach.h"
#include "fs/tree/file.h"
#include "fs/tree/history.h"
#include "fs/tree/layers.h"
#include "fs/tree/notes.h"
#include "fs/tree/referrers.h"
#include "fs/tree/stale.h"
#include "fs/tree/tag.h"
#include "layer_path.h"
#include "publish.h"

#define NESTED_MAX 16

void folder_free(struct folder *folder)
{
	if (!folder)
		return;
	folder_drop_manifest(folder);
	descriptor_clear(&folder->entry);
	descriptor_clear(&folder->given_entry);
	platform_clear(&folder->platform);
	annotation_file_clear(&folder->notes);
	annotation_file_clear(&folder->left);
	free(folder);
}

static struct node *folder_make(
	struct tree *tree, const struct platform *platform, struct error *err)
{
	struct node *node = tree_node(tree, NODE_FOLDER, S_IFDIR | 0755);
	struct folder *folder = calloc(1, sizeof *folder);

	if (!node || !folder) {
		free(folder);
		error_set_memory(err);
		goto fail;
	}
	node->folder = folder;
	folder->has_platform = platform != NULL;
	if (platform && platform_copy(&folder->platform, platform, err))
		goto fail;
	return node;
fail:
	if (node)
		node_unpin(&tree->inodes, node);
	return NULL;
}

struct node *folder_new(struct tree *tree, const struct platform *platform, struct error *err)
{
	struct node *node = folder_make(tree, platform, err);

	if (node) {
		node->folder->state = FOLDER_LOADED;
		node->order = tree->next_order++;
	}
	return node;
}

struct node *folder_from_entry(
	struct tree *tree, const struct descriptor *entry, bool read_only, struct error *err)
{
	struct node *node = folder_make(tree, entry->has_platform ? &entry->platform : NULL, err);

	if (!node)
		return NULL;
	node->mtime = node->ctime = (struct timespec){0};
	node->folder->has_entry = true;
	node->folder->read_only = read_only;
	if (media_type_is_index(entry->media_type)) {
		node->kind = NODE_NESTED;
		node->folder->read_only = true;
	} else if (!media_type_is_manifest(entry->media_type)) {
		node->folder->read_only = true;
		node->folder->state = FOLDER_LOADED;
	}
	if (descriptor_copy(&node->folder->entry, entry, err)) {
		node_unpin(&tree->inodes, node);
		return NULL;
	}
	return node;
}

bool folder_is_loaded(const struct node *node)
{
	if (node->kind == NODE_REFERRERS)
		return referrers_are_listed(node);
	return !node->folder || node->folder->state == FOLDER_LOADED;
}

bool folder_is_changed(const struct folder *folder)
{
	return folder->changes != folder->committed;
}

void node_changed(struct node *node)
{
	struct node *folder = node_folder(node), *tag;

	if (folder) {
		folder->folder->changes++;
		return;
	}
	tag = node_tag(node);
	if (tag)
		tag->tag->changes++;
}

long folder_layer_index(const struct folder *folder, const char *path)
{
	size_t i;

	if (!folder->manifest || !folder->paths)
		return -1;
	for (i = 0; i < folder->manifest->count; i++)
		if (!strcmp(folder->paths[i], path))
			return (long)i;
	return -1;
}

int folder_set_manifest(struct folder *folder, struct document *manifest, struct error *err)
{
	struct document *taken;
	char **paths;

	if (layer_paths(&paths, manifest, err))
		return -1;
	taken = malloc(sizeof *taken);
	if (!taken) {
		layer_paths_free(paths, manifest->count);
		return error_set_memory(err);
	}
	*taken = *manifest;
	*manifest = (struct document)DOCUMENT_INIT;
	folder_drop_manifest(folder);
	folder->manifest = taken;
	folder->paths = paths;
	return 0;
}

void folder_drop_manifest(struct folder *folder)
{
	if (folder->manifest) {
		layer_paths_free(folder->paths, folder->manifest->count);
		document_clear(folder->manifest);
		free(folder->manifest);
	}
	folder->manifest = NULL;
	folder->paths = NULL;
	folder->kept = false;
}

void folder_give_end(struct folder *folder)
{
	folder->given = folder->whole = folder->has_given_entry = false;
	descriptor_clear(&folder->given_entry);
	folder->given_entry = (struct descriptor)DESCRIPTOR_INIT;
}

mode_t folder_layer_mode(const struct descriptor *layer)
{
	const char *text = annotations_get(&layer->annotations, ANNOTATION_MODE);
	unsigned long mode = text ? strtoul(text, NULL, 8) : 0;

	return S_IFREG | (mode & 0111 ? (mode_t)(mode & 0755) | 0444 : 0644);
}

static void take_time(struct node *node, const struct document *manifest)
{
	const char *created = annotations_get(&manifest->annotations, ANNOTATION_CREATED);
	struct tm utc = {0};

	if (created && strptime(created, "%Y-%m-%dT%H:%M:%S", &utc))
		node->mtime.tv_sec = node->ctime.tv_sec = timegm(&utc);
}

int folder_fill(struct tree *tree, struct node *node, struct document *manifest, struct error *err)
{
	if (node->kind == NODE_NESTED) {
		if (tag_fill(tree, node, manifest, err))
			return -1;
	} else {
		take_time(node, manifest);
		if (layers_show(tree, node, manifest, err) || notes_load(node, err) ||
			notes_show(tree, node, err))
			return -1;
	}
	node->folder->state = FOLDER_LOADED;
	return 0;
}

/* As before it was loaded. */
static void folder_empty(struct tree *tree, struct node *node)
{
	struct folder *folder = node->folder;

	while (node->children.count) {
		struct node *child = node->children.items[node->children.count - 1];

		stale_name(tree, node, child->name);
		node_unlink(&tree->inodes, child);
	}
	folder_drop_manifest(folder);
	annotation_file_clear(&folder->notes);
	folder->state = FOLDER_UNLOADED;
}

/* Makes the entry of a folder that was made from it, and goes, another folder's. */
static void take_entry(struct tree *tree, struct node *node, struct node *from)
{
	struct folder *to = node->folder, *folder = from->folder;
	struct descriptor entry = to->entry;
	struct platform platform = to->platform;

	node->kind = from->kind;
	to->read_only = folder->read_only;
	to->has_entry = true;
	to->entry = folder->entry;
	to->has_platform = folder->has_platform;
	to->platform = folder->platform;
	to->broken = false;
	folder->entry = entry;
	folder->platform = platform;
	node_unpin(&tree->inodes, from);
}

void folder_renew(struct tree *tree, struct node *node, struct node *from)
{
	enum folder_state state = from->folder->state;

	take_entry(tree, node, from);
	folder_empty(tree, node);
	node->folder->state = state;
}

int folder_change(struct tree *tree, struct node *node, struct node *from,
	struct document *manifest, struct error *err)
{
	struct folder *folder = node->folder;
	int result;

	take_entry(tree, node, from);
	/* whoever looks at times has to see that something is another now */
	clock_gettime(CLOCK_REALTIME, &node->mtime);
	node->ctime = node->mtime;
	take_time(node, manifest);
	annotation_file_clear(&folder->left);
	result = layers_change(tree, node, manifest, err) || notes_load(node, err) ? -1 : 0;
	if (!result)
		notes_settle(tree, node);
	folder->state = result ? FOLDER_UNLOADED : FOLDER_LOADED;
	stale_attributes(tree, node);
	return result;
}

void folder_lose(struct tree *tree, struct node *node)
{
	struct folder *folder = node->folder;

	layers_hide(tree, node);
	folder_give_end(folder);
	annotation_file_clear(&folder->notes);
	annotation_file_clear(&folder->left);
	descriptor_clear(&folder->entry);
	folder->has_entry = false;
	if (node->kind == NODE_FOLDER && folder->state == FOLDER_LOADED)
		notes_settle(tree, node);
	if (node->kind == NODE_FOLDER && (node->children.count || attach_waits(node))) {
		/* like a new one: there is nothing to be read */
		folder->state = FOLDER_LOADED;
		folder->read_only = folder->broken = false;
		node->order = tree->next_order++;
		return;
	}
	stale_name(tree, node->parent, node->name);
	node_unlink(&tree->inodes, node);
}

struct load {
	struct tree *tree;
	struct node *node;
};

/* Tells everybody who waits. The waiters may be freed by being told. */
static void folder_tell(struct folder_waiter *waiter, const struct error *err)
{
	while (waiter) {
		struct folder_waiter *next = waiter->next;

		waiter->ready(waiter, err);
		waiter = next;
	}
}

/* What a folder shows: its manifest, or what refers to subject. */
static int folder_get(struct tree *tree, struct node *node, struct document *document,
	struct digest *subject, struct error *err)
{
	if (node->kind == NODE_REFERRERS)
		return referrers_fetch(tree, node, document, subject, err);
	/* what was kept when the folder was changed needs no network */
	if (history_document(tree->history, document, &node->folder->entry.digest, NULL) == 0)
		return 0;
	return resolve_entry(tree->store, document, &node->folder->entry, NULL, err);
}

/* It can't be shown. */
static void folder_fail(struct tree *tree, struct node *node, const struct error *err)
{
	if (node->kind == NODE_REFERRERS) {
		node->folder->state = FOLDER_UNLOADED;
	} else {
		node->folder->broken = err->kind == ERROR_NOT_FOUND || err->kind == ERROR_CORRUPT;
		folder_empty(tree, node);
	}
	tree_report(tree, node, "can't be read", err);
}

static void folder_fetch(void *context)
{
	struct load *load = context;
	struct tree *tree = load->tree;
	struct node *node = load->node;
	struct error err = ERROR_INIT;
	cleanup_with(document_clear) struct document document = DOCUMENT_INIT;
	struct digest subject;
	struct folder_waiter *waiters;
	int result = folder_get(tree, node, &document, &subject, &err);

	pthread_mutex_lock(&tree->lock);
	if (!result)
		result = node->kind == NODE_REFERRERS
				 ? referrers_show(tree, node, &document, &subject, &err)
				 : folder_fill(tree, node, &document, &err);
	if (result)
		folder_fail(tree, node, &err);
	else
		node->folder->broken = false;
	waiters = steal_ptr(node->folder->waiters);
	pthread_mutex_unlock(&tree->lock);
	folder_tell(waiters, result ? &err : NULL);
	pthread_mutex_lock(&tree->lock);
	node_unpin(&tree->inodes, node);
	pthread_mutex_unlock(&tree->lock);
	free(load);
}

/* Whoever walks a tag shall come to an end. */
static int check_depth(struct tree *tree, const struct node *node, struct error *err)
{
	const struct node *at;
	int depth = 0;

	for (at = node; at; at = at->parent)
		depth += at->kind == NODE_NESTED;
	if (depth <= NESTED_MAX)
		return 0;
	error_set_errno(err, ELOOP, "an index nested deeper than %d", NESTED_MAX);
	tree_report(tree, node, "can't be read", err);
	return -1;
}

/* Begins to load; the lock is held. */
static int folder_begin(struct tree *tree, struct node *node, struct error *err)
{
	struct load *load;

	if (check_depth(tree, node, err))
		return -1;
	load = malloc(sizeof *load);
	if (!load)
		return error_set_memory(err);
	*load = (struct load){.tree = tree, .node = node};
	node_pin(node);
	if (pool_submit(tree->pool, folder_fetch, load, err)) {
		node_unpin(&tree->inodes, node);
		free(load);
		return -1;
	}
	node->folder->state = FOLDER_LOADING;
	return 0;
}

void folder_when_loaded(struct tree *tree, struct node *node, struct folder_waiter *waiter)
{
	struct error err = ERROR_INIT;
	int result = 0;
	bool wait;

	pthread_mutex_lock(&tree->lock);
	wait = !folder_is_loaded(node);
	if (wait && node->folder->state != FOLDER_LOADING)
		result = folder_begin(tree, node, &err);
	if (wait && !result) {
		waiter->next = node->folder->waiters;
		node->folder->waiters = waiter;
	}
	pthread_mutex_unlock(&tree->lock);
	if (!wait || result)
		waiter->ready(waiter, result ? &err : NULL);
}

/* A waiter that a thread stands behind. */
struct load_wait {
	struct folder_waiter waiter;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool done, failed;
	struct error *err;
};

static void load_wait_ready(struct folder_waiter *waiter, const struct error *err)
{
	struct load_wait *wait = (struct load_wait *)waiter;

	pthread_mutex_lock(&wait->lock);
	wait->done = true;
	wait->failed = err != NULL;
	if (err)
		error_copy(wait->err, err);
	pthread_cond_signal(&wait->changed);
	pthread_mutex_unlock(&wait->lock);
}

int folder_load(struct tree *tree, struct node *node, struct error *err)
{
	struct load_wait wait = {.waiter.ready = load_wait_ready, .err = err};

	pthread_mutex_init(&wait.lock, NULL);
	pthread_cond_init(&wait.changed, NULL);
	folder_when_loaded(tree, node, &wait.waiter);
	pthread_mutex_lock(&wait.lock);
	while (!wait.done)
		pthread_cond_wait(&wait.changed, &wait.lock);
	pthread_mutex_unlock(&wait.lock);
	pthread_cond_destroy(&wait.changed);
	pthread_mutex_destroy(&wait.lock);
	return wait.failed ? -1 : 0;
}
