#include "fs/tree/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "fs/tree/control.h"
#include "fs/tree/durable.h"
#include "fs/tree/folder.h"
#include "fs/tree/history.h"
#include "fs/tree/text.h"
#include "fs/tree/upload.h"
#include "media_type.h"

static void handle_free(struct handle *handle)
{
	if (handle->own)
		staged_put_back(handle->own);
	buf_free(&handle->text);
	free(handle);
}

void file_free(struct file *file)
{
	if (!file)
		return;
	/* the session may have ended before the kernel has told that they are closed */
	while (file->handles) {
		struct handle *handle = file->handles;

		file->handles = handle->next;
		handle_free(handle);
	}
	upload_free(file->upload);
	if (file->blob)
		blob_put_back(file->blob);
	if (file->staged)
		staged_put_back(file->staged);
	descriptor_clear(&file->layer);
	annotations_clear(&file->aside);
	pthread_mutex_destroy(&file->contents);
	free(file->media_type);
	free(file->draft);
	free(file);
}

struct node *file_new(
	struct tree *tree, mode_t mode, const struct descriptor *layer, struct error *err)
{
	struct node *node = tree_node(tree, NODE_FILE, mode);
	struct file *file = calloc(1, sizeof *file);

	if (!node || !file) {
		free(file);
		error_set_memory(err);
		goto fail;
	}
	pthread_mutex_init(&file->contents, NULL);
	node->file = file;
	node->order = tree->next_order++;
	file->has_layer = layer != NULL;
	if (layer && descriptor_copy(&file->layer, layer, err))
		goto fail;
	return node;
fail:
	if (node)
		node_unpin(&tree->inodes, node);
	return NULL;
}

/* The layer's blob; the lock is held. It is kept as long as the file is open somewhere, for its
 * read-ahead, and no longer: a held blob keeps a descriptor. */
static struct blob *file_blob(struct tree *tree, struct file *file, struct error *err)
{
	struct blob *blob;

	if (file->blob)
		return blob_ref(file->blob);
	blob = cache_blob(tree->cache, &file->layer.digest, file->layer.size, err);
	if (blob && file->handles)
		file->blob = blob_ref(blob);
	return blob;
}

int file_source(struct tree *tree, struct handle *handle, struct source *out, struct error *err)
{
	struct file *file = handle->node->file;

	*out = (struct source){0};
	if (!file) {
		out->text = &handle->text;
		return 0;
	}
	if (handle->own || file->staged) {
		out->staged = staged_ref(handle->own ? handle->own : file->staged);
		return 0;
	}
	if (handle->has_text || !file->has_layer) {
		out->text = &handle->text;
		return 0;
	}
	out->blob = file_blob(tree, file, err);
	return out->blob ? 0 : -1;
}

void source_clear(struct source *source)
{
	if (source->staged)
		staged_put_back(source->staged);
	if (source->blob)
		blob_put_back(source->blob);
	*source = (struct source){0};
}

int64_t file_size(struct tree *tree, struct node *node)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(BUF_UNBOUNDED);
	struct file *file = node->file;

	(void)tree;
	if (file->staged)
		return staged_size(file->staged);
	if (file->has_layer)
		return file->layer.size;
	if (node_is_text(node) && !text_make(node, &text, NULL))
		return (int64_t)text.len;
	return 0;
}

/* A staged file with what the file holds now, but for what comes after keep bytes. */
static int copy_content(
	struct tree *tree, struct node *node, int64_t keep, struct staged **out, struct error *err)
{
	struct handle reader = {.node = node, .text = BUF_INIT(ANNOTATION_FILE_MAX)};
	cleanup_with(source_clear) struct source source = {0};
	cleanup_with(buf_free) struct buf text = BUF_INIT(ANNOTATION_FILE_MAX);
	cleanup_close int fd = -1;
	int result;

	pthread_mutex_lock(&tree->lock);
	result = file_source(tree, &reader, &source, err);
	if (!result && source.text && node_is_text(node))
		result = text_make(node, &text, err);
	pthread_mutex_unlock(&tree->lock);
	if (result)
		return -1;
	if (source.staged)
		return staged_from_fd(
			out, tree->staging, staged_fd(source.staged), keep, NULL, err);
	if (source.blob) {
		fd = blob_fetch(source.blob, NULL, err);
		return fd < 0 ? -1 : staged_from_fd(out, tree->staging, fd, keep, NULL, err);
	}
	if (staged_new(out, tree->staging, err))
		return -1;
	if (text.len && staged_write_begin(*out)) {
		size_t len = (int64_t)text.len < keep ? text.len : (size_t)keep;
		ssize_t written = pwrite(staged_fd(*out), text.data, len, 0);

		staged_write_end(*out, 0, written > 0 ? (uint64_t)written : 0);
		if (written != (ssize_t)len) {
			error_set_errno(err, written < 0 ? errno : ENOSPC, "staging");
			staged_put_back(*out);
			return -1;
		}
	}
	return 0;
}

