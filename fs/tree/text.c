#include "fs/tree/text.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cleanup.h"
#include "fs/tree/file.h"
#include "fs/tree/folder.h"
#include "fs/tree/given.h"
#include "fs/tree/notes.h"
#include "fs/tree/tag.h"
#include "layer_path.h"

bool node_is_text(const struct node *node)
{
	return node_is_annotations(node) || node_is_document(node);
}

int text_make(struct node *file, struct buf *out, struct error *err)
{
	return node_is_document(file) ? given_text(file, out, err) : notes_text(file, out, err);
}

static int read_draft(struct staged *staged, struct buf *out, struct error *err)
{
	int64_t size = staged_size(staged);
	cleanup_free char *bytes = NULL;
	ssize_t got;

	if (size > (int64_t)TEXT_MAX)
		return error_set(err, ERROR_TOO_LARGE, "it is over 4 MiB");
	bytes = malloc((size_t)size + 1);
	if (!bytes)
		return error_set_memory(err);
	got = pread(staged_fd(staged), bytes, (size_t)size, 0);
	if (got < 0)
		return error_set_errno(err, errno, "reading the draft");
	return buf_append(out, bytes, (size_t)got) ? error_set_memory(err) : 0;
}

/* Remembers what is wrong with the draft, or that nothing is; the lock is held. */
static void draft_is(struct tree *tree, struct node *node, const struct error *err)
{
	struct file *file = node->file;

	free(file->draft);
	file->draft = NULL;
	file->changed = err != NULL;
	if (!err)
		return;
	tree_report(
		tree, node, "the draft is kept, and nothing is committed until it is mended", err);
	file->draft = malloc(sizeof *file->draft);
	if (file->draft)
		*file->draft = *err;
}

/* Whether it is the text that is wrong; else it may be taken another time. */
static bool is_of_text(const struct error *err)
{
	return err->kind == ERROR_INVALID || err->kind == ERROR_TOO_LARGE ||
	       err->kind == ERROR_NOT_FOUND || err->kind == ERROR_CORRUPT;
}

/* What was read, and what had to be asked for it. */
struct taking {
	struct staged *staged;
	uint64_t changes;
	struct buf text;
	struct given given;
};

static void taking_clear(struct taking *taking)
{
	if (taking->staged)
		staged_put_back(taking->staged);
	buf_free(&taking->text);
	given_clear(&taking->given);
}

/* *later: it can't be taken now. The lock is held. */
static int take(
	struct tree *tree, struct node *node, struct taking *taking, bool *later, struct error *err)
{
	const struct buf *text = &taking->text;

	*later = false;
	return node_is_document(node) ? given_take(tree, node, text, &taking->given, later, err)
				      : notes_take(tree, node, text->data, text->len, err);
}

static bool begin(struct taking *taking, struct tree *tree, struct node *node)
{
	pthread_mutex_lock(&tree->lock);
	if (node_is_text(node) && node->file->staged && node->file->changed) {
		taking->staged = staged_ref(node->file->staged);
		taking->changes = node->file->changes;
		given_begin(&taking->given, node);
		taking->given.staged = taking->staged;
		if (taking->given.owner)
			node_pin(taking->given.owner);
	}
	pthread_mutex_unlock(&tree->lock);
	return taking->staged;
}

/* What was taken is shown as what it has become. */
static void show(struct node *node)
{
	node->file->changed = given_is_kept(node);
	text_regenerate(node);
}

static int end(struct tree *tree, struct node *node, struct taking *taking, bool ready,
	struct error *reason)
{
	struct file *file = node->file;
	int result = ready ? 0 : -1;
	bool later = false;

