#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "annotation_file.h"
#include "cleanup.h"
#include "fs/tree/annotate.h"
#include "fs/tree/control.h"
#include "fs/tree/edit.h"
#include "fs/tree/file.h"
#include "fs/tree/folder.h"
#include "fs/tree/given.h"
#include "fs/tree/history.h"
#include "fs/tree/history_record.h"
#include "fs/tree/name.h"
#include "fs/tree/notes.h"
#include "fs/tree/referrers.h"
#include "fs/tree/salvage.h"
#include "fs/tree/tag.h"
#include "layer_path.h"
#include "publish.h"

static void take_intent(struct intents *intents, const struct record *record)
{
	struct intent intent;

	if (digest_parse(&intent.root, record->texts[0]) &&
		digest_parse(&intent.ours, record->texts[1]))
		intents_add(intents, &intent);
}

static int take_base(void *context, const struct record *record, struct error *err)
{
	struct history_base *base = context;

	if (record->kind == RECORD_INTENT)
		take_intent(&base->intents, record);
	if (record->kind != RECORD_BASE)
		return 0;
	if (*record->texts[0] && !digest_parse(&base->version.root.digest, record->texts[0]))
		return error_set(err, ERROR_CORRUPT, "the journal names no digest");
	if (*record->texts[1])
		return descriptor_parse(
			&base->version.entry, record->texts[1], strlen(record->texts[1]), err);
	return 0;
}

int history_base(struct history *history, struct history_base *out, struct store *store,
	struct log *log, struct error *err)
{
	struct error why = ERROR_INIT;
	struct digest digest;

	*out = (struct history_base){.version = VERSION_INIT};
	if (journal_replay(history->journal, take_base, out, err))
		return -1;
	digest = out->version.root.digest;
	out->version.root = (struct document)DOCUMENT_INIT;
	if (!digest_is_set(&digest) ||
		history_document(history, &out->version.root, &digest, &why) == 0)
		return 0;
	log_write(log, LOG_LEVEL_WARNING, "%s; fetched instead", why.message);
	if (resolve_root(store, &out->version.root, &(struct reference){.digest = digest}, NULL,
		    err) == 0)
		return 0;
	version_clear(&out->version);
	return error_prefix(err, "%s", why.message);
}

static struct node *child_at(struct tree *tree, struct node *parent, const char *name)
{
	struct node *child;

	pthread_mutex_lock(&tree->lock);
	if (!strcmp(name, CONTROL_NAME) &&
		(parent->kind == NODE_TAG || parent->kind == NODE_FOLDER))
		child = control_folder(tree, parent);
	else
		child = edit_lookup(tree, parent, name);
	pthread_mutex_unlock(&tree->lock);
	return child;
}

/* How much of a path leads to where what is attached stands, in a tag or in a folder of it; 0 for
 * all else. */
static size_t attached_len(const char *path)
{
	static const char where[] = CONTROL_NAME "/" REFERRERS_NAME;
	const char *slash = strchr(path, '/');
	const char *at = path;

	if (strncmp(at, where, strlen(where)) != 0)
		at = slash ? slash + 1 : "";
	if (strncmp(at, where, strlen(where)) != 0)
		return 0;
	at += strlen(where);
	return !*at || *at == '/' ? (size_t)(at - path) : 0;
}

/* Whether the next part of a path needs nothing to be loaded: what is attached needs neither the
 * manifest that it is attached to, nor the list of what was attached before. */
static bool is_beside(const struct node *at, const char *part, bool attached)
{
	return at->kind == NODE_REFERRERS || (attached && !strcmp(part, CONTROL_NAME));
}

/* The node at a path; NULL where there is none. Takes and loads what is on the way. */
static struct node *find(struct tree *tree, const char *path, struct error *err)
{
	cleanup_free char *copy = strdup(path);
	bool attached = attached_len(path) > 0;
	struct node *at = tree->root;
	char *rest = copy, *part;

	if (!copy) {
		error_set_memory(err);
		return NULL;
	}
	while (at && *rest && (part = strsep(&rest, "/"))) {
		if (!is_beside(at, part, attached) && folder_load(tree, at, err))
			return NULL;
		at = child_at(tree, at, part);
		if (!rest)
			break;
	}
	if (at && at->kind != NODE_REFERRERS && folder_load(tree, at, err))
		return NULL;
	return at;
}

/* The directory of a path, and the last part as *name. */
static struct node *find_parent(
	struct tree *tree, const char *path, const char **name, struct error *err)
{
	const char *slash = strrchr(path, '/');
	cleanup_free char *above = strndup(path, slash ? (size_t)(slash - path) : 0);

