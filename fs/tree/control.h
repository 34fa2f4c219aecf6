/*
 * control.h - .oci: the documents themselves, status and log.
 *
 * The folder .oci is there by name in a tag and in each platform folder and never listed, so that
 * cp -r, rsync and file managers don't touch it. What is in it is text, made at each open, and the
 * documents that can be written (given.h), which are files.
 */
#ifndef INDEXFS_FS_TREE_CONTROL_H
#define INDEXFS_FS_TREE_CONTROL_H

#include "buf.h"
#include "error.h"
#include "fs/tree/tree.h"

#define CONTROL_TEXT_MAX ((size_t)8 << 20)

/* .oci of a tag or a platform folder. NULL with errno ENOMEM. */
struct node *control_folder(struct tree *tree, struct node *owner);

/* Its documents are those that have something to show; to be called before one is looked for. */
void control_refresh(struct tree *tree, struct node *folder);

/* The document's file is removed, or moved away: for a moment, in which an editor makes it again,
 * there is none of this name; then, or after a commit, one shows what the document says. */
void control_gone(struct node *file);
void control_settle(struct node *owner);

/* Whether the file in .oci has anything to show now: its lookup is ENOENT if not. */
bool control_is_there(const struct node *node);

/* The text of a file in .oci. */
int control_text(struct tree *tree, struct node *node, struct buf *out, struct error *err);

#endif
