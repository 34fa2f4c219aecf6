#include "fs/tree/upload.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cancel.h"
#include "cleanup.h"
#include "fs/tree/durable.h"
#include "fs/tree/file.h"
#include "fs/tree/folder.h"
#include "fs/tree/referrers.h"

#define PAUSE_MAX_MS 300000
/* Who writes a file again and again isn't to be followed at every step. */
#define REWRITTEN_MS 1000
#define LET_GO_NS 500000000

enum upload_state {
	UPLOAD_IDLE, /* being written, or nothing to be sent */
	UPLOAD_WAITING,
	UPLOAD_RUNNING,
	UPLOAD_DONE,
	UPLOAD_FAILED, /* and waiting again */
};

/* A file's content on its way. */
struct upload {
	struct uploader *uploader;
	struct node *node; /* pinned while it runs */
	enum upload_state state;
	struct upload *next, **link; /* of those that wait, or those that run */
	int64_t due_ms; /* it isn't begun before */
	int tries;
	struct staged *staged; /* a reference, while it runs */
	struct cancel cancel; /* while it runs */
	struct digest digest; /* once it was sealed */
	struct error *error; /* NULL: none since the file was closed, or since a success */
	bool untold;
};

struct upload_list {
	struct upload *first, **last;
	int count;
};

struct uploader {
	struct tree *tree;
	struct pool *pool;
	struct upload_list waiting, running;
	int64_t pause_ms;
	int troubles; /* failures in a row of the sort that would meet any file */
	int64_t due_ms; /* nothing is begun before */
	struct timer_task later;
	pthread_cond_t ended; /* one that ran has ended */
	bool stopping;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void list_append(struct upload_list *list, struct upload *upload)
{
	upload->next = NULL;
	upload->link = list->last;
	*list->last = upload;
	list->last = &upload->next;
	list->count++;
}

static void list_remove(struct upload_list *list, struct upload *upload)
{
	*upload->link = upload->next;
	if (upload->next)
		upload->next->link = upload->link;
	else
		list->last = upload->link;
	list->count--;
}

static int64_t pause_after(const struct uploader *uploader, int failures)
{
	int64_t pause = uploader->pause_ms;

	while (--failures > 0 && pause < PAUSE_MAX_MS)
		pause *= 2;
	return pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS;
}

/* The first in the order of closing that may be begun. */
static struct upload *next_due(const struct uploader *uploader, int64_t now)
{
	struct upload *upload = uploader->due_ms > now ? NULL : uploader->waiting.first;