	*name = slash ? slash + 1 : path;
	if (!above) {
		error_set_memory(err);
		return NULL;
	}
	return find(tree, above, err);
}

static int lost(const char *path, struct error *err)
{
	return error_set(err, ERROR_CORRUPT, "the journal tells of %s, which isn't there", path);
}

static void set_time(struct node *node, const char *text)
{
	long long seconds;
	long nanoseconds;

	/* NOLINTNEXTLINE(cert-err34-c): what is no number leaves the time as it is */
	if (sscanf(text, "%lld.%ld", &seconds, &nanoseconds) == 2) {
		node->mtime.tv_sec = seconds;
		node->mtime.tv_nsec = nanoseconds;
	}
}

static void set_order(struct tree *tree, struct node *node, const char *text)
{
	node->order = strtoull(text, NULL, 10);
	if (node->order >= tree->next_order)
		tree->next_order = node->order + 1;
}

static void set_attributes(struct tree *tree, struct node *node, const struct record *record)
{
	struct stat st;
	mode_t mode = S_IFREG | (mode_t)(strtoul(record->texts[2], NULL, 8) & 0777);

	node->file->mode_set =
		record->kind == RECORD_FILE ||
		mode != (folder_layer_mode(&node->file->layer) & ~tree->options.umask);
	node->mode = mode;
	set_order(tree, node, record->texts[3]);
	set_time(node, record->texts[4]);
	/* writing goes on after the record: the file knows better */
	if (node->file->staged && !fstat(staged_fd(node->file->staged), &st))
		node->mtime = st.st_mtim;
}

/* The file at a path, made where it's missing. The lock is held. */
static struct node *file_at(
	struct tree *tree, struct node *parent, const char *name, struct error *err)
{
	struct node *node = node_child(parent, name);

	if (node)
		return node;
	node = file_new(tree, S_IFREG | 0644, NULL, err);
	if (!node)
		return NULL;
	if (node_link(&tree->inodes, parent, name, node, err)) {
		node_unpin(&tree->inodes, node);
		return NULL;
	}
	node_unpin(&tree->inodes, node);
	return node;
}

/* Of a file that the journal doesn't know to be on disk. */
static enum staged_disk disk_unknown(const struct tree *tree)
{
	return tree->history->other_boot ? STAGED_DOUBTFUL : STAGED_CACHED;
}

static void replay_boot(struct tree *tree, const struct record *record)
{
	tree->history->other_boot = strcmp(record->texts[0], tree->history->boot) != 0;
}

static void replay_disk(struct tree *tree, const struct record *record)
{
	struct staged *staged = staged_find(tree->staging, strtoull(record->texts[0], NULL, 10));
	bool same;

	if (!staged)
		return;
	same = staged_size(staged) == strtoll(record->texts[1], NULL, 10);
	if (record->kind == RECORD_DOUBTFUL)
		staged_set_disk(staged, STAGED_DOUBTFUL);
	else
		staged_set_disk(staged, same ? STAGED_ON_DISK : disk_unknown(tree));
	staged_put_back(staged);
}

static int set_layer(struct node *node, const char *text, struct error *err)
{
	struct descriptor layer;

	if (descriptor_parse(&layer, text, strlen(text), err))
		return -1;
	descriptor_clear(&node->file->layer);
	node->file->layer = layer;
	node->file->has_layer = true;
	return 0;
}

static int set_staged(
	struct tree *tree, struct node *node, const struct record *record, struct error *err)
{
	struct error reason = ERROR_INIT;
	struct staged *staged = NULL;
	uint64_t id = strtoull(record->texts[1], NULL, 10);

	/* its own, told of once more: that doesn't make it shared */
	if (node->file->staged && staged_id(node->file->staged) == id)
		staged = staged_ref(node->file->staged);
	/* what is missing was replaced or removed later, and so is its record */
	else if (staged_reopen(&staged, tree->staging, id, &reason) &&
		 reason.kind != ERROR_NOT_FOUND)
		return error_copy(err, &reason);
	if (*record->texts[5] && set_layer(node, record->texts[5], err)) {
		if (staged)
			staged_put_back(staged);
		return -1;
	}
	if (node->file->staged)
		staged_put_back(node->file->staged);
	if (staged)
		staged_set_disk(staged, disk_unknown(tree));
	node->file->staged = staged;
	node->file->lost = !staged;
	node->file->changed = true;
	return 0;
}