/* Notes that the content is another now; the lock is held. */
static void content_changed(struct tree *tree, struct node *node, struct handle *handle)
{
	struct file *file = node->file;

	upload_withdraw(tree, node);
	file->changed = true;
	file->changes++;
	clock_gettime(CLOCK_REALTIME, &node->mtime);
	node->ctime = node->mtime;
	if (!node_is_scratch(tree, node))
		node_changed(node);
	if (!handle)
		return;
	handle->unflushed = true;
	/* who writes reads what he writes */
	if (handle->own)
		staged_put_back(steal_ptr(handle->own));
}

/* The copy takes the place of what there was; what isn't kept goes with that, and is written down.
 * The lock is held. */
static int replace_staged(
	struct tree *tree, struct node *node, int64_t keep, struct staged *fresh, struct error *err)
{
	struct file *file = node->file;
	struct staged *old = file->staged;
	bool shorter = keep != INT64_MAX;

	file->staged = fresh;
	if ((file->changed || shorter) && history_made(tree, node, err)) {
		file->staged = old;
		staged_put_back(fresh);
		return -1;
	}
	if (shorter)
		content_changed(tree, node, NULL);
	if (old)
		staged_put_back(old);
	return 0;
}

/* Makes sure that the content is a staged file that is open, with the first keep bytes of what it
 * was. Contents is held, the tree's lock isn't. */
static int stage_content(struct tree *tree, struct node *node, int64_t keep, struct error *err)
{
	struct file *file = node->file;
	struct staged *fresh;
	int result = 0;
	bool ready;

	pthread_mutex_lock(&tree->lock);
	upload_let_go(tree, node);
	ready = file->staged && staged_unseal(file->staged);
	pthread_mutex_unlock(&tree->lock);
	if (ready)
		return durable_leave(tree, node, err);
	if (keep == 0 ? staged_new(&fresh, tree->staging, err)
		      : copy_content(tree, node, keep, &fresh, err))
		return -1;
	pthread_mutex_lock(&tree->lock);
	/* a seal that was given up meanwhile has let it be written again: the copy is stale */
	if (file->staged && staged_write_begin(file->staged)) {
		staged_write_end(file->staged, 0, 0);
		staged_put_back(fresh);
	} else {
		result = replace_staged(tree, node, keep, fresh, err);
	}
	pthread_mutex_unlock(&tree->lock);
	return result;
}

int file_stage(struct tree *tree, struct node *node, struct error *err)
{
	bool staged;
	int result = 0;

	pthread_mutex_lock(&node->file->contents);
	pthread_mutex_lock(&tree->lock);
	staged = node->file->staged != NULL;
	pthread_mutex_unlock(&tree->lock);
	if (!staged)
		result = stage_content(tree, node, INT64_MAX, err);
	pthread_mutex_unlock(&node->file->contents);
	return result;
}

/* What is on disk, and told of as that, isn't written before the journal says otherwise. */
static bool may_be_written(const struct file *file)
{
	return file->staged && (!file->changed || staged_disk(file->staged) != STAGED_ON_DISK);
}

/* Whether the file was opened before its folder became what can't be changed. */
static bool is_published(struct node *node)
{
	const struct node *folder = node_folder(node);

	return folder && folder->folder->read_only;
}

/* A reference to the staged file, with a write begun, if it can be written now. */
static int begin_if_open(struct tree *tree, struct node *node, struct handle *handle,
	struct staged **out, struct error *err)
{
	struct file *file = node->file;
	int result = 0;

	*out = NULL;
	pthread_mutex_lock(&tree->lock);
	if (is_published(node))
		result = error_set(err, ERROR_NOT_PERMITTED,
			"it has been attached as it was, and can't be changed any more");
	else if (may_be_written(file) && staged_write_begin(file->staged)) {
		/* the first change since a commit, or since a draft was taken over */
		if (!file->changed)
			result = history_made(tree, node, err);
		if (result) {
			staged_write_end(file->staged, 0, 0);
		} else {
			*out = staged_ref(file->staged);
			content_changed(tree, node, handle);
		}
	}
	pthread_mutex_unlock(&tree->lock);
	return result;
}

static int write_begin(struct tree *tree, struct node *node, struct handle *handle, int64_t keep,
	struct staged **out, struct error *err)
{
	int result = begin_if_open(tree, node, handle, out, err);

	while (!result && !*out) {
		pthread_mutex_lock(&node->file->contents);
		result = stage_content(tree, node, keep, err);
		pthread_mutex_unlock(&node->file->contents);
		if (!result)
			result = begin_if_open(tree, node, handle, out, err);
	}
	return result;
}

