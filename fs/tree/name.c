#include "fs/tree/name.h"

#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "fs/tree/folder.h"
#include "fs/tree/given.h"
#include "layer_path.h"

/* NAME~ and 12 hex digits: how twins and attestations of other tools are shown. */
static bool is_twin_name(const char *name)
{
	const char *tilde = strrchr(name, '~');

	return tilde && strlen(tilde + 1) == 12 && strspn(tilde + 1, "0123456789abcdef") == 12;
}

int name_canonical(char out[static FOLDER_NAME_SIZE], const char *name, struct platform *platform,
	struct error *err)
{
	struct platform parsed = PLATFORM_INIT;
	int result = 0;

	if (!strcmp(name, PLATFORM_ANY)) {
		strcpy(out, PLATFORM_ANY);
		return 0;
	}
	if (platform_parse(&parsed, name, err))
		return -1;
	if (is_twin_name(name) || strchr(parsed.os, '~') || strchr(parsed.architecture, '~'))
		result = error_set(err, ERROR_INVALID,
			"%s is what a second entry of one platform is called: it can't be made",
			name);
	else if (!platform_name(out, &parsed))
		result = error_set(err, ERROR_INVALID, "%s is too long for a folder", name);
	if (platform && !result)
		*platform = parsed;
	else
		platform_clear(&parsed);
	return result;
}

/* Whatever programs leave while they work, and the documents; nothing that can only be read. */
static int allowed_in_control(const struct node *control, const char *name)
{
	const struct node *there = node_child(control, name);

	return there && there->kind != NODE_FILE ? EPERM : given_allowed(control->parent, name);
}

int name_allowed(struct tree *tree, struct node *parent, const char *name)
{
	struct error err = ERROR_INIT;
	struct node *folder = node_folder(parent);
	int result = node_writable(tree, parent);

	if (result)
		return result;
	/* removed while a program was in it, or never read */
	if (!node_tag(parent))
		return ENOENT;
	if (folder && !folder_is_loaded(folder))
		return EIO;
	if (strlen(name) >= FOLDER_NAME_SIZE)
		return ENAMETOOLONG;
	if (parent->kind == NODE_CONTROL)
		return allowed_in_control(parent, name);
	if (!strcmp(name, CONTROL_NAME) &&
		(parent->kind == NODE_TAG || parent->kind == NODE_FOLDER))
		return EPERM;
	if (strcmp(name, ANNOTATIONS_NAME) != 0 && !layer_title_valid(name)) {
		error_set(&err, ERROR_INVALID, "a layer's title can't have such a name");
		return tree_report(tree, parent, name, &err);
	}
	return 0;
}
