#include "fs/tree/status.h"

#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "fs/tree/durable.h"
#include "fs/tree/file.h"
#include "fs/tree/folder.h"
#include "fs/tree/tag.h"
#include "fs/tree/upload.h"
#include "json_text.h"
#include "layer_path.h"

bool node_is_stray(const struct tree *tree, const struct node *node)
{
	return node->kind == NODE_FILE && node->parent && node->parent->kind == NODE_TAG &&
	       !node_is_annotations(node) && !node_is_scratch(tree, node);
}

static bool is_uncommitted(const struct tree *tree, const struct node *node)
{
	if (node_is_scratch(tree, node))
		return false;
	if (node->kind == NODE_FILE)
		return node->file->changed;
	if (node->kind == NODE_FOLDER)
		return folder_is_changed(node->folder);
	return node->kind == NODE_TAG && node->tag->changes != node->tag->committed;
}

static bool is_doubtful(const struct tree *tree, const struct node *node)
{
	return durable_is_doubtful(node) && !node_is_scratch(tree, node);
}

static bool is_draft(const struct tree *tree, const struct node *node)
{
	(void)tree;
	return node->kind == NODE_FILE && node->file->draft && node_is_text(node);
}

static int add_message(const struct tree *tree, const struct node *node, struct buf *out)
{
	(void)tree;
	return buf_append_text(out, ", \"message\": ") ||
	       json_append_string(out, node->file->draft->message);
}

static bool is_upload(const struct tree *tree, const struct node *node)
{
	struct upload_view upload;

	return node->kind == NODE_FILE && upload_look(tree, node, &upload);
}

static int add_upload(const struct tree *tree, const struct node *node, struct buf *out)
{
	struct upload_view upload;

	if (!upload_look(tree, node, &upload))
		return 0;
	if (buf_printf(out, ", \"state\": \"%s\", \"sent\": %lld, \"size\": %lld, \"tries\": %d",
		    upload.state, (long long)upload.sent, (long long)upload.size, upload.tries))
		return -1;
	return upload.error && (buf_append_text(out, ", \"error\": ") ||
				       json_append_string(out, upload.error->message));
}

/* What a section lists: the paths of what is wanted, each on its own line of a JSON array. */
struct listed {
	const char *name;
	bool (*wanted)(const struct tree *tree, const struct node *node);
	/* Appends more members; NULL: the path alone is told. */
	int (*add)(const struct tree *tree, const struct node *node, struct buf *out);
};

static const struct listed uncommitted = {.name = "uncommitted", .wanted = is_uncommitted};
static const struct listed uploads = {.name = "uploads", .wanted = is_upload, .add = add_upload};
static const struct listed drafts = {.name = "drafts", .wanted = is_draft, .add = add_message};
static const struct listed outside = {.name = "outside", .wanted = node_is_stray};
static const struct listed doubtful = {.name = "doubtful", .wanted = is_doubtful};

struct listing {
	const struct tree *tree;
	const struct listed *listed;
	struct buf *out; /* NULL: only count */
	size_t count;
};

static int item_add(struct listing *listing, const struct node *node)
{
	cleanup_free char *path = node_path(node, NULL);

	if (!path || buf_append_text(listing->out, listing->count ? ",\n    " : "\n    "))
		return -1;
	if (!listing->listed->add)
		return json_append_string(listing->out, *path ? path : ".");
	return buf_append_text(listing->out, "{\"path\": ") ||
	       json_append_string(listing->out, path) ||
	       listing->listed->add(listing->tree, node, listing->out) ||
	       buf_append_text(listing->out, "}");
}

static int list(struct listing *listing, const struct node *node)
{
	size_t i;

	if (listing->listed->wanted(listing->tree, node)) {
		if (listing->out && item_add(listing, node))
			return -1;
		listing->count++;
	}
	for (i = 0; i < node->children.count; i++)
		if (list(listing, node->children.items[i]))
			return -1;
	if (node->children.control)
		return list(listing, node->children.control);
	return 0;
}

static int section(struct buf *out, const struct tree *tree, const struct node *owner,
	const struct listed *listed)
{
	struct listing listing = {.tree = tree, .listed = listed, .out = out};

	if (buf_printf(out, "  \"%s\": [", listed->name) || list(&listing, owner))
		return -1;
	return buf_append_text(out, listing.count ? "\n  ],\n" : "],\n");
}

