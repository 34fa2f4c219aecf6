#include "fs/tree/status.h"

#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "fs/tree/durable.h"
#include "fs/tree/file.h"
#include "fs/tree/folder.h"
#include "fs/tree/tag.h"
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
	return node->kind == NODE_FILE && node->file->draft && node_is_annotations(node);
}

/* Writes the paths of what passes, each as its own line of a JSON array. */
struct listing {
	const struct tree *tree;
	bool (*wanted)(const struct tree *tree, const struct node *node);
	struct buf *out; /* NULL: only count */
	size_t count;
};

static int item_add(struct listing *listing, const struct node *node)
{
	cleanup_free char *path = node_path(node, NULL);

	if (!path || buf_append_text(listing->out, listing->count ? ",\n    " : "\n    "))
		return -1;
	if (listing->wanted != is_draft)
		return json_append_string(listing->out, *path ? path : ".");
	if (buf_append_text(listing->out, "{\"path\": ") ||
		json_append_string(listing->out, path) ||
		buf_append_text(listing->out, ", \"message\": ") ||
		json_append_string(listing->out, node->file->draft->message))
		return -1;
	return buf_append_text(listing->out, "}");
}

static int list(struct listing *listing, const struct node *node)
{
	size_t i;

	if (listing->wanted(listing->tree, node)) {
		if (listing->out && item_add(listing, node))
			return -1;
		listing->count++;
	}
	for (i = 0; i < node->children.count; i++)
		if (list(listing, node->children.items[i]))
			return -1;
	return 0;
}

static int section(struct buf *out, const struct tree *tree, const struct node *owner,
	const char *name, bool (*wanted)(const struct tree *, const struct node *))
{
	struct listing listing = {.tree = tree, .wanted = wanted, .out = out};

	if (buf_printf(out, "  \"%s\": [", name) || list(&listing, owner))
		return -1;
	return buf_append_text(out, listing.count ? "\n  ],\n" : "],\n");
}

bool status_blocked(const struct tree *tree, const struct node *tag, struct error *why)
{
	struct listing doubtful = {.tree = tree, .wanted = is_doubtful};
	size_t i;

	for (i = 0; i < tag->children.count; i++) {
		const struct node *node = tag->children.items[i];
		const struct node *notes =
			node->kind == NODE_FOLDER ? node_child(node, ANNOTATIONS_NAME) : node;

		if (node_is_stray(tree, node))
			error_set(why, ERROR_INVALID, "%s is in no platform folder", node->name);
		else if (notes && is_draft(tree, notes))
			error_set(why, ERROR_INVALID, "%s%s%s isn't valid",
				notes == node ? "" : node->name, notes == node ? "" : "/",
				ANNOTATIONS_NAME);
	}
	if (list(&doubtful, tag) || doubtful.count)
		error_set(why, ERROR_INVALID, "%zu files may not be whole", doubtful.count);
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
		section(out, tree, owner, "uncommitted", is_uncommitted) ||
		section(out, tree, owner, "drafts", is_draft) ||
		section(out, tree, owner, "outside", node_is_stray) ||
		section(out, tree, owner, "doubtful", is_doubtful) || commits(out, tree, owner) ||
		merging(out, owner) || buf_append_text(out, "  \"errors\": ") ||
		errors_format(&tree->errors, out))
		return -1;
	return buf_append_text(out, "\n}\n");
}

size_t status_changes(const struct tree *tree, const struct node *owner)
{
	struct listing listing = {.tree = tree, .wanted = is_uncommitted};

	list(&listing, owner);
	return listing.count;
}
