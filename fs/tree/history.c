#include "fs/tree/history.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "fs/tree/attach.h"
#include "fs/tree/durable.h"
#include "fs/tree/file.h"
#include "fs/tree/folder.h"
#include "fs/tree/history_record.h"
#include "fs/tree/notes.h"
#include "fs/tree/tag.h"
#include "fs/work/saved.h"
#include "layer_path.h"

#define NUMBER_SIZE 48

int history_open(struct history **out, const char *dir, struct error *err)
{
	struct history *history = calloc(1, sizeof *history);

	*out = NULL;
	if (!history)
		return error_set_memory(err);
	history->kept_fd = -1;
	history->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (history->dir_fd >= 0 &&
		(mkdirat(history->dir_fd, "base", 0700) == 0 || errno == EEXIST))
		history->kept_fd = openat(
			history->dir_fd, "base", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (history->kept_fd < 0) {
		error_set_errno(err, errno, "can't open %s", dir);
		history_close(history);
		return -1;
	}
	if (journal_open(&history->journal, history->dir_fd, "journal", err)) {
		history_close(history);
		return -1;
	}
	boot_id(history->boot);
	*out = history;
	return 0;
}

void history_close(struct history *history)
{
	if (!history)
		return;
	journal_close(history->journal);
	if (history->kept_fd >= 0)
		close(history->kept_fd);
	if (history->dir_fd >= 0)
		close(history->dir_fd);
	free(history);
}

bool history_is_empty(const struct history *history)
{
	return !history || journal_is_empty(history->journal);
}

bool history_is_kept(const struct history *history)
{
	return history && journal_is_kept(history->journal);
}

int history_document(struct history *history, struct document *out, const struct digest *digest,
	struct error *err)
{
	if (!history)
		return error_set(err, ERROR_NOT_FOUND, "%s isn't kept", digest->text);
	return saved_get(history->kept_fd, out, digest, err);
}

static bool is_recording(const struct tree *tree)
{
	return tree->history && !tree->replaying;
}

static struct record base_record(const struct node *root)
{
	const struct version *base = tag_origin(root->tag);
	struct record record = {.kind = RECORD_BASE, .texts = {""}};

	if (version_exists(base))
		record.texts[0] = base->root.digest.text;
	if (version_is_single(base))
		record.texts[1] = base->entry.json;
	return record;
}

/* Before the first record of a mount: what is not on disk is so only in this life of the machine.
 */
static int tell_boot(struct history *history, struct error *err)
{
	struct record record = {.kind = RECORD_BOOT, .texts = {history->boot}};

	if (history->boot_told)
		return 0;
	if (journal_append(history->journal, &record, 1, err))
		return -1;
	history->boot_told = true;
	return 0;
}

static int write_records(
	struct tree *tree, const struct record *records, size_t count, struct error *err)
{
	if (tell_boot(tree->history, err) ||
		journal_append(tree->history->journal, records, count, err))
		return -1;
	tree->history->unsynced = true;
	durable_soon(tree);
	return 0;
}

static int write_record(struct tree *tree, const struct record *record, struct error *err)
{
	return write_records(tree, record, 1, err);
}

static int notes_record(struct buf *text, const struct node *owner, struct error *err)
{
	if (owner->kind == NODE_TAG)
		return index_annotations_format(text, &owner->tag->annotations, err);
	return annotation_file_format(text, &owner->folder->notes, err);
}

/* A folder that the base doesn't have: new, or left out by a commit because it was empty. */
static int tell_of_folder(struct tree *tree, const struct node *folder, struct error *err)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(JOURNAL_RECORD_MAX);
	cleanup_free char *path = node_path(folder, NULL);
	struct record made = {.kind = RECORD_FOLDER, .texts = {path}};
	struct record notes = {.kind = RECORD_NOTES, .texts = {path}};

	if (!path)
		return error_set_memory(err);
	if (write_record(tree, &made, err))
		return -1;
	if (!notes_say_something(folder))
		return 0;
	if (notes_record(&text, folder, err))
		return -1;
	notes.texts[1] = text.data;
	return write_record(tree, &notes, err);
}

static int keep_folder(struct tree *tree, const struct node *node, struct error *err)
{
	struct folder *folder = node->folder;
	int result;

	if (folder->kept || (folder->has_entry && !folder->manifest))
		return 0;
	result = folder->manifest ? saved_put(tree->history->kept_fd, folder->manifest, err)
				  : tell_of_folder(tree, node, err);
	folder->kept = !result;
	return result;
}