/* The first draft at or below a node that isn't valid. */
static const struct node *find_draft(const struct tree *tree, const struct node *node)
{
	const struct node *found = is_draft(tree, node) ? node : NULL;

	for (size_t i = 0; i < node->children.count && !found; i++)
		found = find_draft(tree, node->children.items[i]);
	if (!found && node->children.control)
		found = find_draft(tree, node->children.control);
	return found;
}

bool status_blocked(const struct tree *tree, const struct node *tag, struct error *why)
{
	struct listing listing = {.tree = tree, .listed = &doubtful};
	cleanup_free char *path = NULL;
	const struct node *draft;
	size_t i;

	for (i = 0; i < tag->children.count; i++) {
		const struct node *node = tag->children.items[i];

		if (node_is_stray(tree, node))
			error_set(why, ERROR_INVALID, "%s is in no platform folder", node->name);
	}
	draft = find_draft(tree, tag);
	path = draft ? node_path(draft, NULL) : NULL;
	if (draft)
		error_set(why, ERROR_INVALID, "%s isn't valid", path ? path : draft->name);
	if (list(&listing, tag) || listing.count)
		error_set(why, ERROR_INVALID, "%zu files may not be whole", listing.count);
	return error_is_set(why);
}

/* The commit that comes by itself, where one does. */
static int next_commit(struct buf *out, const struct tag *tag)
{
	const struct next_commit *next = &tag->next;
	struct timespec now;
	int64_t left;

	if (!next->waits)
		return buf_append_text(out, "  \"next_commit\": null,\n");
	clock_gettime(CLOCK_MONOTONIC, &now);
	left = (next->at_ms - (int64_t)now.tv_sec * 1000 - now.tv_nsec / 1000000 + 999) / 1000;
	if (buf_append_text(out, "  \"next_commit\": {\"in_seconds\": ") ||
		(next->at_ms ? buf_printf(out, "%lld", (long long)(left > 0 ? left : 0))
			     : buf_append_text(out, "null")) ||
		buf_printf(out, ", \"tries\": %u, \"error\": ", next->tries))
		return -1;
	if (error_is_set(&next->error) ? json_append_string(out, next->error.message)
				       : buf_append_text(out, "null"))
		return -1;
	return buf_append_text(out, "},\n");
}

static int commits(struct buf *out, const struct tree *tree, const struct node *owner)
{
	static const char *const modes[] = {"fsync", "close", "idle", "unmount"};
	const struct node *tag = node_tag((struct node *)owner);

	if (buf_printf(out, "  \"commit\": \"%s\",\n", modes[tree->options.commit]))
		return -1;
	if (!tag)
		return 0;
	if (buf_printf(out, "  \"committing\": %s,\n", tag->tag->committing ? "true" : "false"))
		return -1;
	return next_commit(out, tag->tag);
}

/* What others have to do with it. */
static int merging(struct buf *out, const struct node *owner)
{
	const struct node *node = node_tag((struct node *)owner);
	const struct tag *tag = node ? node->tag : NULL;

	if (!tag)
		return 0;
	if (buf_append_text(out, "  \"conflicts\": ") || conflicts_format(&tag->conflicts, out))
		return -1;
	return buf_printf(out, ",\n  \"merges\": %u,\n  \"repushes\": %u,\n  \"watching\": %s,\n",
		tag->merges, tag->repushes, tag->last_push.watched ? "true" : "false");
}

int status_make(struct tree *tree, const struct node *owner, struct buf *out)
{
	if (buf_printf(out, "{\n  \"pid\": %d,\n", getpid()) ||
		section(out, tree, owner, &uncommitted) || section(out, tree, owner, &uploads) ||
		section(out, tree, owner, &drafts) || section(out, tree, owner, &outside) ||
		section(out, tree, owner, &doubtful) || commits(out, tree, owner) ||
		merging(out, owner) || buf_append_text(out, "  \"errors\": ") ||
		errors_format(&tree->errors, out))
		return -1;
	return buf_append_text(out, "\n}\n");
}

size_t status_changes(const struct tree *tree, const struct node *owner)
{
	struct listing listing = {.tree = tree, .listed = &uncommitted};

	list(&listing, owner);
	return listing.count;
}