/* The file is a layer as it is in the repository. */
static int set_published(struct node *node, const char *layer, struct error *err)
{
	struct file *file = node->file;

	if (set_layer(node, layer, err))
		return -1;
	file->lost = false;
	if (file->staged)
		staged_put_back(file->staged);
	file->staged = NULL;
	file->changed = false;
	return 0;
}

/* The folders of a path that were empty at a commit are in no index, and in no record. */
static void make_parents(struct tree *tree, const char *path)
{
	size_t attached = attached_len(path), made = strlen(CONTROL_NAME "/" REFERRERS_NAME);
	cleanup_free char *copy = strdup(path);
	char *slash;

	for (slash = copy ? strchr(copy, '/') : NULL; slash; slash = strchr(slash + 1, '/')) {
		struct node *parent, *node;
		const char *name;

		if (slash <= copy + attached && slash + made >= copy + attached)
			continue;
		*slash = '\0';
		parent = find_parent(tree, copy, &name, NULL);
		if (parent && !node_child(parent, name) && !edit_mkdir(tree, parent, name, &node)) {
			pthread_mutex_lock(&tree->lock);
			node_unpin(&tree->inodes, node);
			pthread_mutex_unlock(&tree->lock);
		}
		*slash = '/';
	}
}

static int replay_file(struct tree *tree, const struct record *record, struct error *err)
{
	const char *name;
	struct node *parent, *node, *folder;
	cleanup_free char *path = NULL;
	int result = -1;

	make_parents(tree, record->texts[0]);
	parent = find_parent(tree, record->texts[0], &name, err);
	if (!parent)
		return lost(record->texts[0], err);
	pthread_mutex_lock(&tree->lock);
	node = file_at(tree, parent, name, err);
	if (node && node->kind == NODE_FILE)
		result = record->kind == RECORD_FILE ? set_staged(tree, node, record, err)
						     : set_published(node, record->texts[1], err);
	if (!result) {
		set_attributes(tree, node, record);
		if (!node_is_scratch(tree, node))
			node_changed(parent);
		folder = node_folder(node);
		path = folder ? node_path(node, folder) : NULL;
		if (path)
			notes_layer_made(tree, folder, path, NULL);
	}
	pthread_mutex_unlock(&tree->lock);
	return result ? lost(record->texts[0], err) : 0;
}

static int from_errno(int number, const struct record *record, struct error *err)
{
	return number ? error_set_errno(
				err, number, "doing again what was done to %s", record->texts[0])
		      : 0;
}

static int replay_folder(struct tree *tree, const struct record *record, struct error *err)
{
	const char *name;
	struct node *parent, *node = NULL;
	int result;

	make_parents(tree, record->texts[0]);
	parent = find_parent(tree, record->texts[0], &name, err);
	if (!parent)
		return lost(record->texts[0], err);
	result = edit_mkdir(tree, parent, name, &node);
	if (!result) {
		pthread_mutex_lock(&tree->lock);
		if (*record->texts[1])
			set_order(tree, node, record->texts[1]);
		node_unpin(&tree->inodes, node);
		pthread_mutex_unlock(&tree->lock);
	}
	return from_errno(result == EEXIST ? 0 : result, record, err);
}

static int replay_removed(struct tree *tree, const struct record *record, struct error *err)
{
	const char *name;
	struct node *parent = find_parent(tree, record->texts[0], &name, err);
	struct node *node = parent ? node_child(parent, name) : NULL;

	/* an empty folder that a commit left out */
	if (!node)
		return 0;
	return from_errno(node_is_directory(node) ? edit_rmdir(tree, parent, name)
						  : edit_unlink(tree, parent, name),
		record, err);
}

static int replay_renamed(struct tree *tree, const struct record *record, struct error *err)
{
	const char *name, *new_name;
	struct node *parent, *new_parent;

	make_parents(tree, record->texts[1]);
	/* NULL without an error: an empty folder that a commit left out, or one in such a folder */
	if (!find(tree, record->texts[0], err))
		return error_is_set(err) ? -1 : 0;
	parent = find_parent(tree, record->texts[0], &name, err);
	new_parent = find_parent(tree, record->texts[1], &new_name, err);
	if (!parent || !new_parent)
		return lost(record->texts[0], err);
	find(tree, record->texts[1], NULL);
	return from_errno(edit_rename(tree, parent, name, new_parent, new_name, 0), record, err);
}

