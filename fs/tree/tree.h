/*
 * tree.h - one mount: the nodes, and what they stand on.
 *
 * The lock guards the nodes and all that hangs on them. It is never held over the network, over a
 * copy of a file, or over a reply: each call below that takes it says so, all others want it held.
 */
#ifndef INDEXFS_FS_TREE_TREE_H
#define INDEXFS_FS_TREE_TREE_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

#include "document.h"
#include "error.h"
#include "fs/cache/cache.h"
#include "fs/control/errors.h"
#include "fs/tree/node.h"
#include "fs/tree/stale.h"
#include "fs/work/staging.h"
#include "log.h"
#include "merge.h"
#include "pool.h"
#include "require.h"
#include "store.h"
#include "timer.h"

struct history;
struct uploader;

/* When what has changed is committed, besides by fsync. */
enum commit_mode { COMMIT_FSYNC, COMMIT_CLOSE, COMMIT_IDLE, COMMIT_UNMOUNT };

/* Whose conventions documents follow. */
enum profile { PROFILE_NONE, PROFILE_HOMEBREW };

#define CREATED_NONE (-1)
#define CREATED_NOW (-2) /* that of the commit */

struct tree_options {
	bool read_only;
	enum commit_mode commit;
	int idle_seconds; /* of COMMIT_IDLE */
	struct require require; /* platforms without which nothing is published; borrowed */
	bool publish_all; /* scratch names are layers too */
	const char *artifact_type; /* of new manifests; never NULL */
	const char *layer_type; /* of new layers by default; never NULL */
	bool image_config; /* new manifests have an image config */
	enum profile profile;
	enum document_style style; /* of new documents */
	int watch_ms; /* how long a push is watched */
	int64_t refresh_ms; /* after so long a tag is asked again; -1: never */
	enum merge_choice conflict; /* what the user hasn't chosen otherwise */
	int64_t created; /* the time that new manifests tell, seconds since 1970; or one of these:
			  */
	uid_t uid;
	gid_t gid;
	mode_t umask;
};

/* When what was done goes to disk (durable.c). */
struct durable {
	struct timer_task task;
	bool due, running, again;
	struct cancel cancel; /* the mount ends */
};

struct tree {
	pthread_mutex_t lock;
	struct inodes inodes;
	struct node *root;
	struct tree_options options;
	struct store *store; /* all of these are borrowed */
	const char *turn_path; /* by which mounts of one tag take turns; NULL: not at all */
	struct cache *cache;
	struct staging *staging;
	struct pool *pool;
	struct timer *timer;
	struct log *log;
	struct history *history; /* NULL: nothing is written down, the mount is read-only */
	struct durable durable;
	struct uploader *uploader; /* upload.h's, owned; NULL: nothing is sent before a commit */
	bool offline; /* the registry could not be asked when this was mounted */
	bool incomplete; /* something in the history could not be restored (salvage.h) */
	bool replaying; /* what is done is in the history already */
	struct errors errors; /* the last ones, for status */
	struct stale stale;
	uint64_t next_order;
	pthread_cond_t closed; /* a file that was open for writing isn't any more */
};

/* Borrows everything; the strings of options too. */
void tree_init(struct tree *tree, const struct tree_options *options);
/* Frees every node. No request may be under way. */
void tree_destroy(struct tree *tree);

/* Notes an error at a node (NULL: the mount) in the log and for status, in words that begin with
 * the node's path. Returns the errno. The lock is held, but for node NULL. */
int tree_report(
	struct tree *tree, const struct node *node, const char *what, const struct error *err);
/* The same; takes the lock. */
int tree_report_unlocked(
	struct tree *tree, const struct node *node, const char *what, const struct error *err);

/* A new node with the options' umask applied. */
struct node *tree_node(struct tree *tree, enum node_kind kind, mode_t mode);

/* Whether the name is a scratch file's in this mount: kept locally, never published. */
bool tree_is_scratch(const struct tree *tree, const char *name);
/* Whether the node or a directory above it within its platform folder is. */
bool node_is_scratch(const struct tree *tree, const struct node *node);

/* Whether the node is the annotations.json of its tag or platform folder. */
bool node_is_annotations(const struct node *node);

/* Whether the node is a document in .oci that can be written (given.h), or a part of one. */
bool node_is_document(const struct node *node);
/* Whether the node is either: a file that is made of text (text.h). */
bool node_is_text(const struct node *node);

/* Whether anything at the node may be changed at all: EROFS, EPERM, or 0. */
int node_writable(const struct tree *tree, struct node *node);

#endif