int file_write_begin(
	struct tree *tree, struct handle *handle, struct staged **out, struct error *err)
{
	return write_begin(tree, handle->node, handle, INT64_MAX, out, err);
}

void file_write_end(struct tree *tree, struct handle *handle, struct staged *staged,
	uint64_t offset, uint64_t len)
{
	staged_write_end(staged, offset, len);
	staged_put_back(staged);
	if (handle->written)
		return;
	pthread_mutex_lock(&tree->lock);
	handle->written = true;
	pthread_mutex_unlock(&tree->lock);
}

int file_truncate(struct tree *tree, struct node *node, struct handle *handle, int64_t size,
	struct error *err)
{
	struct staged *staged;
	struct error reason;
	int result;

	do {
		error_clear(&reason);
		if (write_begin(tree, node, handle, size, &staged, err))
			return -1;
		staged_write_end(staged, 0, 0);
		result = staged_truncate(staged, size, &reason);
		staged_put_back(staged);
		/* a commit may have sealed it in this very moment */
	} while (result && reason.kind == ERROR_SYSTEM && reason.status == ETXTBSY);
	if (!handle) {
		pthread_mutex_lock(&tree->lock);
		upload_consider(tree, node);
		pthread_mutex_unlock(&tree->lock);
	}
	return result ? error_copy(err, &reason) : 0;
}

int file_open(struct tree *tree, struct node *node, bool writable, bool truncate,
	struct handle **out, struct error *err)
{
	struct handle *handle = calloc(1, sizeof *handle);
	struct file *file = node->file;
	int result = 0;

	if (!handle)
		return error_set_memory(err);
	handle->node = node;
	handle->writable = writable;
	handle->made = truncate;
	handle->text.limit = ANNOTATION_FILE_MAX * 2;
	pthread_mutex_lock(&tree->lock);
	if (!file->staged && !file->has_layer && !truncate) {
		handle->has_text = true;
		if (node_is_text(node))
			result = text_make(node, &handle->text, err);
	}
	if (!result) {
		node_pin(node);
		handle->next = file->handles;
		file->handles = handle;
	}
	pthread_mutex_unlock(&tree->lock);
	if (result) {
		free(handle);
		return -1;
	}
	if (truncate && file_truncate(tree, node, handle, 0, err)) {
		file_close(tree, handle);
		return -1;
	}
	*out = handle;
	return 0;
}

int file_open_control(struct tree *tree, struct node *node, struct handle **out, struct error *err)
{
	struct handle *handle = calloc(1, sizeof *handle);
	int result;

	if (!handle)
		return error_set_memory(err);
	handle->node = node;
	handle->has_text = true;
	handle->text.limit = CONTROL_TEXT_MAX;
	pthread_mutex_lock(&tree->lock);
	result = control_text(tree, node, &handle->text, err);
	if (!result)
		node_pin(node);
	pthread_mutex_unlock(&tree->lock);
	if (result) {
		handle_free(handle);
		return -1;
	}
	*out = handle;
	return 0;
}

void file_close(struct tree *tree, struct handle *handle)
{
	struct handle **link;

	pthread_mutex_lock(&tree->lock);
	for (link = handle->node->file ? &handle->node->file->handles : NULL; link && *link;
		link = &(*link)->next)
		if (*link == handle) {
			*link = handle->next;
			break;
		}
	if (handle->node->file && !handle->node->file->handles && handle->node->file->blob)
		blob_put_back(steal_ptr(handle->node->file->blob));
	if (handle->writable) {
		pthread_cond_broadcast(&tree->closed);
		durable_soon(tree);
		upload_consider(tree, handle->node);
	}
	node_unpin(&tree->inodes, handle->node);
	pthread_mutex_unlock(&tree->lock);
	handle_free(handle);
}

bool file_has_writer(const struct file *file)
{
	const struct handle *handle;

	for (handle = file->handles; handle; handle = handle->next)
		if (handle->writable)
			return true;
	return false;
}

static bool is_writing(const struct handle *handle)
{
	return handle->writable && (handle->written || handle->made);
}

bool file_is_in_progress(const struct file *file)
{
	const struct handle *handle;

	for (handle = file->handles; handle; handle = handle->next)
		if (is_writing(handle))
			return true;
	return false;
}

bool file_is_being_closed(const struct file *file)
{
	const struct handle *handle;
	bool found = false;

	for (handle = file->handles; handle; handle = handle->next) {
		if (is_writing(handle) && (handle->unflushed || !handle->flushed))
			return false;
		found |= is_writing(handle);
	}
	return found;
}