static int replay_attribute(struct tree *tree, const struct record *record, struct error *err)
{
	struct node *node = find(tree, record->texts[0], err);

	/* an empty folder that a commit left out has a time, too */
	if (!node && record->kind == RECORD_TIME)
		return error_is_set(err) ? -1 : 0;
	if (!node)
		return lost(record->texts[0], err);
	if (record->kind == RECORD_MODE)
		return from_errno(
			edit_chmod(tree, node, (mode_t)strtoul(record->texts[1], NULL, 8)), record,
			err);
	set_time(node, record->texts[1]);
	return 0;
}

static int replay_notes(struct tree *tree, const struct record *record, struct error *err)
{
	struct node *owner = find(tree, record->texts[0], err);
	int result;

	if (!owner)
		return lost(record->texts[0], err);
	pthread_mutex_lock(&tree->lock);
	result = notes_set(tree, owner, record->texts[1], strlen(record->texts[1]), err);
	pthread_mutex_unlock(&tree->lock);
	return result;
}

static int replay_given(struct tree *tree, const struct record *record, struct error *err)
{
	struct node *owner = find(tree, record->texts[0], err);
	bool whole = *record->texts[3] != '\0';

	if (!owner)
		return lost(record->texts[0], err);
	return given_again(tree, owner, record->texts[1], record->texts[2], whole, err);
}

static int replay_annotation(struct tree *tree, const struct record *record, struct error *err)
{
	const char *value = record->kind == RECORD_ANNOTATED ? record->texts[2] : NULL;
	struct node *node = find(tree, record->texts[0], err);
	int result;

	if (!node)
		return lost(record->texts[0], err);
	pthread_mutex_lock(&tree->lock);
	result = node_annotate(tree, node, record->texts[1], value, err);
	pthread_mutex_unlock(&tree->lock);
	return result;
}

static int replay_media_type(struct tree *tree, const struct record *record, struct error *err)
{
	struct node *node = find(tree, record->texts[0], err);
	int result;

	if (!node || node->kind != NODE_FILE)
		return lost(record->texts[0], err);
	pthread_mutex_lock(&tree->lock);
	result = file_set_media_type(tree, node, *record->texts[1] ? record->texts[1] : NULL, err);
	pthread_mutex_unlock(&tree->lock);
	return result;
}

/* What was noted of files that were removed: they may be made again. */
static int replay_left(struct tree *tree, const struct record *record, struct error *err)
{
	struct annotation_file left = ANNOTATION_FILE_INIT;
	struct node *node = find(tree, record->texts[0], err);

	if (!node || !node->folder)
		return lost(record->texts[0], err);
	if (annotation_file_parse(&left, record->texts[1], strlen(record->texts[1]), err))
		return -1;
	pthread_mutex_lock(&tree->lock);
	annotation_file_clear(&node->folder->left);
	node->folder->left = left;
	pthread_mutex_unlock(&tree->lock);
	return 0;
}

static int replay_clear(struct tree *tree, const struct record *record, struct error *err)
{
	struct node *node = find(tree, record->texts[0], err);

	if (!node)
		return lost(record->texts[0], err);
	pthread_mutex_lock(&tree->lock);
	while (node->children.count)
		node_unlink(&tree->inodes, node->children.items[node->children.count - 1]);
	node_changed(node);
	tree->history->unfinished = true;
	pthread_mutex_unlock(&tree->lock);
	return 0;
}

/* A folder of the base comes back under a name that may be another than the base has. */
static int entry_at(struct tree *tree, const char *name, size_t i, struct error *err)
{
	const struct version *base = &tree->root->tag->base;
	const struct descriptor *entry =
		version_is_single(base) ? &base->entry : &base->root.items[i];
	cleanup_with(platform_clear) struct platform platform = PLATFORM_INIT;
	char canonical[FOLDER_NAME_SIZE];
	struct node *node = folder_from_entry(tree, entry, false, err);
	int result;

	if (!node)
		return -1;
	node->order = i;
	if (!node->folder->read_only && !name_canonical(canonical, name, &platform, NULL) &&
		!strcmp(canonical, name) &&
		!(node->folder->has_platform && platform.os &&
			platform_equal(&platform, &node->folder->platform))) {
		platform_clear(&node->folder->platform);
		node->folder->platform = platform;
		node->folder->has_platform = platform.os != NULL;
		platform = (struct platform)PLATFORM_INIT;
		node->folder->changes++;
	}
	result = node_link(&tree->inodes, tree->root, name, node, err);
	node_unpin(&tree->inodes, node);
	return result;
}