	while (upload && upload->due_ms > now)
		upload = upload->next;
	return upload;
}

/* Comes back when the next may be begun. */
static void begin_later(struct uploader *uploader, int64_t now)
{
	const struct upload *upload;
	int64_t due = INT64_MAX;

	for (upload = uploader->waiting.first; upload; upload = upload->next)
		if (upload->due_ms < due)
			due = upload->due_ms;
	if (due < uploader->due_ms)
		due = uploader->due_ms;
	/* without a timer the next close or commit begins it */
	if (uploader->waiting.first)
		timer_arm(uploader->tree->timer, &uploader->later, due > now ? due - now : 0, NULL);
}

static void upload_begin(struct uploader *uploader, struct upload *upload)
{
	list_remove(&uploader->waiting, upload);
	list_append(&uploader->running, upload);
	upload->state = UPLOAD_RUNNING;
	upload->tries++;
	upload->staged = staged_ref(upload->node->file->staged);
	cancel_init(&upload->cancel);
	node_pin(upload->node);
}

/* All but the pin, which goes last: the node may go with it. */
static void upload_end(struct uploader *uploader, struct upload *upload)
{
	list_remove(&uploader->running, upload);
	staged_put_back(steal_ptr(upload->staged));
	cancel_destroy(&upload->cancel);
	pthread_cond_broadcast(&uploader->ended);
}

static void forget_error(struct upload *upload)
{
	free(upload->error);
	upload->error = NULL;
	upload->untold = false;
}

/* Whether an error says something of this file alone. */
static bool is_of_file(const struct error *err)
{
	return err->kind == ERROR_TOO_LARGE || err->kind == ERROR_CORRUPT ||
	       err->kind == ERROR_INVALID || err->kind == ERROR_SYSTEM || err->kind == ERROR_MEMORY;
}

/* Those that ran beside each other fail of the same trouble. */
static void note_trouble(struct uploader *uploader, int64_t now)
{
	if (now >= uploader->due_ms)
		uploader->due_ms = now + pause_after(uploader, ++uploader->troubles);
}

static bool is_known(const struct upload *upload, const struct error *err)
{
	return upload->error && upload->error->kind == err->kind &&
	       !strcmp(upload->error->message, err->message);
}

/* The same again is no news. */
static void note_error(struct upload *upload, const struct error *err)
{
	if (is_known(upload, err))
		return;
	tree_report(upload->uploader->tree, upload->node, "not uploaded yet, and tried again", err);
	if (!upload->error)
		upload->error = malloc(sizeof *upload->error);
	if (upload->error)
		*upload->error = *err;
	upload->untold = upload->error != NULL;
}

static void upload_failed(struct upload *upload, const struct error *err)
{
	struct uploader *uploader = upload->uploader;
	int64_t now = now_ms();

	note_error(upload, err);
	if (!is_of_file(err))
		note_trouble(uploader, now);
	upload->due_ms = now + pause_after(uploader, upload->tries);
	upload->state = UPLOAD_FAILED;
	list_append(&uploader->waiting, upload);
}

static void upload_succeeded(struct upload *upload)
{
	upload->state = UPLOAD_DONE;
	upload->uploader->troubles = 0;
	upload->uploader->due_ms = 0;
	forget_error(upload);
}

static void upload_run(void *context);

/* Begins what may be begun. */
static void begin_some(struct uploader *uploader)
{
	int limit = uploader->troubles ? 1 : uploader->tree->store->jobs;
	int64_t now = now_ms();

	while (!uploader->stopping && uploader->running.count < limit) {
		struct upload *upload = next_due(uploader, now);
		struct error err = ERROR_INIT;

		if (!upload) {
			begin_later(uploader, now);
			break;
		}
		upload_begin(uploader, upload);
		if (pool_submit(uploader->pool, upload_run, upload, &err)) {
			upload_end(uploader, upload);
			upload_failed(upload, &err);
			node_unpin(&uploader->tree->inodes, upload->node);
		}
	}
}

static void begin_now(void *context)
{
	struct uploader *uploader = context;

	pthread_mutex_lock(&uploader->tree->lock);
	begin_some(uploader);
	pthread_mutex_unlock(&uploader->tree->lock);
}

/* The file was written again, removed, or committed meanwhile. */
static void upload_cancelled(struct upload *upload)
{
	upload->state = UPLOAD_IDLE;
	upload->digest = (struct digest)DIGEST_NONE;
	upload->due_ms = now_ms() + REWRITTEN_MS;
	upload_consider(upload->uploader->tree, upload->node);
}

static int upload_send(struct upload *upload, struct error *err)
{
	struct tree *tree = upload->uploader->tree;
	struct store_source source = {.fd = staged_fd(upload->staged)};
	struct digest digest;

	if (staged_seal(upload->staged, &digest, &source.size, &upload->cancel, err))
		return -1;
	pthread_mutex_lock(&tree->lock);
	upload->digest = digest;
	pthread_mutex_unlock(&tree->lock);
	return store_blob_put(tree->store, &digest, &source, &upload->cancel, err);
}

static void upload_run(void *context)
{
	struct upload *upload = context;
	struct uploader *uploader = upload->uploader;
	struct tree *tree = uploader->tree;
	struct error err = ERROR_INIT;
	int result = upload_send(upload, &err);
	bool cancelled;

	pthread_mutex_lock(&tree->lock);
	cancelled = cancel_fired(&upload->cancel);
	upload_end(uploader, upload);
	if (cancelled)
		upload_cancelled(upload);
	else if (result)
		upload_failed(upload, &err);
	else
		upload_succeeded(upload);
	node_unpin(&tree->inodes, upload->node);
	begin_some(uploader);
	pthread_mutex_unlock(&tree->lock);
}

static bool is_wanted(const struct tree *tree, struct node *node)
{
	const struct node *folder = node_folder(node);

	return folder && !folder->folder->read_only && node->file->changed && node->file->staged &&
	       !file_is_in_progress(node->file) && !node_is_text(node) &&
	       !node_is_scratch(tree, node) && !durable_is_doubtful(node);
}

static struct upload *upload_of(struct uploader *uploader, struct node *node)
{
	struct upload *upload = node->file->upload;