void file_forget_closed(struct node *node)
{
	size_t i;

	for (i = 0; i < node->children.count; i++)
		file_forget_closed(node->children.items[i]);
	if (node->children.control)
		file_forget_closed(node->children.control);
	if (node->kind != NODE_FILE || !file_is_being_closed(node->file))
		return;
	while (node->file->handles) {
		struct handle *handle = node->file->handles;

		node->file->handles = handle->next;
		node->pins--;
		handle_free(handle);
	}
}

/* Seals what from has staged, so that two files can share it. */
static struct staged *sealed_content(struct tree *tree, struct node *node)
{
	struct staged *staged;
	struct digest digest;
	int64_t size;

	pthread_mutex_lock(&tree->lock);
	staged = node->file->staged ? staged_ref(node->file->staged) : NULL;
	pthread_mutex_unlock(&tree->lock);
	if (staged && staged_seal(staged, &digest, &size, NULL, NULL)) {
		staged_put_back(staged);
		return NULL;
	}
	return staged;
}

/* Makes a file show a staged file, or else the layer of another, once that is written down: true;
 * else it is left as it was. The lock is held. */
static bool become(
	struct tree *tree, struct node *node, struct staged *staged, const struct file *from)
{
	struct file *file = node->file, was = *file;
	struct descriptor copy = DESCRIPTOR_INIT;

	if (!staged) {
		if (!from->has_layer || from->staged || descriptor_copy(&copy, &from->layer, NULL))
			return false;
		file->layer = copy;
		file->has_layer = true;
	}
	file->staged = staged;
	file->changed = staged != NULL;
	if (!history_made(tree, node, NULL)) {
		if (!staged)
			descriptor_clear(&was.layer);
		return true;
	}
	if (!staged)
		descriptor_clear(&file->layer);
	file->layer = was.layer;
	file->has_layer = was.has_layer;
	file->staged = was.staged;
	file->changed = was.changed;
	return false;
}

/* The layer of the base that has the file's name; NULL where there is none. */
static const struct descriptor *base_layer(struct node *node)
{
	struct node *folder = node_folder(node);
	cleanup_free char *path = folder ? node_path(node, folder) : NULL;
	long index = path ? folder_layer_index(folder->folder, path) : -1;

	return index < 0 ? NULL : &folder->folder->manifest->items[index];
}

/* A copy is of the type that its own name says, whatever the other file's is. The lock is held. */
static void take_type_of_name(struct tree *tree, struct node *node)
{
	const struct file *file = node->file;
	const struct descriptor *base = base_layer(node);
	const char *type =
		base ? base->media_type : media_type_for_name(node->name, tree->options.layer_type);
	struct error err = ERROR_INIT;

	if (!file->media_type && file->layer.media_type &&
		strcmp(type, file->layer.media_type) != 0 &&
		file_set_media_type(tree, node, type, &err))
		tree_report(tree, node, "its media type", &err);
}

bool file_clone(struct tree *tree, struct handle *from, struct handle *to, int64_t *size)
{
	struct staged *staged = sealed_content(tree, from->node), *old;
	struct file *file = to->node->file;
	bool cloned;

	pthread_mutex_lock(&file->contents);
	pthread_mutex_lock(&tree->lock);
	old = file->staged;
	/* what a text says is read from a staged file */
	cloned = !node_is_text(to->node) && become(tree, to->node, staged, from->node->file);
	if (cloned) {
		content_changed(tree, to->node, to);
		file->changed = staged != NULL;
		if (!staged)
			take_type_of_name(tree, to->node);
		to->written = true;
		*size = file_size(tree, to->node);
	} else {
		old = staged;
	}
	pthread_mutex_unlock(&tree->lock);
	pthread_mutex_unlock(&file->contents);
	if (old)
		staged_put_back(old);
	return cloned;
}

bool file_is_in_base(struct node *node)
{
	const struct descriptor *base = base_layer(node);

	return base && node->file->has_layer && !node->file->changed &&
	       !strcmp(base->json, node->file->layer.json);
}

const char *file_media_type(const struct tree *tree, struct node *node)
{
	const struct file *file = node->file;
	const struct descriptor *base = base_layer(node);

	if (file->media_type)
		return file->media_type;
	if (file->has_layer && (!file->changed || !base))
		return file->layer.media_type;
	if (base)
		return base->media_type;
	return media_type_for_name(node->name, tree->options.layer_type);
}

int file_set_media_type(
	struct tree *tree, struct node *node, const char *media_type, struct error *err)
{
	struct file *file = node->file;
	char *copy = media_type ? strdup(media_type) : NULL, *old = file->media_type;

	if (media_type && !copy)
		return error_set_memory(err);
	file->media_type = copy;
	if (history_media_type(tree, node, err)) {
		file->media_type = old;
		free(copy);
		return -1;
	}
	free(old);
	if (!node_is_scratch(tree, node))
		node_changed(node);
	return 0;
}