/* The base goes before the first record, and what a folder is before the first that is about the
 * folder. */
static int keep_base(struct tree *tree, const struct node *node, struct error *err)
{
	struct history *history = tree->history;
	struct node *folder = node_folder((struct node *)node);

	if (history->behind && history_rebase(tree, err))
		return -1;
	if (journal_is_empty(history->journal)) {
		struct record base = base_record(tree->root);

		if (version_exists(tag_origin(tree->root->tag)) &&
			saved_put(history->kept_fd, &tag_origin(tree->root->tag)->root, err))
			return -1;
		if (journal_append(history->journal, &base, 1, err))
			return -1;
	}
	return folder ? keep_folder(tree, folder, err) : 0;
}

static int append(
	struct tree *tree, const struct node *node, const struct record *record, struct error *err)
{
	if (!record->texts[0])
		return error_set_memory(err);
	return keep_base(tree, node, err) || write_record(tree, record, err) ? -1 : 0;
}

/* Room for the texts of a record that are numbers. */
struct numbers {
	char id[NUMBER_SIZE], mode[NUMBER_SIZE], order[NUMBER_SIZE], time[NUMBER_SIZE];
};

static void time_text(char out[static NUMBER_SIZE], const struct timespec *time)
{
	snprintf(out, NUMBER_SIZE, "%lld.%09ld", (long long)time->tv_sec, time->tv_nsec);
}

static struct record node_record(const struct node *node, const char *path, struct numbers *numbers)
{
	struct record record = {.kind = RECORD_FOLDER, .texts = {path}};

	if (node->kind != NODE_FILE)
		return record;
	snprintf(numbers->mode, NUMBER_SIZE, "%o", (unsigned)(node->mode & 0777));
	snprintf(numbers->order, NUMBER_SIZE, "%" PRIu64, node->order);
	time_text(numbers->time, &node->mtime);
	record.kind = RECORD_LAYER;
	record.texts[1] = node->file->has_layer ? node->file->layer.json : "";
	if (node->file->staged) {
		snprintf(numbers->id, NUMBER_SIZE, "%" PRIu64, staged_id(node->file->staged));
		record.kind = RECORD_FILE;
		record.texts[1] = numbers->id;
		record.texts[5] = node->file->has_layer ? node->file->layer.json : "";
	}
	record.texts[2] = numbers->mode;
	record.texts[3] = numbers->order;
	record.texts[4] = numbers->time;
	return record;
}

/* What is known of the file's bytes and the disk; false where that is nothing. */
static bool disk_record(struct record *out, struct staged *staged, struct numbers *numbers)
{
	enum staged_disk disk = staged ? staged_disk(staged) : STAGED_CACHED;

	if (disk == STAGED_CACHED)
		return false;
	*out = (struct record){.kind = disk == STAGED_ON_DISK ? RECORD_ON_DISK : RECORD_DOUBTFUL,
		.texts = {numbers->id, numbers->order}};
	snprintf(numbers->id, NUMBER_SIZE, "%" PRIu64, staged_id(staged));
	snprintf(numbers->order, NUMBER_SIZE, "%" PRId64, staged_size(staged));
	return true;
}

int history_made(struct tree *tree, const struct node *node, struct error *err)
{
	cleanup_free char *path = NULL;
	struct numbers numbers, disk_numbers;
	struct record records[2];
	size_t count = 1;

	if (tree->replaying && node->folder)
		node->folder->kept = true;
	if (!is_recording(tree) || !node->parent)
		return 0;
	if (node->folder)
		return keep_base(tree, node, err);
	path = node_path(node, NULL);
	if (!path)
		return error_set_memory(err);
	records[0] = node_record(node, path, &numbers);
	if (node->file && disk_record(&records[1], node->file->staged, &disk_numbers))
		count = 2;
	return keep_base(tree, node, err) || write_records(tree, records, count, err) ? -1 : 0;
}

int history_on_disk(struct tree *tree, struct staged *staged, struct error *err)
{
	struct numbers numbers;
	struct record record;

	if (!is_recording(tree) || history_is_empty(tree->history) || tree->history->behind ||
		!disk_record(&record, staged, &numbers))
		return 0;
	return journal_append(tree->history->journal, &record, 1, err);
}

