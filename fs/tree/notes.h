/*
 * notes.h - annotations as they shall be, and annotations.json, which shows and sets them.
 *
 * The notes of a platform folder (folder.h) and the annotations of a tag (tag.h) are the truth.
 * annotations.json is there where they say something, or where there is a draft. What was written
 * to it is taken over when it is closed; text just written reads back as written until the next
 * commit, or until the notes change in another way. A layer's title is its file's name and
 * dev.indexfs.mode its execute bit: neither is told by the file.
 */
#ifndef INDEXFS_FS_TREE_NOTES_H
#define INDEXFS_FS_TREE_NOTES_H

#include <stdbool.h>

#include "buf.h"
#include "error.h"
#include "fs/tree/tree.h"

/* Notes of a platform folder from its entry and its manifest, in the place of what they were. On
 * failure they stay. */
int notes_load(struct node *folder, struct error *err);

/* The same for one layer of the manifest, beside all other notes. */
int notes_load_layer(struct node *folder, size_t i, struct error *err);

/* Whether there is an annotation to tell of. */
bool notes_say_something(const struct node *owner);

/* Makes annotations.json below a tag or platform folder where its notes have something to say. */
int notes_show(struct tree *tree, struct node *owner, struct error *err);

/* The text for an annotations.json without a draft. */
int notes_text(struct node *file, struct buf *out, struct error *err);

/* Takes over what was written to annotations.json (text.h). ERROR_INVALID where it isn't valid. */
int notes_take(
	struct tree *tree, struct node *file, const char *text, size_t len, struct error *err);

/* Sets the notes from a text that was made from notes; the file shows them. The lock is held. */
int notes_set(
	struct tree *tree, struct node *owner, const char *text, size_t len, struct error *err);

/* What was written is taken for good: the file shows the notes again, or goes where they say
 * nothing. */
void notes_settle(struct tree *tree, struct node *owner);

/* annotations.json was removed or renamed away from owner: so are the annotations. */
void notes_removed(struct node *owner);

/* A layer's annotations go where its file goes, and stay at hand where it is removed (to is NULL):
 * many programs replace a file by removing it and making it again. from and to are paths below
 * their folders. */
int notes_layer_moved(struct tree *tree, struct node *from_folder, const char *from,
	struct node *to_folder, const char *to, struct error *err);

/* A file's annotations while it is no layer: they leave with the layer that it was, and become
 * those of the layer that it is then. */
int notes_put_aside(struct tree *tree, struct node *file, struct error *err);
int notes_take_aside(struct tree *tree, struct node *file, struct node *to_folder, const char *to,
	struct error *err);

/* A file was made at a path: it has the annotations of the one that was removed there. */
int notes_layer_made(struct tree *tree, struct node *folder, const char *path, struct error *err);

#endif
