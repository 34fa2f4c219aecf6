#include "fs/tree/attach.h"

#include <errno.h>

#include "fs/tree/folder.h"
#include "fs/tree/referrer_name.h"
#include "fs/tree/referrers.h"

int attach_allowed(struct tree *tree, struct node *referrers, const char *name)
{
	const struct node *owner = referrers_owner(referrers);
	char type[REFERRER_TYPE_SIZE];
	struct error err = ERROR_INIT;

	if (tree->options.read_only)
		return EROFS;
	if (!owner || !node_tag(referrers))
		return ENOENT;
	/* nor to what is attached itself, nor within a nested index */
	if (owner->kind != NODE_TAG && owner->parent->kind != NODE_TAG)
		return EPERM;
	return referrer_type(type, name, &err) ? tree_report(tree, referrers, "mkdir", &err) : 0;
}

bool attach_is_pending(const struct node *node)
{
	return node->kind == NODE_FOLDER && node->parent && node->parent->kind == NODE_REFERRERS &&
	       !node->folder->has_entry;
}

static int each_of(
	const struct node *owner, int (*visit)(void *context, struct node *node), void *context)
{
	const struct node *referrers = referrers_of(owner);
	int result = 0;

	for (size_t i = 0; referrers && i < referrers->children.count && !result; i++)
		if (attach_is_pending(referrers->children.items[i]))
			result = visit(context, referrers->children.items[i]);
	return result;
}

int attach_each(
	const struct node *tag, int (*visit)(void *context, struct node *node), void *context)
{
	int result = each_of(tag, visit, context);

	for (size_t i = 0; i < tag->children.count && !result; i++)
		result = each_of(tag->children.items[i], visit, context);
	return result;
}

static int found(void *context, struct node *node)
{
	(void)context;
	(void)node;
	return 1;
}

bool attach_has_pending(const struct node *owner)
{
	return each_of(owner, found, NULL) != 0;
}

/* Whether something in it is to be published. */
static int has_content(void *context, struct node *node)
{
	(void)context;
	return folder_is_changed(node->folder) && node->children.count > 0;
}

bool attach_waits(const struct node *owner)
{
	return each_of(owner, has_content, NULL) != 0;
}

bool attach_waits_below(const struct node *tag)
{
	return attach_each(tag, has_content, NULL) != 0;
}