static int replay_entry(struct tree *tree, const struct record *record, struct error *err)
{
	size_t i = strtoul(record->texts[1], NULL, 10);
	const struct version *base = &tree->root->tag->base;
	int result;

	if (i >= (version_is_single(base) ? 1 : base->root.count))
		return lost(record->texts[0], err);
	pthread_mutex_lock(&tree->lock);
	result = entry_at(tree, record->texts[0], i, err);
	tree->root->tag->changes++;
	pthread_mutex_unlock(&tree->lock);
	return result;
}

/* Whether another day may do better: then nothing is done by halves. */
static bool is_passing(const struct error *err)
{
	if (err->kind == ERROR_SYSTEM && (err->status == ENOSPC || err->status == EDQUOT))
		return true;
	return err->kind != ERROR_NOT_FOUND && err->kind != ERROR_CORRUPT &&
	       err->kind != ERROR_INVALID && err->kind != ERROR_NOT_PERMITTED &&
	       err->kind != ERROR_SYSTEM;
}

/* What can't be done again is told and left out: the rest isn't lost with it. */
static int replay_one(void *context, const struct record *record, struct error *err)
{
	struct tree *tree = context;
	struct error reason = ERROR_INIT;

	switch (record->kind) {
	case RECORD_BASE:
	case RECORD_INTENT:
		break;
	case RECORD_END:
		tree->history->unfinished = false;
		break;
	case RECORD_BOOT:
		replay_boot(tree, record);
		break;
	case RECORD_ON_DISK:
	case RECORD_DOUBTFUL:
		replay_disk(tree, record);
		break;
	case RECORD_CLEAR:
		replay_clear(tree, record, &reason);
		break;
	case RECORD_ENTRY:
		replay_entry(tree, record, &reason);
		break;
	case RECORD_FOLDER:
		replay_folder(tree, record, &reason);
		break;
	case RECORD_FILE:
	case RECORD_LAYER:
		replay_file(tree, record, &reason);
		break;
	case RECORD_REMOVED:
		replay_removed(tree, record, &reason);
		break;
	case RECORD_RENAMED:
		replay_renamed(tree, record, &reason);
		break;
	case RECORD_MODE:
	case RECORD_TIME:
		replay_attribute(tree, record, &reason);
		break;
	case RECORD_NOTES:
		replay_notes(tree, record, &reason);
		break;
	case RECORD_GIVEN:
		replay_given(tree, record, &reason);
		break;
	case RECORD_LEFT:
		replay_left(tree, record, &reason);
		break;
	case RECORD_ANNOTATED:
	case RECORD_UNANNOTATED:
		replay_annotation(tree, record, &reason);
		break;
	case RECORD_MEDIA_TYPE:
		replay_media_type(tree, record, &reason);
		break;
	default:
		error_set(&reason, ERROR_INVALID, "the journal has an unknown record");
	}
	if (!error_is_set(&reason))
		return 0;
	if (is_passing(&reason)) {
		error_prefix(&reason, "what isn't committed can't be shown now");
		return error_copy(err, &reason);
	}
	tree_report(tree, NULL, "a change from before could not be restored", &reason);
	tree->incomplete = true;
	return 0;
}

/* A journal that was made anew ends with RECORD_END: what came before it told of all that there is.
 */
static void judge_journal(struct tree *tree)
{
	struct history *history = tree->history;
	struct error reason = ERROR_INIT;

	if (journal_is_damaged(history->journal) || history->unfinished) {
		error_set(&reason, ERROR_CORRUPT, "the journal is damaged");
		tree_report(tree, NULL, "a change from before could not be restored", &reason);
		tree->incomplete = true;
	}
	if (journal_cut(history->journal))
		log_write(tree->log, LOG_LEVEL_WARNING,
			"the journal ends in the middle of a record: its last %zu bytes are left "
			"out, and what they told of isn't there",
			journal_cut(history->journal));
	if (!tree->incomplete)
		return;
	journal_keep(history->journal);
	log_write(tree->log, LOG_LEVEL_WARNING,
		"the journal is kept as journal.damaged, with all files/ that it may name; remove "
		"it when you need it no more");
}

int history_replay(struct tree *tree, struct error *err)
{
	int result;

	tree->replaying = true;
	staging_keep_files(tree->staging, true);
	result = journal_replay(tree->history->journal, replay_one, tree, err);
	tree->replaying = false;
	staging_keep_files(tree->staging, false);
	if (result)
		return -1;
	judge_journal(tree);
	pthread_mutex_lock(&tree->lock);
	salvage(tree);
	pthread_mutex_unlock(&tree->lock);
	return 0;
}