int history_removed(struct tree *tree, const struct node *node, struct error *err)
{
	cleanup_free char *path = is_recording(tree) ? node_path(node, NULL) : NULL;
	struct record record = {.kind = RECORD_REMOVED, .texts = {path}};

	return is_recording(tree) ? append(tree, node, &record, err) : 0;
}

int history_renamed(struct tree *tree, const struct node *node, const struct node *new_parent,
	const char *new_name, struct error *err)
{
	cleanup_with(buf_free) struct buf to = BUF_INIT(BUF_UNBOUNDED);
	cleanup_free char *path = NULL, *above = NULL;
	struct record record = {.kind = RECORD_RENAMED};

	if (!is_recording(tree))
		return 0;
	path = node_path(node, NULL);
	above = node_path(new_parent, NULL);
	if (!path || !above || buf_printf(&to, "%s%s%s", above, *above ? "/" : "", new_name))
		return error_set_memory(err);
	if (keep_base(tree, new_parent, err))
		return -1;
	record.texts[0] = path;
	record.texts[1] = to.data;
	return append(tree, node, &record, err);
}

int history_mode(struct tree *tree, const struct node *node, struct error *err)
{
	cleanup_free char *path = is_recording(tree) && node->parent ? node_path(node, NULL) : NULL;
	char mode[NUMBER_SIZE];
	struct record record = {.kind = RECORD_MODE, .texts = {path, mode}};

	if (!is_recording(tree) || !node->parent)
		return 0;
	snprintf(mode, sizeof mode, "%o", (unsigned)(node->mode & 0777));
	return append(tree, node, &record, err);
}

int history_time(struct tree *tree, const struct node *node, struct error *err)
{
	cleanup_free char *path = is_recording(tree) && node->parent ? node_path(node, NULL) : NULL;
	char time[NUMBER_SIZE];
	struct record record = {.kind = RECORD_TIME, .texts = {path, time}};

	/* times alone are no change: they aren't worth a journal */
	if (!is_recording(tree) || !node->parent || history_is_empty(tree->history))
		return 0;
	time_text(time, &node->mtime);
	return append(tree, node, &record, err);
}

static struct record intent_record(const struct intent *intent)
{
	return (struct record){
		.kind = RECORD_INTENT, .texts = {intent->root.text, intent->ours.text}};
}

int history_intent(struct tree *tree, const struct intent *intent, struct error *err)
{
	struct record record = intent_record(intent);

	if (!is_recording(tree))
		return 0;
	if (append(tree, tree->root, &record, err))
		return -1;
	return journal_sync(tree->history->journal, err);
}

int history_keep(
	struct tree *tree, const struct document *documents, size_t count, struct error *err)
{
	for (size_t i = 0; is_recording(tree) && i < count; i++)
		if (saved_put(tree->history->kept_fd, &documents[i], err))
			return -1;
	return 0;
}

int history_notes(struct tree *tree, const struct node *owner, struct error *err)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(JOURNAL_RECORD_MAX);
	cleanup_free char *path = NULL;
	struct record record = {.kind = RECORD_NOTES};

	if (!is_recording(tree))
		return 0;
	path = node_path(owner, NULL);
	if (notes_record(&text, owner, err))
		return -1;
	record.texts[0] = path;
	record.texts[1] = text.data;
	return append(tree, owner, &record, err);
}

static struct record given_record(const char *path, const char *name, const char *text, bool whole)
{
	return (struct record){
		.kind = RECORD_GIVEN, .texts = {path, name, text, whole ? "whole" : ""}};
}

int history_given(struct tree *tree, const struct node *owner, const char *name, const char *text,
	bool whole, struct error *err)
{
	cleanup_free char *path = is_recording(tree) ? node_path(owner, NULL) : NULL;
	struct record record = given_record(path, name, text, whole);

	return is_recording(tree) ? append(tree, owner, &record, err) : 0;
}

int history_annotated(struct tree *tree, const struct node *node, const char *key,
	const char *value, struct error *err)
{
	cleanup_free char *path = NULL;
	struct record record = {.kind = value ? RECORD_ANNOTATED : RECORD_UNANNOTATED};

	if (!is_recording(tree) || (!node->parent && node != tree->root))
		return 0;
	path = node_path(node, NULL);
	record.texts[0] = path;
	record.texts[1] = key;
	record.texts[2] = value;
	return append(tree, node, &record, err);
}

