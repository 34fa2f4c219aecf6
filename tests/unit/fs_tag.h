/*
 * fs_tag.h - the tree of a tag over a store in memory, and both as one line of text.
 *
 * What the store has is written as in merge_text.h. What the tree shows is written alike:
 *
 *     linux-amd64{ app=1 d/b=2 $d@k=v $m@k=v } any{?} @k=v
 *
 * folders in the order of the index, files in that of their layers, "?" for a folder that isn't
 * loaded, content of layers and of files that were written here. "new" is written as it is.
 */
#ifndef TESTS_FS_TAG_H
#define TESTS_FS_TAG_H

#include <pthread.h>
#include <stdbool.h>

#include "fs/tree/tree.h"
#include "merge_text.h"
#include "store.h"

#define TAG_CALLS_MAX 256

/* Calls are written down by a letter: r resolve, g get by tag, d get by digest, b blob, m manifest,
 * i index, t tag. */
struct tag_store {
	struct store store;
	pthread_mutex_t lock;
	char calls[TAG_CALLS_MAX];
	size_t count;
	struct merge_store documents; /* all that ever was */
	struct document tag; /* what the tag names; empty: it isn't there */
	struct error refuse; /* of gets by digest, where set */
	char lose; /* the answer to the next such call is lost: it is done, and fails */
	/* Told before a call is done, with its letter; may change the tag. */
	void (*before)(struct tag_store *store, char letter, void *context);
	/* The same afterwards. */
	void (*after)(struct tag_store *store, char letter, void *context);
	void *context;
};

/* Makes the tag name what the text says. */
void tag_store_set(struct tag_store *store, const char *text);
/* Adds the entries of the text to the index that it names. */
void tag_store_add(struct tag_store *store, const char *text);
/* What the tag names as text, the caller's to free. */
char *tag_store_get(struct tag_store *store);

struct tag_fixture {
	char dir[64];
	struct tag_store store;
	struct pool *pool;
	struct timer *timer;
	struct staging *staging;
	struct cache *cache;
	struct history *history;
	struct tree tree;
	struct tree_options options;
};

/* The tag is what the text says; the tree stands on it. */
void tag_fixture_start(struct tag_fixture *fixture, const char *text);
void tag_fixture_stop(struct tag_fixture *fixture);
/* As after kill -9: what is in memory is gone. */
void tag_fixture_restart(struct tag_fixture *fixture);

/* Loads all folders, or one. */
void tag_load_all(struct tag_fixture *fixture);
void tag_load(struct tag_fixture *fixture, const char *folder);

/* What programs do; paths are relative to the tag. Directories and folders are made as needed. */
void tag_write(struct tag_fixture *fixture, const char *path, const char *content);
void tag_remove(struct tag_fixture *fixture, const char *path);
void tag_mkdir(struct tag_fixture *fixture, const char *path);
void tag_rename(struct tag_fixture *fixture, const char *from, const char *to);
void tag_annotate(struct tag_fixture *fixture, const char *folder, const char *text);

/* Commits as fsync does, and waits until the commit is over; store.calls are its calls, and maybe
 * the first of the watch. */
struct error tag_commit(struct tag_fixture *fixture);

/* The node at a path; NULL where there is none. */
struct node *tag_node(struct tag_fixture *fixture, const char *path);

/* Fails the test where the tree shows something else. */
void assert_view(struct tag_fixture *fixture, const char *want);
/* The same for what the tag's base is, and for what the tag names in the store. */
void assert_base(struct tag_fixture *fixture, const char *want);
void assert_tag(struct tag_fixture *fixture, const char *want);

#endif
