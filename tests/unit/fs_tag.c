#include "fs_tag.h"

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "fs/commit/commit.h"
#include "fs/commit/watch.h"
#include "fs/tree/edit.h"
#include "fs/tree/file.h"
#include "fs/tree/folder.h"
#include "fs/tree/history.h"
#include "fs/tree/text.h"
#include "fs/tree/tag.h"
#include "layer_path.h"
#include "media_type.h"

#define TAG "v1"

static struct tag_store *store_of(struct store *store)
{
	return (struct tag_store *)store;
}

static void call_begin(struct tag_store *store, char letter)
{
	if (store->before)
		store->before(store, letter, store->context);
	pthread_mutex_lock(&store->lock);
	ck_assert_uint_lt(store->count, TAG_CALLS_MAX - 1);
	store->calls[store->count++] = letter;
}

static int call_end(struct tag_store *store, char letter, int result, struct error *err)
{
	bool lost = store->lose == letter;

	if (lost)
		store->lose = 0;
	pthread_mutex_unlock(&store->lock);
	if (store->after)
		store->after(store, letter, store->context);
	return lost ? error_set(err, ERROR_TIMEOUT, "the answer is lost") : result;
}

static int op_resolve(struct store *base, struct descriptor *out, const char *tag,
	struct cancel *cancel, struct error *err)
{
	struct tag_store *store = store_of(base);
	int result;

	(void)cancel;
	ck_assert_str_eq(tag, TAG);
	call_begin(store, 'r');
	result = store->tag.json ? descriptor_create(out, store->tag.media_type, &store->tag.digest,
					   (int64_t)store->tag.json_len, err)
				 : error_set(err, ERROR_NOT_FOUND, "no tag");
	result = call_end(store, 'r', result, err);
	if (result)
		descriptor_clear(out);
	return result;
}

static int copy_by_digest(struct tag_store *store, struct document *out,
	const struct digest *digest, struct error *err)
{
	const struct descriptor entry = {.digest = *digest};

	if (error_is_set(&store->refuse))
		return error_copy(err, &store->refuse);
	return merge_store_get(&store->documents, out, &entry, err);
}

static int op_document_get(struct store *base, struct document *out, const char *tag,
	const struct digest *digest, const char *media_type, struct cancel *cancel,
	struct error *err)
{
	struct tag_store *store = store_of(base);
	char letter = digest ? 'd' : 'g';
	int result;

	(void)tag;
	(void)media_type;
	(void)cancel;
	call_begin(store, letter);
	if (digest)
		result = copy_by_digest(store, out, digest, err);
	else
		result = store->tag.json ? document_copy(out, &store->tag, err)
					 : error_set(err, ERROR_NOT_FOUND, "no tag");
	result = call_end(store, letter, result, err);
	if (result)
		document_clear(out);
	return result;
}

static void keep(struct tag_store *store, const struct document *document)
{
	struct merge_store *documents = &store->documents;

	documents->items =
		realloc(documents->items, (documents->count + 1) * sizeof *documents->items);
	ck_assert_ptr_nonnull(documents->items);
	ck_assert_int_eq(document_copy(&documents->items[documents->count++], document, NULL), 0);
}

static bool is_expected(const struct tag_store *store, const struct digest *expected)
{
	const struct digest none = DIGEST_NONE;

	return !expected || digest_equal(expected, store->tag.json ? &store->tag.digest : &none);
}

static int op_document_put(struct store *base, const struct document *document, const char *tag,
	const struct digest *expected, struct cancel *cancel, struct error *err)
{
	struct tag_store *store = store_of(base);
	char letter = tag ? 't' : document->kind == DOCUMENT_INDEX ? 'i' : 'm';
	int result = 0;

	(void)cancel;
	call_begin(store, letter);
	keep(store, document);
	if (tag && store->store.atomic_tags && !is_expected(store, expected)) {
		result = store_tag_moved(err, tag, expected, &store->tag.digest);
	} else if (tag) {
		document_clear(&store->tag);
		ck_assert_int_eq(document_copy(&store->tag, document, NULL), 0);
	}
	return call_end(store, letter, result, err);
}

static int op_blob_put(struct store *base, const struct digest *digest,
	const struct store_source *source, struct cancel *cancel, struct error *err)
{
	(void)digest;
	(void)source;
	(void)cancel;
	call_begin(store_of(base), 'b');
	return call_end(store_of(base), 'b', 0, err);
}

static int op_blob_exists(struct store *base, bool *out, const struct digest *digest, int64_t size,
	struct cancel *cancel, struct error *err)
{
	(void)base;
	(void)digest;
	(void)size;
	(void)cancel;
	(void)err;
	*out = true;
	return 0;
}

