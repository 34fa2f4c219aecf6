/*
 * file.h - what a file holds: a layer of the base, or a staged file, or text made from notes.
 *
 * A file's content is one of: staged (written here), a layer (read through the cache), or for
 * annotations.json without a draft, text made at each open. The tree's lock guards the pointers;
 * contents serialises the making of a staged file, and is taken before the tree's lock.
 */
#ifndef INDEXFS_FS_TREE_FILE_H
#define INDEXFS_FS_TREE_FILE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "annotations.h"
#include "buf.h"
#include "fs/tree/tree.h"

struct file {
	pthread_mutex_t contents;
	bool has_layer;
	struct descriptor layer; /* as in the base, or copied from a file that has it */
	struct blob *blob; /* the layer's, while it is open and was read */
	struct staged *staged;
	bool mode_set; /* the mode is the user's; else the layer's annotation stays as it is */
	bool dropped; /* an annotations.json that had nothing more to say, and was taken away */
	bool changed; /* the content isn't the layer's */
	struct upload *upload; /* of the staged file, upload.h's; NULL: none yet */
	char *media_type; /* set by the user; NULL: by name */
	struct annotations aside; /* while it is no layer: they go with it until it is one */
	uint64_t changes; /* counts changes of content */
	struct handle *handles;
	int64_t timed_out_ms; /* when a read of the blob last took too long; 0: never */
	bool lost; /* the history tells of content that isn't there */
	struct error *draft; /* what is wrong with a text (text.h); NULL: nothing */
	uint64_t judged; /* the changes of a text that were looked at */
};

/* An open file. */
struct handle {
	struct node *node; /* pinned */
	bool writable;
	bool made; /* it created or emptied the file */
	bool written; /* something was written through it */
	bool flushed; /* close(2) was called on it */
	bool unflushed; /* and not closed since */
	struct blob_cursor cursor;
	struct buf text; /* what a file that is made of text shows to this handle */
	bool has_text;
	struct staged *own; /* what it goes on to read when the file shows something else */
	struct handle *next;
};

/* A new empty file, one pin, no parent; the bytes of a layer where layer isn't NULL. */
struct node *file_new(
	struct tree *tree, mode_t mode, const struct descriptor *layer, struct error *err);

/* Where bytes come from at this moment: exactly one of staged, blob, text is set; a reference that
 * the caller releases with source_clear(). */
struct source {
	struct staged *staged;
	struct blob *blob;
	const struct buf *text; /* the handle's */
};
int file_source(struct tree *tree, struct handle *handle, struct source *out, struct error *err);
void source_clear(struct source *source);

/* The size, without touching a blob. */
int64_t file_size(struct tree *tree, struct node *node);

/* Opens; truncate empties it. Takes the lock, may stage. The handle is freed by file_close(). */
int file_open(struct tree *tree, struct node *node, bool writable, bool truncate,
	struct handle **out, struct error *err);
/* The same for a file of .oci, to read. */
int file_open_control(struct tree *tree, struct node *node, struct handle **out, struct error *err);
void file_close(struct tree *tree, struct handle *handle);

/* A staged file that can be written at once, between staged_write_begin (done) and
 * staged_write_end (the caller's), with a reference of the caller's. Takes the lock; fetches and
 * copies where the content has to be made local first. */
int file_write_begin(
	struct tree *tree, struct handle *handle, struct staged **out, struct error *err);
void file_write_end(struct tree *tree, struct handle *handle, struct staged *staged,
	uint64_t offset, uint64_t len);

/* Makes sure that the content is in a staged file, as it is. Takes the lock. */
int file_stage(struct tree *tree, struct node *node, struct error *err);

/* handle may be NULL. Takes the lock. */
int file_truncate(struct tree *tree, struct node *node, struct handle *handle, int64_t size,
	struct error *err);

/* Makes an empty file the same as another, without a byte being moved: true where it could; else
 * nothing has happened, and the bytes can be copied. Takes the lock. */
bool file_clone(struct tree *tree, struct handle *from, struct handle *to, int64_t *size);

/* The mount has ended: what was closed by all is closed, also where the kernel could not tell. */
void file_forget_closed(struct node *node);

/* The type that the layer has, or will have: the user's, else that of the layer whose place it
 * takes, else by its name. Valid while the lock is held. */
const char *file_media_type(const struct tree *tree, struct node *node);
/* Sets the user's; NULL leaves it to the others. The lock is held. */
int file_set_media_type(
	struct tree *tree, struct node *node, const char *media_type, struct error *err);
/* Whether the base has the file as it is: content, type and name. The lock is held. */
bool file_is_in_base(struct node *node);

/* Whether somebody has it open who could write to it. */
bool file_has_writer(const struct file *file);
/* Whether a program is in the middle of writing it: it has written to it, or made it, and has it
 * open. That close(2) was called tells nothing alone: a child process that ends closes too. */
bool file_is_in_progress(const struct file *file);
/* Whether all who have written to it have called close(2), and the last has yet to be released. */
bool file_is_being_closed(const struct file *file);

#endif