int history_media_type(struct tree *tree, const struct node *node, struct error *err)
{
	cleanup_free char *path = is_recording(tree) && node->parent ? node_path(node, NULL) : NULL;
	struct record record = {.kind = RECORD_MEDIA_TYPE, .texts = {path, node->file->media_type}};

	if (!is_recording(tree) || !node->parent)
		return 0;
	return append(tree, node, &record, err);
}

int history_flush_begin(struct tree *tree)
{
	if (!tree->history)
		return -1;
	tree->history->unsynced = false;
	return journal_dup(tree->history->journal);
}

int history_flush(struct tree *tree, int fd, struct error *err)
{
	int result = 0;

	if (fd < 0)
		return 0;
	if (fdatasync(fd) || fsync(tree->history->dir_fd))
		result = error_set_errno(err, errno, "can't write the journal");
	close(fd);
	if (result) {
		pthread_mutex_lock(&tree->lock);
		tree->history->unsynced = true;
		pthread_mutex_unlock(&tree->lock);
	}
	return result;
}

bool history_is_flushed(const struct tree *tree)
{
	return !tree->history || !(tree->history->unsynced || tree->history->behind);
}

bool history_is_behind(const struct tree *tree)
{
	return tree->history && tree->history->behind;
}

bool history_has_grown(const struct tree *tree)
{
	return tree->history && journal_has_grown(tree->history->journal);
}

/* What is written when the journal is made anew. */
struct snapshot {
	struct tree *tree;
	struct buf text;
	struct error *err;
	bool listed; /* the folders */
};

static int put(struct snapshot *snapshot, const struct record *record)
{
	if (!record->texts[0])
		return error_set_memory(snapshot->err);
	return journal_format(&snapshot->text, record, snapshot->err);
}

static int put_path(struct snapshot *snapshot, char kind, const struct node *node)
{
	cleanup_free char *path = node_path(node, NULL);
	struct record record = {.kind = kind, .texts = {path}};

	return put(snapshot, &record);
}

static int put_contents(struct snapshot *snapshot, const struct node *directory);

static int put_time(struct snapshot *snapshot, const struct node *node, const char *path)
{
	char time[NUMBER_SIZE];
	struct record record = {.kind = RECORD_TIME, .texts = {path, time}};

	time_text(time, &node->mtime);
	return put(snapshot, &record);
}

/* What hangs on a file beside its content. */
static int put_attributes(struct snapshot *snapshot, const struct node *node, const char *path)
{
	const struct file *file = node->file;
	struct record record = {.texts = {path}};
	size_t i;

	if (put_time(snapshot, node, path))
		return -1;
	if (file && file->media_type) {
		record.kind = RECORD_MEDIA_TYPE;
		record.texts[1] = file->media_type;
		if (put(snapshot, &record))
			return -1;
	}
	record.kind = RECORD_ANNOTATED;
	for (i = 0; file && i < file->aside.count; i++) {
		record.texts[1] = file->aside.items[i].key;
		record.texts[2] = file->aside.items[i].value;
		if (put(snapshot, &record))
			return -1;
	}
	return 0;
}

static int put_node(struct snapshot *snapshot, const struct node *node)
{
	cleanup_free char *path = NULL;
	struct numbers numbers;
	struct record record;

	/* annotations.json that nobody wrote is made from the notes */
	if (node_is_text(node) && !node->file->staged)
		return 0;
	path = node_path(node, NULL);
	record = node_record(node, path, &numbers);
	if (put(snapshot, &record) || put_attributes(snapshot, node, path))
		return -1;
	if (node->file && disk_record(&record, node->file->staged, &numbers) &&
		put(snapshot, &record))
		return -1;
	return node->kind == NODE_DIRECTORY ? put_contents(snapshot, node) : 0;
}

static int put_contents(struct snapshot *snapshot, const struct node *directory)
{
	size_t i;

	for (i = 0; i < directory->children.count; i++)
		if (put_node(snapshot, directory->children.items[i]))
			return -1;
	return 0;
}

/* The base's, whatever was given upon it. */
static int save_manifest(struct snapshot *snapshot, const struct folder *folder)
{
	if (!folder->manifest || folder->given)
		return 0;
	return saved_put(snapshot->tree->history->kept_fd, folder->manifest, snapshot->err);
}

/* The journal stands on the manifest of a folder that it puts something into. */
static int put_only_here(struct snapshot *snapshot, const struct node *node)
{
	struct folder *folder = node_folder((struct node *)node)->folder;

	if (save_manifest(snapshot, folder))
		return -1;
	return put_node(snapshot, node);
}