static const struct store_ops tag_store_ops = {
	.resolve = op_resolve,
	.document_get = op_document_get,
	.document_put = op_document_put,
	.blob_put = op_blob_put,
	.blob_exists = op_blob_exists,
};

void tag_store_set(struct tag_store *store, const char *text)
{
	struct merge_text_tag tag;

	pthread_mutex_lock(&store->lock);
	merge_text_parse(&tag, &store->documents, text);
	document_clear(&store->tag);
	if (tag.exists)
		ck_assert_int_eq(document_copy(&store->tag, &tag.root, NULL), 0);
	merge_text_clear(&tag);
	pthread_mutex_unlock(&store->lock);
}

void tag_store_add(struct tag_store *store, const char *text)
{
	struct descriptor items[16];
	struct merge_text_tag more;
	size_t count = 0;

	pthread_mutex_lock(&store->lock);
	merge_text_parse(&more, &store->documents, text);
	for (size_t i = 0; i < store->tag.count; i++)
		items[count++] = store->tag.items[i];
	for (size_t i = 0; i < more.root.count; i++)
		items[count++] = more.root.items[i];
	ck_assert_int_eq(document_set_items(&store->tag, items, count, NULL), 0);
	merge_text_clear(&more);
	pthread_mutex_unlock(&store->lock);
}

char *tag_store_get(struct tag_store *store)
{
	return merge_text_format(&store->tag, &store->documents, NULL, 0);
}

static void tree_start(struct tag_fixture *fixture)
{
	const struct reference reference = {.tag = (char *)TAG};
	struct error err = ERROR_INIT;
	struct tree *tree = &fixture->tree;
	char path[96];

	ck_assert_int_eq(pool_new(&fixture->pool, 8, &err), 0);
	ck_assert_int_eq(timer_new(&fixture->timer, &err), 0);
	snprintf(path, sizeof path, "%s/files", fixture->dir);
	ck_assert_int_eq(staging_open(&fixture->staging, path, fixture->pool, &err), 0);
	snprintf(path, sizeof path, "%s/cache", fixture->dir);
	ck_assert_int_eq(cache_open(&fixture->cache, path, 1 << 20, CACHE_VERIFY_FULL,
				 &fixture->store.store, fixture->pool, NULL, &err),
		0);
	ck_assert_int_eq(history_open(&fixture->history, fixture->dir, &err), 0);
	tree_init(tree, &fixture->options);
	tree->store = &fixture->store.store;
	tree->cache = fixture->cache;
	tree->staging = fixture->staging;
	tree->pool = fixture->pool;
	tree->timer = fixture->timer;
	tree->history = fixture->history;
	ck_assert_msg(tag_open(tree, &reference, &err) == 0, "%s", err.message);
}

static void tree_stop(struct tag_fixture *fixture)
{
	timer_stop(fixture->timer);
	pool_free(fixture->pool);
	timer_free(fixture->timer);
	watch_stop(&fixture->tree);
	staging_keep_files(fixture->staging, true);
	tree_destroy(&fixture->tree);
	history_close(fixture->history);
	cache_close(fixture->cache);
	staging_close(fixture->staging);
}