	if (!upload)
		upload = node->file->upload = calloc(1, sizeof *upload);
	if (upload) {
		upload->uploader = uploader;
		upload->node = node;
	}
	return upload;
}

/* Another content, or the same again after it was given up. */
static void upload_enqueue(struct upload *upload)
{
	/* who closes it again wants to know whether it can be sent now */
	if (upload->error)
		upload->uploader->due_ms = upload->due_ms = 0;
	if (!upload->untold)
		forget_error(upload);
	upload->tries = 0;
	upload->state = UPLOAD_WAITING;
	list_append(&upload->uploader->waiting, upload);
}

static void consider_file(struct tree *tree, struct node *node)
{
	struct upload *upload;

	if (!is_wanted(tree, node)) {
		upload_withdraw(tree, node);
		return;
	}
	upload = upload_of(tree->uploader, node);
	/* where there is no memory for it the commit sends it */
	if (upload && upload->state == UPLOAD_IDLE)
		upload_enqueue(upload);
	else if (upload && upload->state == UPLOAD_FAILED)
		tree->uploader->due_ms = upload->due_ms = 0;
}

static void consider_all(struct tree *tree, struct node *node)
{
	struct node *attached = referrers_of(node);
	size_t i;

	if (node->kind == NODE_FILE)
		consider_file(tree, node);
	for (i = 0; i < node->children.count; i++)
		consider_all(tree, node->children.items[i]);
	if (attached)
		consider_all(tree, attached);
}

void upload_consider(struct tree *tree, struct node *node)
{
	if (!tree->uploader || tree->uploader->stopping)
		return;
	consider_all(tree, node);
	begin_some(tree->uploader);
}

void upload_withdraw(struct tree *tree, struct node *node)
{
	struct upload *upload = node->file ? node->file->upload : NULL;

	if (!upload)
		return;
	if (upload->state == UPLOAD_RUNNING) {
		cancel_fire(&upload->cancel);
		return;
	}
	if (upload->state == UPLOAD_WAITING || upload->state == UPLOAD_FAILED)
		list_remove(&tree->uploader->waiting, upload);
	upload->state = UPLOAD_IDLE;
	upload->digest = (struct digest)DIGEST_NONE;
}

void upload_let_go(struct tree *tree, struct node *node)
{
	struct timespec until;

	upload_withdraw(tree, node);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += LET_GO_NS;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (node->file->upload && node->file->upload->state == UPLOAD_RUNNING)
		if (pthread_cond_timedwait(&tree->uploader->ended, &tree->lock, &until))
			break;
}

void upload_again(struct tree *tree)
{
	struct uploader *uploader = tree->uploader;
	struct upload *upload;

	if (!uploader)
		return;
	uploader->troubles = 0;
	uploader->due_ms = 0;
	for (upload = uploader->waiting.first; upload; upload = upload->next)
		upload->due_ms = 0;
	begin_some(uploader);
}

int upload_told(struct tree *tree, struct node *node, struct error *err)
{
	struct upload *upload;
	int result = 0;

	pthread_mutex_lock(&tree->lock);
	upload = node->file ? node->file->upload : NULL;
	if (upload && upload->untold) {
		upload->untold = false;
		result = error_copy(err, upload->error);
	}
	pthread_mutex_unlock(&tree->lock);
	return result;
}

bool upload_look(const struct tree *tree, const struct node *node, struct upload_view *out)
{
	static const char *const states[] = {
		[UPLOAD_WAITING] = "staged",
		[UPLOAD_RUNNING] = "uploading",
		[UPLOAD_DONE] = "uploaded",
		[UPLOAD_FAILED] = "failed",
	};
	const struct upload *upload = node->file->upload;

	if (!upload || upload->state == UPLOAD_IDLE)
		return false;
	*out = (struct upload_view){
		.state = states[upload->state],
		.size = staged_size(node->file->staged),
		.tries = upload->tries,
		.error = upload->error,
	};
	if (upload->state == UPLOAD_DONE)
		out->sent = out->size;
	/* a commit may be sending it */
	else if (digest_is_set(&upload->digest) &&
		 store_blob_sending(tree->store, &upload->digest, &out->sent))
		out->state = states[UPLOAD_RUNNING];
	return true;
}

void upload_free(struct upload *upload)
{
	if (!upload)
		return;
	if (upload->state == UPLOAD_WAITING || upload->state == UPLOAD_FAILED)
		list_remove(&upload->uploader->waiting, upload);
	free(upload->error);
	free(upload);
}

static int uploader_new(struct uploader **out, struct tree *tree, struct error *err)
{
	struct uploader *uploader = calloc(1, sizeof *uploader);
	pthread_condattr_t monotonic;

	*out = uploader;
	if (!uploader)
		return error_set_memory(err);
	uploader->tree = tree;
	uploader->waiting.last = &uploader->waiting.first;
	uploader->running.last = &uploader->running.first;
	uploader->later = (struct timer_task){.run = begin_now, .context = uploader};
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&uploader->ended, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return pool_new(&uploader->pool, tree->store->jobs, err);
}

int uploader_start(struct tree *tree, int64_t pause_ms, struct error *err)
{
	struct uploader *uploader;

	if (tree->options.read_only || !tree->store->sender)
		return 0;
	if (uploader_new(&uploader, tree, err)) {
		uploader_free(uploader);
		return -1;
	}
	uploader->pause_ms = pause_ms;
	uploader->troubles = tree->offline;
	pthread_mutex_lock(&tree->lock);
	tree->uploader = uploader;
	upload_consider(tree, tree->root);
	pthread_mutex_unlock(&tree->lock);
	return 0;
}

void uploader_stop(struct tree *tree)
{
	struct uploader *uploader = tree->uploader;
	struct upload *upload;

	if (!uploader)
		return;
	pthread_mutex_lock(&tree->lock);
	uploader->stopping = true;
	for (upload = uploader->running.first; upload; upload = upload->next)
		cancel_fire(&upload->cancel);
	pthread_mutex_unlock(&tree->lock);
	timer_disarm(tree->timer, &uploader->later);
	pool_free(steal_ptr(uploader->pool));
}

void uploader_free(struct uploader *uploader)
{
	if (!uploader)
		return;
	pool_free(uploader->pool);
	pthread_cond_destroy(&uploader->ended);
	free(uploader);
}