/* What was written in .oci and not taken over, and what programs have left there. */
static int put_control(struct snapshot *snapshot, const struct node *owner)
{
	const struct node *control = owner->children.control;
	int result = 0;

	for (size_t i = 0; control && i < control->children.count && !result; i++) {
		const struct node *node = control->children.items[i];

		if (node->kind != NODE_FILE || !node->file->staged)
			continue;
		result = owner->folder ? put_only_here(snapshot, node) : put_node(snapshot, node);
	}
	return result;
}

/* What is only here, in a folder that is as it was. */
static int put_scratch(struct snapshot *snapshot, const struct node *directory)
{
	size_t i;
	int result = 0;

	for (i = 0; i < directory->children.count && !result; i++) {
		const struct node *child = directory->children.items[i];

		/* a directory comes with what is in it */
		if (child->kind == NODE_DIRECTORY)
			result = put_scratch(snapshot, child);
		else if (node_is_scratch(snapshot->tree, child))
			result = put_only_here(snapshot, child);
	}
	return result;
}

static int put_notes(struct snapshot *snapshot, const struct node *owner)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(JOURNAL_RECORD_MAX);
	cleanup_free char *path = node_path(owner, NULL);
	struct record record = {.kind = RECORD_NOTES, .texts = {path}};

	if (notes_record(&text, owner, snapshot->err))
		return -1;
	record.texts[1] = text.data;
	return put(snapshot, &record);
}

/* A folder that is in no index comes back with its notes where it does: as one of those that the
 * journal lists, or because of a scratch file in it. */
static int put_unchanged(struct snapshot *snapshot, const struct node *node)
{
	size_t before = snapshot->text.len;
	bool comes_back;

	if (put_scratch(snapshot, node) || put_control(snapshot, node))
		return -1;
	comes_back = snapshot->listed || snapshot->text.len != before;
	if (node->folder->has_entry || !comes_back || !notes_say_something(node))
		return 0;
	return put_notes(snapshot, node);
}

static bool has_draft(const struct node *owner)
{
	const struct node *file = node_child(owner, ANNOTATIONS_NAME);

	return file && file->kind == NODE_FILE && file->file->changed;
}

static int put_left(struct snapshot *snapshot, const struct node *node)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(JOURNAL_RECORD_MAX);
	cleanup_free char *path = node_path(node, NULL);
	struct record record = {.kind = RECORD_LEFT, .texts = {path}};

	if (!node->folder->left.layer_count)
		return 0;
	if (annotation_file_format(&text, &node->folder->left, snapshot->err))
		return -1;
	record.texts[1] = text.data;
	return put(snapshot, &record);
}

static int put_given(
	struct snapshot *snapshot, const struct node *owner, const char *name, const char *text)
{
	cleanup_free char *path = node_path(owner, NULL);
	bool whole = owner->folder ? owner->folder->whole : owner->tag->whole;
	struct record record = given_record(path, name, text, whole);

	return put(snapshot, &record);
}

static int put_given_to_folder(struct snapshot *snapshot, const struct node *node)
{
	const struct folder *folder = node->folder;

	if (folder->given &&
		put_given(snapshot, node, folder->whole ? "manifest.json" : "artifact-type",
			folder->manifest->json))
		return -1;
	if (!folder->has_given_entry)
		return 0;
	return put_given(snapshot, node, "descriptor.json", folder->given_entry.json);
}

/* A folder that has changed: all of its content. */
static int put_folder(struct snapshot *snapshot, struct node *node)
{
	const struct folder *folder = node->folder;

	if (!folder_is_loaded(node))
		return 0;
	if (!folder_is_changed(folder))
		return put_unchanged(snapshot, node);
	if (save_manifest(snapshot, folder) || put_given_to_folder(snapshot, node))
		return -1;
	if (put_path(snapshot, RECORD_CLEAR, node))
		return -1;
	/* a draft that isn't taken over comes after the notes, or it would pass for them */
	if (has_draft(node) && put_notes(snapshot, node))
		return -1;
	if (put_contents(snapshot, node))
		return -1;
	if (!has_draft(node) && put_notes(snapshot, node))
		return -1;
	return put_left(snapshot, node) || put_control(snapshot, node) ? -1 : 0;
}