	/* what was written, moved or removed meanwhile is somebody else's to take */
	if (!node_is_text(node) || !node_tag(node) || file->changes != taking->changes ||
		!file->staged)
		return 0;
	if (!result)
		result = take(tree, node, taking, &later, reason);
	if (later) {
		free(steal_ptr(file->draft));
		return 0;
	}
	file->judged = taking->changes;
	if (!result || is_of_text(reason))
		draft_is(tree, node, result ? reason : NULL);
	node_changed(node->parent);
	if (!result && node_is_document(node))
		show(node);
	return result;
}

static int text_take_as(struct tree *tree, struct node *node, bool by_commit, struct error *err)
{
	cleanup_with(taking_clear) struct taking taking = {.text = BUF_INIT(TEXT_MAX)};
	struct error reason = ERROR_INIT;
	bool ready;
	int result;

	if (!begin(&taking, tree, node))
		return 0;
	taking.given.by_commit = by_commit;
	ready = read_draft(taking.staged, &taking.text, &reason) == 0 &&
		given_ask(&taking.given, tree, &taking.text, &reason) == 0;
	pthread_mutex_lock(&tree->lock);
	result = end(tree, node, &taking, ready, &reason);
	if (taking.given.owner)
		node_unpin(&tree->inodes, taking.given.owner);
	pthread_mutex_unlock(&tree->lock);
	return result ? error_copy(err, &reason) : 0;
}

int text_take(struct tree *tree, struct node *node, struct error *err)
{
	return text_take_as(tree, node, false, err);
}

int text_take_for_commit(struct tree *tree, struct node *node, struct error *err)
{
	return text_take_as(tree, node, true, err);
}

void text_take_emptied(struct tree *tree, struct node *file)
{
	bool wanted;

	pthread_mutex_lock(&tree->lock);
	wanted = node_is_document(file) && !file_is_in_progress(file->file) &&
		 file->file->judged != file->file->changes;
	pthread_mutex_unlock(&tree->lock);
	if (wanted)
		text_take(tree, file, NULL);
}

/* The first document that waits; the lock is held. */
static struct node *find_waiting(const struct node *node)
{
	const struct node *control = node->children.control;
	struct node *found = NULL;

	for (size_t i = 0; control && i < control->children.count; i++) {
		struct node *file = control->children.items[i];

		if (node_is_document(file) && file->file->changed && file->file->staged &&
			!file->file->draft && !file_is_in_progress(file->file))
			return file;
	}
	for (size_t i = 0; i < node->children.count && !found; i++)
		if (node->children.items[i]->folder)
			found = find_waiting(node->children.items[i]);
	return found;
}

void text_take_waiting(struct tree *tree, struct node *tag)
{
	struct node *file;
	int result = 0;

	while (!result) {
		pthread_mutex_lock(&tree->lock);
		file = tag->tag->committing ? NULL : find_waiting(tag);
		if (file)
			node_pin(file);
		pthread_mutex_unlock(&tree->lock);
		if (!file)
			return;
		result = text_take(tree, file, NULL);
		pthread_mutex_lock(&tree->lock);
		node_unpin(&tree->inodes, file);
		pthread_mutex_unlock(&tree->lock);
	}
}

/* Who is reading what was written goes on to read it. */
static void leave_to_readers(const struct file *file)
{
	struct handle *handle;

	for (handle = file->handles; handle; handle = handle->next)
		if (!handle->own && !handle->has_text)
			handle->own = staged_ref(file->staged);
}

void text_regenerate(struct node *node)
{
	struct file *file = node->file;

	if (file->changed || !file->staged)
		return;
	leave_to_readers(file);
	staged_put_back(file->staged);
	file->staged = NULL;
}

void text_each(struct node *owner, void (*do_file)(void *context, struct node *file), void *context)
{
	struct node *notes = node_child(owner, ANNOTATIONS_NAME);
	const struct node *control = owner->children.control;
	size_t i = control ? control->children.count : 0;

	if (notes && node_is_annotations(notes))
		do_file(context, notes);
	while (i-- > 0)
		if (node_is_document(control->children.items[i]))
			do_file(context, control->children.items[i]);
}
