#include "fs/commit/config_file.h"

#include "fs/tree/file.h"
#include "fs/tree/text.h"

void config_file_collect(struct plan_folder *folder)
{
	const struct node *control = folder->node->children.control;
	struct node *file = control ? node_child(control, "config.json") : NULL;

	if (!file || !node_is_document(file) || !file->file->changed || !file->file->staged)
		return;
	node_pin(file);
	folder->config_file = file;
	folder->config_changes = file->file->changes;
	folder->written.staged = staged_ref(file->file->staged);
}

void config_file_settle(struct plan_folder *folder)
{
	struct node *node = folder->config_file;

	if (!node || node->file->changes != folder->config_changes)
		return;
	node->file->changed = false;
	if (node->file->staged)
		staged_set_disk(node->file->staged, STAGED_CACHED);
	text_regenerate(node);
}

void config_file_clear(struct tree *tree, struct plan_folder *folder)
{
	if (folder->written.staged)
		staged_put_back(folder->written.staged);
	if (folder->config_file)
		node_unpin(&tree->inodes, folder->config_file);
}
