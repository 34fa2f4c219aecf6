/* What is sent before a commit, over a store whose transfers wait until they are told to end. */
#include <check.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/commit/commit.h"
#include "fs/tree/edit.h"
#include "fs/tree/file.h"
#include "fs/tree/status.h"
#include "fs/tree/tag.h"
#include "fs/tree/upload.h"
#include "fs/tree/xattr.h"
#include "media_type.h"
#include "registry/sender.h"
#include "tests/unit/patience.h"
#include "timer.h"

#define JOBS 2
#define NEVER ((int64_t)3600000) /* milliseconds until something is tried again */
#define SOON ((int64_t)1)

/* A blob is known by the first byte of its content. */
struct fake {
	struct store store;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	char begun[64], ended[64], cancelled[64]; /* what was, in this order */
	int running, most;
	bool holds; /* transfers don't end by themselves */
	enum error_kind fails; /* every transfer does, so */
	struct digest tagged;
	char fails_only; /* where it isn't 0: of this blob */
};

static struct fake fake;
static char folder[] = "/tmp/test_fs_upload.XXXXXX";
static struct pool *pool;
static struct staging *staging;
static struct cache *cache;
static struct timer *timer;
static struct log *log_;
static struct tree tree;
static struct node *platform;

static void add(char *list, char letter)
{
	size_t len = strlen(list);

	ck_assert_uint_lt(len, 63);
	list[len] = letter;
	list[len + 1] = '\0';
}

static void fake_fired(void *context)
{
	pthread_mutex_lock(&fake.lock);
	*(bool *)context = true;
	pthread_cond_broadcast(&fake.changed);
	pthread_mutex_unlock(&fake.lock);
}

static int fake_outcome(char letter, bool fired, struct error *err)
{
	if (fired) {
		add(fake.cancelled, letter);
		return error_set(err, ERROR_INTERRUPTED, "interrupted");
	}
	if (fake.fails && (!fake.fails_only || fake.fails_only == letter))
		return error_set(err, fake.fails, "the registry says no");
	add(fake.ended, letter);
	return 0;
}

static int fake_blob_put(struct store *store, const struct digest *digest,
	const struct store_source *source, struct cancel *cancel, struct error *err)
{
	bool fired = false;
	struct cancel_watch watch = {.fired = fake_fired, .context = &fired};
	char content[64];
	ssize_t len = pread(source->fd, content, sizeof content, 0);
	int result;

	(void)store;
	ck_assert_int_eq(len, source->size);
	ck_assert_int_eq(digest_check(digest, content, (size_t)len, err), 0);
	if (cancel_watch(cancel, &watch))
		return error_set(err, ERROR_INTERRUPTED, "interrupted");
	source->progress(source->context, 1);
	pthread_mutex_lock(&fake.lock);
	add(fake.begun, content[0]);
	if (++fake.running > fake.most)
		fake.most = fake.running;
	while (fake.holds && !fired)
		pthread_cond_wait(&fake.changed, &fake.lock);
	fake.running--;
	result = fake_outcome(content[0], fired, err);
	pthread_mutex_unlock(&fake.lock);
	cancel_unwatch(cancel, &watch);
	/* nobody may have written to it meanwhile */
	ck_assert_int_eq(pread(source->fd, content, sizeof content, 0), len);
	ck_assert_int_eq(digest_check(digest, content, (size_t)len, NULL), 0);
	return result;
}

static int fake_resolve(struct store *store, struct descriptor *out, const char *tag,
	struct cancel *cancel, struct error *err)
{
	(void)store;
	(void)tag;
	(void)cancel;
	if (!digest_is_set(&fake.tagged))
		return error_set(err, ERROR_NOT_FOUND, "no such tag");
	return descriptor_create(out, MEDIA_TYPE_INDEX, &fake.tagged, 2, err);
}