static int put_entry(struct snapshot *snapshot, const struct node *node)
{
	char number[NUMBER_SIZE];
	struct record record = {.kind = RECORD_ENTRY, .texts = {node->name, number}};

	if (!node->folder->has_entry)
		record.kind = RECORD_FOLDER;
	snprintf(number, sizeof number, "%" PRIu64, node->order);
	return put(snapshot, &record);
}

static int put_base(struct snapshot *snapshot)
{
	struct record base = base_record(snapshot->tree->root);
	struct record boot = {.kind = RECORD_BOOT, .texts = {snapshot->tree->history->boot}};

	return put(snapshot, &base) || put(snapshot, &boot) ? -1 : 0;
}

static int put_intents(struct snapshot *snapshot)
{
	const struct intents *intents = &snapshot->tree->root->tag->intents;
	size_t i = intents->count < INTENTS_MAX ? 0 : intents->count - INTENTS_MAX;

	for (; i < intents->count; i++) {
		struct record record = intent_record(&intents->items[i % INTENTS_MAX]);

		if (put(snapshot, &record))
			return -1;
	}
	return 0;
}

/* What is to be attached, also where nothing is in it yet. */
static int put_attached(void *context, struct node *node)
{
	return put_path(context, RECORD_FOLDER, node) || put_folder(context, node) ? -1 : 0;
}

static int put_all(struct snapshot *snapshot)
{
	const struct node *root = snapshot->tree->root;
	bool listed = root->tag->changes != root->tag->committed;
	size_t i;

	if (root->tag->given &&
		put_given(snapshot, root, root->tag->whole ? "index.json" : "artifact-type",
			root->tag->base.root.json))
		return -1;
	snapshot->listed = listed;
	if (listed && put_path(snapshot, RECORD_CLEAR, root))
		return -1;
	if (listed && has_draft(root) && put_notes(snapshot, root))
		return -1;
	for (i = 0; i < root->children.count; i++) {
		struct node *node = root->children.items[i];

		if (!node->folder) {
			if (put_node(snapshot, node))
				return -1;
			continue;
		}
		if ((listed && put_entry(snapshot, node)) || put_folder(snapshot, node))
			return -1;
	}
	if (listed && !has_draft(root) && put_notes(snapshot, root))
		return -1;
	return put_control(snapshot, root) || attach_each(root, put_attached, snapshot) ? -1 : 0;
}

static void forget_kept(struct tree *tree)
{
	size_t i;

	saved_clear(tree->history->kept_fd);
	for (i = 0; i < tree->root->children.count; i++)
		if (tree->root->children.items[i]->folder)
			tree->root->children.items[i]->folder->kept = false;
}

/* The journal on disk is what the tree shows: nothing that has gone is told of any more. */
static void rebased(struct tree *tree, bool tells_boot)
{
	struct staging_gone gone;

	staging_hold(tree->staging, false);
	gone = staging_take_gone(tree->staging);
	staging_remove_gone(tree->staging, &gone);
	tree->history->boot_told = tells_boot;
	tree->history->unsynced = tree->history->behind = false;
}

int history_compact(struct tree *tree, struct error *err)
{
	struct snapshot snapshot = {.tree = tree, .text = BUF_INIT(BUF_UNBOUNDED), .err = err};
	const struct node *root = tree->root;
	size_t base;
	int result;

	if (!tree->history)
		return 0;
	result = put_base(&snapshot);
	base = snapshot.text.len;
	if (!result)
		result = put_all(&snapshot);
	/* nothing differs: there is nothing to be kept */
	if (!result && snapshot.text.len == base &&
		!(root->tag->committing && root->tag->intents.count))
		buf_reset(&snapshot.text);
	else if (!result)
		result = put_intents(&snapshot) ||
			 put(&snapshot, &(struct record){.kind = RECORD_END, .texts = {""}});
	if (!result && snapshot.text.len && version_exists(tag_origin(root->tag)))
		result = saved_put(tree->history->kept_fd, &tag_origin(root->tag)->root, err);
	if (!result)
		result = journal_replace(tree->history->journal, &snapshot.text, err);
	if (!result)
		rebased(tree, snapshot.text.len > 0);
	if (!result && !snapshot.text.len)
		forget_kept(tree);
	buf_free(&snapshot.text);
	return result;
}

int history_rebase(struct tree *tree, struct error *err)
{
	if (history_compact(tree, err) == 0)
		return 0;
	tree->history->behind = true;
	staging_hold(tree->staging, true);
	durable_soon(tree);
	return -1;
}