void tag_fixture_start(struct tag_fixture *fixture, const char *text)
{
	memset(fixture, 0, sizeof *fixture);
	strcpy(fixture->dir, "/tmp/test_fs_tag.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(fixture->dir));
	pthread_mutex_init(&fixture->store.lock, NULL);
	fixture->store.store = (struct store){.ops = &tag_store_ops, .jobs = 4};
	fixture->options = (struct tree_options){.artifact_type = "a/b",
		.layer_type = MEDIA_TYPE_OCTETS,
		.created = CREATED_NONE,
		.watch_ms = 200,
		.refresh_ms = -1};
	tag_store_set(&fixture->store, text);
	tree_start(fixture);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

void tag_fixture_stop(struct tag_fixture *fixture)
{
	tree_stop(fixture);
	document_clear(&fixture->store.tag);
	merge_store_clear(&fixture->store.documents);
	ck_assert_int_eq(nftw(fixture->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void tag_fixture_restart(struct tag_fixture *fixture)
{
	tree_stop(fixture);
	tree_start(fixture);
}

static struct node *child_at(struct node *node, const char *path)
{
	cleanup_free char *copy = strdup(path);
	char *rest = copy, *part;

	while (node && (part = strsep(&rest, "/")))
		node = *part ? node_child(node, part) : node;
	return node;
}

struct node *tag_node(struct tag_fixture *fixture, const char *path)
{
	return child_at(fixture->tree.root, path);
}

void tag_load(struct tag_fixture *fixture, const char *folder)
{
	struct error err = ERROR_INIT;

	ck_assert_msg(folder_load(&fixture->tree, tag_node(fixture, folder), &err) == 0, "%s",
		err.message);
}

void tag_load_all(struct tag_fixture *fixture)
{
	const struct node *root = fixture->tree.root;

	for (size_t i = 0; i < root->children.count; i++)
		if (root->children.items[i]->folder)
			tag_load(fixture, root->children.items[i]->name);
}

/* The directory of a path, made where it is missing, and its last part. */
static struct node *parent_of(struct tag_fixture *fixture, const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	cleanup_free char *above = strndup(path, slash ? (size_t)(slash - path) : 0);
	struct node *node;

	*name = slash ? slash + 1 : path;
	if (!*above)
		return fixture->tree.root;
	node = tag_node(fixture, above);
	if (!node) {
		tag_mkdir(fixture, above);
		node = tag_node(fixture, above);
	}
	if (node->folder)
		tag_load(fixture, above);
	return node;
}

static void unpin(struct tag_fixture *fixture, struct node *node)
{
	pthread_mutex_lock(&fixture->tree.lock);
	node_unpin(&fixture->tree.inodes, node);
	pthread_mutex_unlock(&fixture->tree.lock);
}

void tag_mkdir(struct tag_fixture *fixture, const char *path)
{
	const char *name;
	struct node *parent = parent_of(fixture, path, &name), *made = NULL;

	ck_assert_int_eq(edit_mkdir(&fixture->tree, parent, name, &made), 0);
	unpin(fixture, made);
}

void tag_write(struct tag_fixture *fixture, const char *path, const char *content)
{
	const char *name;
	struct tree *tree = &fixture->tree;
	struct node *parent = parent_of(fixture, path, &name), *node = node_child(parent, name);
	struct error err = ERROR_INIT;
	struct staged *staged;
	struct handle *handle;
	ssize_t len = (ssize_t)strlen(content);

	if (!node) {
		ck_assert_int_eq(edit_create(tree, parent, name, 0644, &node), 0);
		unpin(fixture, node);
	}
	merge_store_know(&fixture->store.documents, content);
	ck_assert_msg(file_open(tree, node, true, true, &handle, &err) == 0, "%s", err.message);
	ck_assert_int_eq(file_write_begin(tree, handle, &staged, &err), 0);
	ck_assert_int_eq(pwrite(staged_fd(staged), content, (size_t)len, 0), len);
	file_write_end(tree, handle, staged, 0, (uint64_t)len);
	file_close(tree, handle);
}

void tag_remove(struct tag_fixture *fixture, const char *path)
{
	const char *name;
	struct node *parent = parent_of(fixture, path, &name);
	struct node *node = node_child(parent, name);

	if (node->folder)
		tag_load(fixture, path);
	while (node->children.count) {
		char below[256];

		snprintf(below, sizeof below, "%s/%s", path, node->children.items[0]->name);
		tag_remove(fixture, below);
	}
	ck_assert_int_eq(node_is_directory(node) ? edit_rmdir(&fixture->tree, parent, name)
						 : edit_unlink(&fixture->tree, parent, name),
		0);
}

void tag_rename(struct tag_fixture *fixture, const char *from, const char *to)
{
	const char *name, *new_name;
	struct node *parent = parent_of(fixture, from, &name);
	struct node *new_parent = parent_of(fixture, to, &new_name);

	if (node_child(parent, name)->folder)
		tag_load(fixture, from);
	ck_assert_int_eq(edit_rename(&fixture->tree, parent, name, new_parent, new_name, 0), 0);
}

void tag_annotate(struct tag_fixture *fixture, const char *folder, const char *text)
{
	char path[256];

	snprintf(path, sizeof path, "%s%s" ANNOTATIONS_NAME, folder, *folder ? "/" : "");
	tag_write(fixture, path, text);
	ck_assert_int_eq(text_take(&fixture->tree, tag_node(fixture, path), NULL), 0);
}

/* A commit that this thread waits for. */
struct waiting {
	struct commit_request request; /* first */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool done;
	struct error err;
};

static void waiting_done(struct commit_request *request, const struct error *err)
{
	struct waiting *waiting = (struct waiting *)request;

	pthread_mutex_lock(&waiting->lock);
	if (err)
		waiting->err = *err;
	waiting->done = true;
	pthread_cond_signal(&waiting->changed);
	pthread_mutex_unlock(&waiting->lock);
}

/* Answered is not over. */
static void wait_for_end(struct tag_fixture *fixture)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	bool committing = true;

	while (committing) {
		pthread_mutex_lock(&fixture->tree.lock);
		committing = fixture->tree.root->tag->committing;
		pthread_mutex_unlock(&fixture->tree.lock);
		nanosleep(&pause, NULL);
	}
}

struct error tag_commit(struct tag_fixture *fixture)
{
	struct waiting waiting = {.request.done = waiting_done,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER};
	struct tag_store *store = &fixture->store;

	pthread_mutex_lock(&store->lock);
	store->count = 0;
	pthread_mutex_unlock(&store->lock);
	commit_request(&fixture->tree, fixture->tree.root, &waiting.request);
	pthread_mutex_lock(&waiting.lock);
	while (!waiting.done)
		pthread_cond_wait(&waiting.changed, &waiting.lock);
	pthread_mutex_unlock(&waiting.lock);
	wait_for_end(fixture);
	pthread_mutex_lock(&store->lock);
	store->calls[store->count] = '\0';
	pthread_mutex_unlock(&store->lock);
	return waiting.err;
}

static int by_order(const void *a, const void *b)
{
	const struct node *left = *(struct node *const *)a, *right = *(struct node *const *)b;

	if (left->order != right->order)
		return left->order < right->order ? -1 : 1;
	return (left->cookie > right->cookie) - (left->cookie < right->cookie);
}

static size_t collect_files(struct node *node, struct node **out, size_t count)
{
	for (size_t i = 0; i < node->children.count; i++) {
		struct node *child = node->children.items[i];

		if (child->kind == NODE_DIRECTORY && child->children.count)
			count = collect_files(child, out, count);
		else if (!node_is_annotations(child))
			out[count++] = child;
		ck_assert_uint_lt(count, 64);
	}
	return count;
}

static void content_text(struct tag_fixture *fixture, struct buf *out, const struct node *node)
{
	const struct file *file = node->file;
	const char *data;
	char bytes[64];
	ssize_t got;

	if (file->staged) {
		got = pread(staged_fd(file->staged), bytes, sizeof bytes, 0);
		buf_append(out, bytes, got > 0 ? (size_t)got : 0);
		return;
	}
	data = strstr(file->layer.json, "\"data\":\"");
	if (!data) {
		buf_append_text(
			out, merge_store_content(&fixture->store.documents, &file->layer.digest));
		return;
	}
	data += strlen("\"data\":\"");
	buf_append(out, data, strcspn(data, "\""));
}

static void notes_text_of(struct buf *out, const struct annotations *notes, const char *part)
{
	for (size_t i = 0; i < notes->count; i++)
		buf_printf(out, "%s@%s=%s ", part, notes->items[i].key, notes->items[i].value);
}

static void folder_text(struct tag_fixture *fixture, struct buf *out, struct node *folder)
{
	struct node *files[64];
	size_t count;

	if (!folder_is_loaded(folder)) {
		buf_printf(out, "%s{?} ", folder->name);
		return;
	}
	count = collect_files(folder, files, 0);
	if (count)
		qsort(files, count, sizeof *files, by_order);
	buf_printf(out, "%s{ ", folder->name);
	for (size_t i = 0; i < count; i++) {
		cleanup_free char *path = node_path(files[i], folder);

		buf_printf(out, "%s", path);
		if (files[i]->kind == NODE_FILE) {
			buf_append_text(out, "=");
			content_text(fixture, out, files[i]);
		} else {
			buf_append_text(out, "/");
		}
		buf_append_text(out, " ");
	}
	notes_text_of(out, &folder->folder->notes.manifest, "$m");
	notes_text_of(out, &folder->folder->notes.descriptor, "$d");
	buf_append_text(out, "} ");
}

static void view_text(struct tag_fixture *fixture, struct buf *out)
{
	const struct node *root = fixture->tree.root;
	struct node *folders[64];
	size_t count = 0;

	for (size_t i = 0; i < root->children.count; i++)
		if (root->children.items[i]->folder)
			folders[count++] = root->children.items[i];
	if (count)
		qsort(folders, count, sizeof *folders, by_order);
	for (size_t i = 0; i < count; i++)
		folder_text(fixture, out, folders[i]);
	notes_text_of(out, &root->tag->annotations, "");
}

void assert_view(struct tag_fixture *fixture, const char *want)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(BUF_UNBOUNDED);

	pthread_mutex_lock(&fixture->tree.lock);
	view_text(fixture, &text);
	pthread_mutex_unlock(&fixture->tree.lock);
	if (text.len)
		text.data[text.len - 1] = '\0';
	ck_assert_str_eq(text.len ? text.data : "", want);
}

void assert_base(struct tag_fixture *fixture, const char *want)
{
	const struct tag *tag = fixture->tree.root->tag;
	cleanup_free char *text =
		merge_text_format(&tag->base.root, &fixture->store.documents, NULL, 0);

	ck_assert_str_eq(text, want);
}

void assert_tag(struct tag_fixture *fixture, const char *want)
{
	cleanup_free char *text = tag_store_get(&fixture->store);

	ck_assert_str_eq(text, want);
}