static int fake_document_get(struct store *store, struct document *out, const char *tag,
	const struct digest *digest, const char *media_type, struct cancel *cancel,
	struct error *err)
{
	(void)store;
	(void)out;
	(void)tag;
	(void)digest;
	(void)media_type;
	(void)cancel;
	return error_set(err, ERROR_NOT_FOUND, "no such tag");
}

static int fake_document_put(struct store *store, const struct document *document, const char *tag,
	const struct digest *expected, struct cancel *cancel, struct error *err)
{
	(void)store;
	(void)expected;
	(void)cancel;
	(void)err;
	if (tag)
		fake.tagged = document->digest;
	return 0;
}

static const struct store_ops fake_ops = {
	.resolve = fake_resolve,
	.document_get = fake_document_get,
	.document_put = fake_document_put,
	.blob_put = fake_blob_put,
};

static const char *in_folder(const char *name)
{
	static char path[256];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void open_tree(void)
{
	struct tree_options options = {
		.artifact_type = "application/x-test", .layer_type = "application/x-test"};
	struct reference reference = {0};
	struct error err = ERROR_INIT;

	tree_init(&tree, &options);
	tree.store = &fake.store;
	tree.cache = cache;
	tree.staging = staging;
	tree.pool = pool;
	tree.timer = timer;
	tree.log = log_;
	ck_assert_int_eq(reference_parse(&reference, "localhost:1/app:v1", &err), 0);
	ck_assert_msg(tag_open(&tree, &reference, &err) == 0, "%s", err.message);
	reference_clear(&reference);
	ck_assert_int_eq(edit_mkdir(&tree, tree.root, "linux-amd64", &platform), 0);
}

static void start(int64_t pause_ms)
{
	ck_assert_int_eq(uploader_start(&tree, pause_ms, NULL), 0);
}

static void setup(void)
{
	fake = (struct fake){
		.store = {.ops = &fake_ops, .jobs = JOBS},
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
	};
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(sender_new(&fake.store.sender, &fake.store, NULL), 0);
	ck_assert_int_eq(pool_new(&pool, 16, NULL), 0);
	ck_assert_int_eq(timer_new(&timer, NULL), 0);
	ck_assert_int_eq(mkdir(in_folder("cache"), 0700), 0);
	ck_assert_int_eq(staging_open(&staging, in_folder("files"), pool, NULL), 0);
	log_ = log_new(LOG_LEVEL_WARNING);
	ck_assert_int_eq(cache_open(&cache, in_folder("cache"), 1 << 20, CACHE_VERIFY_FULL,
				 &fake.store, pool, log_, NULL),
		0);
	open_tree();
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static void teardown(void)
{
	uploader_stop(&tree);
	timer_stop(timer);
	pool_free(pool);
	timer_free(timer);
	tree_destroy(&tree);
	cache_close(cache);
	staging_close(staging);
	sender_free(fake.store.sender);
	log_free(log_);
	ck_assert_int_eq(nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
}

static void hold(bool holds)
{
	pthread_mutex_lock(&fake.lock);
	fake.holds = holds;
	pthread_cond_broadcast(&fake.changed);
	pthread_mutex_unlock(&fake.lock);
}

static void refuse(enum error_kind kind, char only)
{
	pthread_mutex_lock(&fake.lock);
	fake.fails = kind;
	fake.fails_only = only;
	pthread_mutex_unlock(&fake.lock);
}

static bool has(const char *list, const char *want)
{
	bool same;

	pthread_mutex_lock(&fake.lock);
	same = !strcmp(list, want);
	pthread_mutex_unlock(&fake.lock);
	return same;
}

static size_t length_of(const char *list)
{
	size_t length;

	pthread_mutex_lock(&fake.lock);
	length = strlen(list);
	pthread_mutex_unlock(&fake.lock);
	return length;
}

static size_t count_of(const char *list, char letter)
{
	size_t count = 0;

	pthread_mutex_lock(&fake.lock);
	for (; *list; list++)
		count += *list == letter;
	pthread_mutex_unlock(&fake.lock);
	return count;
}

static void put(struct handle *handle, const char *content)
{
	struct staged *staged;
	size_t len = strlen(content);
	int64_t at = file_size(&tree, handle->node);

	ck_assert_int_eq(file_write_begin(&tree, handle, &staged, NULL), 0);
	ck_assert_int_eq(pwrite(staged_fd(staged), content, len, at), (ssize_t)len);
	file_write_end(&tree, handle, staged, (uint64_t)at, len);
}

static struct handle *open_to_write(struct node *node, bool truncate)
{
	struct handle *handle;

	ck_assert_int_eq(file_open(&tree, node, true, truncate, &handle, NULL), 0);
	return handle;
}

/* As cp does. The tests end with the nodes: pins are given back at once. */
static struct node *copy_in(struct node *parent, const char *name, const char *content)
{
	struct handle *handle;
	struct node *node = node_child(parent, name);

	if (!node)
		ck_assert_int_eq(edit_create(&tree, parent, name, 0644, &node), 0);
	handle = open_to_write(node, true);
	put(handle, content);
	file_close(&tree, handle);
	return node;
}

static void append(struct node *node, const char *content)
{
	struct handle *handle = open_to_write(node, false);

	put(handle, content);
	file_close(&tree, handle);
}

static bool state_is(struct node *node, const char *want)
{
	struct buf text = BUF_INIT(1000);
	bool same;

	ck_assert_int_eq(xattr_get(&tree, node, "user.oci.state", &text), 0);
	same = !strcmp(text.data, want);
	buf_free(&text);
	return same;
}

static bool status_has(const char *text)
{
	struct buf status = BUF_INIT(1 << 20);
	bool found;

	pthread_mutex_lock(&tree.lock);
	ck_assert_int_eq(status_make(&tree, tree.root, &status), 0);
	pthread_mutex_unlock(&tree.lock);
	found = strstr(status.data, text) != NULL;
	buf_free(&status);
	return found;
}

static size_t log_count(const char *text)
{
	struct buf lines = BUF_INIT(1 << 20);
	const char *at;
	size_t count = 0;

	ck_assert_int_eq(log_read(log_, &lines), 0);
	for (at = lines.data; at && (at = strstr(at, text)); at++)
		count++;
	buf_free(&lines);
	return count;
}

/* An fsync. */
struct sync {
	struct commit_request request; /* first */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool done;
	struct error err;
};

static void sync_done(struct commit_request *request, const struct error *err)
{
	struct sync *sync = (struct sync *)request;

	pthread_mutex_lock(&sync->lock);
	if (err)
		sync->err = *err;
	sync->done = true;
	pthread_cond_signal(&sync->changed);
	pthread_mutex_unlock(&sync->lock);
}

static void sync_begin(struct sync *sync)
{
	*sync = (struct sync){
		.request.done = sync_done,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
	};
	commit_request(&tree, tree.root, &sync->request);
}

static enum error_kind sync_end(struct sync *sync)
{
	pthread_mutex_lock(&sync->lock);
	while (!sync->done)
		pthread_cond_wait(&sync->changed, &sync->lock);
	pthread_mutex_unlock(&sync->lock);
	return sync->err.kind;
}

/* Whether somebody waits for another's transfer. */
static bool is_followed(void)
{
	struct sender *sender = fake.store.sender;
	const struct flight *flight;
	bool followed = false;

	pthread_mutex_lock(&sender->lock);
	for (flight = sender->flights; flight; flight = flight->next)
		followed |= flight->holders > 1;
	pthread_mutex_unlock(&sender->lock);
	return followed;
}

START_TEST(what_is_closed_is_sent)
{
	struct node *node;

	start(NEVER);
	hold(true);
	node = copy_in(platform, "app", "a1");
	await(has(fake.begun, "a"));
	ck_assert(state_is(node, "uploading"));
	ck_assert(status_has("\"uploads\": [\n    {\"path\": \"linux-amd64/app\", \"state\": "
			     "\"uploading\", \"sent\": 1, \"size\": 2, \"tries\": 1}\n  ]"));
	hold(false);
	await(state_is(node, "uploaded"));
	ck_assert(status_has("\"state\": \"uploaded\", \"sent\": 2, \"size\": 2"));
	ck_assert_str_eq(fake.begun, "a");
	ck_assert_str_eq(fake.ended, "a");
}
END_TEST

START_TEST(what_is_there_at_the_start_is_sent)
{
	struct node *node = copy_in(platform, "app", "a");

	ck_assert(state_is(node, "staged"));
	ck_assert(status_has("\"uploads\": []"));
	start(NEVER);
	await(state_is(node, "uploaded"));
}
END_TEST

START_TEST(a_local_store_gets_nothing_early)
{
	struct sender *sender = fake.store.sender;
	struct node *node;

	fake.store.sender = NULL;
	start(NEVER);
	node = copy_in(platform, "app", "a");
	ck_assert_ptr_null(tree.uploader);
	ck_assert(state_is(node, "staged"));
	ck_assert_str_eq(fake.begun, "");
	fake.store.sender = sender;
}
END_TEST

START_TEST(what_is_no_layer_is_not_sent)
{
	struct node *scratch, *stray, *folder_;

	start(NEVER);
	scratch = copy_in(platform, "app.part", "s");
	stray = copy_in(tree.root, "stray", "t");
	copy_in(platform, "annotations.json", "{}");
	ck_assert_int_eq(edit_mkdir(&tree, platform, "x.part", &folder_), 0);
	copy_in(folder_, "file", "f");
	copy_in(platform, "app", "a");
	await(has(fake.ended, "a"));
	ck_assert(state_is(scratch, "staged"));
	ck_assert(state_is(stray, "staged"));
	ck_assert_str_eq(fake.begun, "a");
}
END_TEST

START_TEST(what_becomes_a_layer_by_rename_is_sent)
{
	struct node *folder_, *file;

	start(NEVER);
	copy_in(platform, "app.part", "s");
	ck_assert_int_eq(edit_mkdir(&tree, platform, "x.part", &folder_), 0);
	file = copy_in(folder_, "file", "f");
	ck_assert_int_eq(edit_rename(&tree, platform, "app.part", platform, "app", 0), 0);
	await(has(fake.ended, "s"));
	ck_assert_int_eq(edit_rename(&tree, platform, "x.part", platform, "x", 0), 0);
	await(state_is(file, "uploaded"));
	ck_assert_str_eq(fake.ended, "sf");
}
END_TEST

START_TEST(a_file_that_somebody_writes_is_not_sent)
{
	struct node *node;
	struct handle *first, *second;

	start(NEVER);
	ck_assert_int_eq(edit_create(&tree, platform, "app", 0644, &node), 0);
	first = open_to_write(node, true);
	second = open_to_write(node, false);
	put(first, "a");
	put(second, "b");
	file_close(&tree, first);
	ck_assert(state_is(node, "staged"));
	file_close(&tree, second);
	await(state_is(node, "uploaded"));
	ck_assert_str_eq(fake.begun, "a");
}
END_TEST

START_TEST(a_file_that_was_cut_without_being_opened_is_sent)
{
	struct node *node;

	start(NEVER);
	node = copy_in(platform, "app", "abc");
	await(state_is(node, "uploaded"));
	ck_assert_int_eq(file_truncate(&tree, node, NULL, 1, NULL), 0);
	await(has(fake.ended, "aa"));
	ck_assert(status_has("\"size\": 1"));
}
END_TEST

static void only_one_at_a_time(void)
{
	pthread_mutex_lock(&tree.lock);
	pthread_mutex_lock(&fake.store.sender->lock);
	fake.store.jobs = 1;
	pthread_mutex_unlock(&fake.store.sender->lock);
	pthread_mutex_unlock(&tree.lock);
}

START_TEST(a_few_at_a_time_in_the_order_of_closing)
{
	struct node *last;

	start(NEVER);
	hold(true);
	copy_in(platform, "a", "a");
	await(has(fake.begun, "a"));
	copy_in(platform, "b", "b");
	await(has(fake.begun, "ab"));
	copy_in(platform, "d", "d");
	copy_in(platform, "c", "c");
	last = copy_in(platform, "e", "e");
	ck_assert(state_is(last, "staged"));
	ck_assert(status_has("\"path\": \"linux-amd64/e\", \"state\": \"staged\", \"sent\": 0"));
	ck_assert_int_eq(fake.most, JOBS);
	only_one_at_a_time(); /* so that the order of what is left is plain */
	hold(false);
	await(state_is(last, "uploaded"));
	ck_assert_str_eq(fake.begun, "abdce");
	ck_assert_int_eq(fake.most, JOBS);
}
END_TEST

START_TEST(what_is_written_anew_is_given_up)
{
	struct node *node;

	start(NEVER);
	hold(true);
	node = copy_in(platform, "app", "old");
	await(has(fake.begun, "o"));
	copy_in(platform, "app", "new");
	await(has(fake.cancelled, "o"));
	hold(false);
	await(state_is(node, "uploaded"));
	ck_assert_str_eq(fake.ended, "n");
}
END_TEST

START_TEST(what_is_appended_to_is_not_copied)
{
	struct node *node;
	uint64_t id;

	start(NEVER);
	hold(true);
	node = copy_in(platform, "app", "a");
	await(has(fake.begun, "a"));
	id = staged_id(node->file->staged);
	append(node, "b");
	ck_assert_uint_eq(staged_id(node->file->staged), id);
	ck_assert(has(fake.cancelled, "a"));
	hold(false);
	await(state_is(node, "uploaded"));
	ck_assert(status_has("\"size\": 2"));
}
END_TEST

START_TEST(what_is_removed_is_given_up)
{
	struct node *node;

	start(NEVER);
	hold(true);
	copy_in(platform, "app", "a");
	copy_in(platform, "other", "o");
	await(length_of(fake.begun) == 2);
	copy_in(platform, "third", "t");
	ck_assert_int_eq(edit_unlink(&tree, platform, "app"), 0);
	await(has(fake.cancelled, "a"));
	/* a rename over it removes too, also what hasn't begun */
	copy_in(platform, "next.part", "n");
	ck_assert_int_eq(edit_rename(&tree, platform, "next.part", platform, "third", 0), 0);
	hold(false);
	node = node_child(platform, "third");
	await(state_is(node, "uploaded"));
	ck_assert_uint_eq(count_of(fake.ended, 'a'), 0);
	ck_assert_uint_eq(count_of(fake.ended, 'n'), 1);
}
END_TEST

START_TEST(a_failure_is_told_once_and_tried_again)
{
	struct error err = ERROR_INIT;
	struct node *node;

	start(SOON);
	refuse(ERROR_REFUSED, 0);
	node = copy_in(platform, "app", "a");
	await(state_is(node, "failed"));
	ck_assert(status_has("\"error\": \"the registry says no\"}"));
	ck_assert_int_eq(upload_told(&tree, node, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_REFUSED);
	await(count_of(fake.begun, 'a') > 3);
	ck_assert_uint_eq(
		log_count("app: not uploaded yet, and tried again: the registry says no"), 1);
	ck_assert_int_eq(upload_told(&tree, node, NULL), 0);
	refuse(ERROR_NONE, 0);
	await(state_is(node, "uploaded"));
	ck_assert(!status_has("\"error\""));
}
END_TEST

START_TEST(a_failure_that_has_passed_is_told_to_nobody)
{
	struct node *node;

	start(SOON);
	refuse(ERROR_REFUSED, 0);
	node = copy_in(platform, "app", "a");
	await(state_is(node, "failed"));
	refuse(ERROR_NONE, 0);
	await(state_is(node, "uploaded"));
	ck_assert_int_eq(upload_told(&tree, node, NULL), 0);
}
END_TEST

START_TEST(an_untold_failure_outlives_the_content)
{
	struct error err = ERROR_INIT;
	struct handle *handle;
	struct node *node;

	start(NEVER);
	refuse(ERROR_REFUSED, 0);
	node = copy_in(platform, "app", "a");
	await(state_is(node, "failed"));
	refuse(ERROR_NONE, 0);
	handle = open_to_write(node, true);
	put(handle, "b");
	/* here close(2) asks */
	ck_assert_int_eq(upload_told(&tree, node, &err), -1);
	file_close(&tree, handle);
	/* and what is closed again is tried again */
	await(state_is(node, "uploaded"));
	ck_assert_str_eq(fake.ended, "b");
	ck_assert_int_eq(upload_told(&tree, node, NULL), 0);
}
END_TEST

START_TEST(while_there_is_no_registry_one_asks_for_all)
{
	struct node *nodes[6];
	char name[2] = "a";

	start(NEVER);
	refuse(ERROR_UNREACHABLE, 0);
	nodes[0] = copy_in(platform, "a", "a");
	await(state_is(nodes[0], "failed"));
	for (int i = 1; i < 6; i++) {
		name[0] = (char)('a' + i);
		nodes[i] = copy_in(platform, name, name);
	}
	for (int i = 1; i < 6; i++)
		ck_assert(state_is(nodes[i], "staged"));
	ck_assert_str_eq(fake.begun, "a");
	/* closed again: one more try, of one */
	append(nodes[0], "b");
	await(has(fake.begun, "ab"));
	await(state_is(nodes[1], "failed"));
	ck_assert(state_is(nodes[0], "staged"));
	ck_assert_str_eq(fake.begun, "ab");
	ck_assert_int_eq(fake.most, 1);
}
END_TEST

START_TEST(mounted_without_the_registry_one_asks_for_all)
{
	struct node *nodes[4];
	char name[2] = "a";

	for (int i = 0; i < 4; i++) {
		name[0] = (char)('a' + i);
		nodes[i] = copy_in(platform, name, name);
	}
	hold(true);
	tree.offline = true;
	start(NEVER);
	await(has(fake.begun, "a"));
	ck_assert(state_is(nodes[1], "staged"));
	hold(false);
	for (int i = 0; i < 4; i++)
		await(state_is(nodes[i], "uploaded"));
}
END_TEST

START_TEST(what_is_wrong_with_one_file_stops_no_other)
{
	struct node *large, *other;

	start(NEVER);
	refuse(ERROR_TOO_LARGE, 'l');
	large = copy_in(platform, "large", "l");
	await(state_is(large, "failed"));
	other = copy_in(platform, "other", "o");
	await(state_is(other, "uploaded"));
	ck_assert(state_is(large, "failed"));
}
END_TEST

START_TEST(a_commit_waits_for_what_is_under_way)
{
	struct node *node;
	struct sync sync;

	start(NEVER);
	hold(true);
	node = copy_in(platform, "app", "a");
	await(has(fake.begun, "a"));
	sync_begin(&sync);
	await(is_followed());
	hold(false);
	ck_assert_int_eq(sync_end(&sync), ERROR_NONE);
	ck_assert_uint_eq(count_of(fake.begun, 'a'), 1);
	await(state_is(node, "cached"));
	ck_assert(status_has("\"uploads\": []"));
}
END_TEST

START_TEST(a_commit_that_is_given_up_ends_no_upload)
{
	struct node *node;
	struct sync sync;

	start(NEVER);
	hold(true);
	node = copy_in(platform, "app", "a");
	await(has(fake.begun, "a"));
	sync_begin(&sync);
	await(is_followed());
	commit_abandon(&tree, tree.root, &sync.request);
	ck_assert_int_eq(sync_end(&sync), ERROR_INTERRUPTED);
	ck_assert(state_is(node, "uploading"));
	hold(false);
	await(state_is(node, "uploaded"));
	ck_assert_uint_eq(count_of(fake.begun, 'a'), 1);
}
END_TEST

START_TEST(a_commit_tries_again_itself_and_ends_the_pauses)
{
	struct node *node, *other;
	struct sync sync;

	start(NEVER);
	refuse(ERROR_REFUSED, 0);
	node = copy_in(platform, "app", "a");
	await(state_is(node, "failed"));
	sync_begin(&sync);
	ck_assert_int_eq(sync_end(&sync), ERROR_REFUSED);
	ck_assert(state_is(node, "failed"));
	refuse(ERROR_NONE, 0);
	sync_begin(&sync);
	ck_assert_int_eq(sync_end(&sync), ERROR_NONE);
	ck_assert_uint_eq(count_of(fake.ended, 'a'), 1);
	other = copy_in(platform, "other", "o");
	await(state_is(other, "uploaded"));
}
END_TEST

START_TEST(what_a_commit_sends_is_seen)
{
	struct node *node;
	struct sync sync;

	start(NEVER);
	refuse(ERROR_REFUSED, 0);
	node = copy_in(platform, "app", "a");
	await(state_is(node, "failed"));
	refuse(ERROR_NONE, 0);
	hold(true);
	sync_begin(&sync);
	await(status_has("\"state\": \"uploading\", \"sent\": 1, \"size\": 1"));
	ck_assert(state_is(node, "uploading"));
	hold(false);
	ck_assert_int_eq(sync_end(&sync), ERROR_NONE);
}
END_TEST

START_TEST(the_end_waits_for_no_upload)
{
	struct node *running, *waiting;

	start(SOON);
	hold(true);
	running = copy_in(platform, "a", "a");
	copy_in(platform, "b", "b");
	await(length_of(fake.begun) == 2);
	waiting = copy_in(platform, "c", "c");
	uploader_stop(&tree);
	ck_assert_uint_eq(strlen(fake.cancelled), 2);
	ck_assert_str_eq(fake.ended, "");
	ck_assert(state_is(running, "staged"));
	ck_assert(state_is(waiting, "staged"));
	copy_in(platform, "a", "d");
	ck_assert_uint_eq(strlen(fake.begun), 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("upload");
	TCase *tcase = tcase_create("upload");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, what_is_closed_is_sent);
	tcase_add_test(tcase, what_is_there_at_the_start_is_sent);
	tcase_add_test(tcase, a_local_store_gets_nothing_early);
	tcase_add_test(tcase, what_is_no_layer_is_not_sent);
	tcase_add_test(tcase, what_becomes_a_layer_by_rename_is_sent);
	tcase_add_test(tcase, a_file_that_somebody_writes_is_not_sent);
	tcase_add_test(tcase, a_file_that_was_cut_without_being_opened_is_sent);
	tcase_add_test(tcase, a_few_at_a_time_in_the_order_of_closing);
	tcase_add_test(tcase, what_is_written_anew_is_given_up);
	tcase_add_test(tcase, what_is_appended_to_is_not_copied);
	tcase_add_test(tcase, what_is_removed_is_given_up);
	tcase_add_test(tcase, a_failure_is_told_once_and_tried_again);
	tcase_add_test(tcase, a_failure_that_has_passed_is_told_to_nobody);
	tcase_add_test(tcase, an_untold_failure_outlives_the_content);
	tcase_add_test(tcase, while_there_is_no_registry_one_asks_for_all);
	tcase_add_test(tcase, mounted_without_the_registry_one_asks_for_all);
	tcase_add_test(tcase, what_is_wrong_with_one_file_stops_no_other);
	tcase_add_test(tcase, a_commit_waits_for_what_is_under_way);
	tcase_add_test(tcase, a_commit_that_is_given_up_ends_no_upload);
	tcase_add_test(tcase, a_commit_tries_again_itself_and_ends_the_pauses);
	tcase_add_test(tcase, what_a_commit_sends_is_seen);
	tcase_add_test(tcase, the_end_waits_for_no_upload);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
