#include "fs/tree/history.h"

#include <errno.h>
#include <fcntl.h>
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
#include "fs/tree/referrers.h"
#include "fs/tree/tag.h"
#include "fs/work/saved.h"

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
	if (record_notes(&text, folder, err))
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

/* What is to be attached stands in the folder that it is of. */
static int keep_folders(struct tree *tree, const struct node *folder, struct error *err)
{
	const struct node *owner =
		attach_is_pending(folder) ? referrers_owner(folder->parent) : NULL;

	if (owner && owner->kind == NODE_FOLDER && keep_folder(tree, owner, err))
		return -1;
	return keep_folder(tree, folder, err);
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
		struct record base = record_base(tree->root);

		if (version_exists(tag_origin(tree->root->tag)) &&
			saved_put(history->kept_fd, &tag_origin(tree->root->tag)->root, err))
			return -1;
		if (journal_append(history->journal, &base, 1, err))
			return -1;
	}
	return folder ? keep_folders(tree, folder, err) : 0;
}

static int append(
	struct tree *tree, const struct node *node, const struct record *record, struct error *err)
{
	if (!record->texts[0])
		return error_set_memory(err);
	return keep_base(tree, node, err) || write_record(tree, record, err) ? -1 : 0;
}

int history_made(struct tree *tree, const struct node *node, struct error *err)
{
	cleanup_free char *path = NULL;
	struct record_numbers numbers, disk_numbers;
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
	records[0] = record_node(node, path, &numbers);
	if (node->file && record_disk(&records[1], node->file->staged, &disk_numbers))
		count = 2;
	return keep_base(tree, node, err) || write_records(tree, records, count, err) ? -1 : 0;
}

int history_on_disk(struct tree *tree, struct staged *staged, struct error *err)
{
	struct record_numbers numbers;
	struct record record;

	if (!is_recording(tree) || history_is_empty(tree->history) || tree->history->behind ||
		!record_disk(&record, staged, &numbers))
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
	char mode[RECORD_NUMBER_SIZE];
	struct record record = {.kind = RECORD_MODE, .texts = {path, mode}};

	if (!is_recording(tree) || !node->parent)
		return 0;
	snprintf(mode, sizeof mode, "%o", (unsigned)(node->mode & 0777));
	return append(tree, node, &record, err);
}

int history_time(struct tree *tree, const struct node *node, struct error *err)
{
	cleanup_free char *path = is_recording(tree) && node->parent ? node_path(node, NULL) : NULL;
	char time[RECORD_NUMBER_SIZE];
	struct record record = {.kind = RECORD_TIME, .texts = {path, time}};

	/* times alone are no change: they aren't worth a journal */
	if (!is_recording(tree) || !node->parent || history_is_empty(tree->history))
		return 0;
	record_time(time, &node->mtime);
	return append(tree, node, &record, err);
}

int history_intent(struct tree *tree, const struct intent *intent, struct error *err)
{
	struct record record = record_intent(intent);

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

int history_notes(struct tree *tree, const struct node *owner, const char *text, struct error *err)
{
	cleanup_free char *path = is_recording(tree) ? node_path(owner, NULL) : NULL;
	struct record record = {.kind = RECORD_NOTES, .texts = {path, text}};

	return is_recording(tree) ? append(tree, owner, &record, err) : 0;
}

int history_given(struct tree *tree, const struct node *owner, const char *name, const char *text,
	bool whole, struct error *err)
{
	cleanup_free char *path = is_recording(tree) ? node_path(owner, NULL) : NULL;
	struct record record = record_given(path, name, text, whole);

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
