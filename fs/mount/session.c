#include "fs/mount/session.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "cleanup.h"
#include "fs/commit/automatic.h"
#include "fs/commit/commit.h"
#include "fs/commit/turn.h"
#include "fs/commit/watch.h"
#include "fs/mount/fuse.h"
#include "fs/mount/notify.h"
#include "fs/mount/ops.h"
#include "fs/mount/option_value.h"
#include "fs/mount/state.h"
#include "fs/tree/durable.h"
#include "fs/tree/file.h"
#include "fs/tree/history.h"
#include "fs/tree/refresh.h"
#include "fs/tree/status.h"
#include "fs/tree/tag.h"
#include "fs/tree/upload.h"
#include "reference.h"

#define POOL_THREADS 64
#define HEAPS 2
#define FUSE_THREADS 32
#define FUSE_IDLE_THREADS 4

/* The parts that a mount stands on, opened from the top down and closed from the bottom up. */
struct parts {
	struct reference reference;
	struct state state;
	struct store *store;
	struct pool *pool;
	struct timer *timer;
	struct staging *staging;
	struct cache *cache;
	struct history *history;
	struct mount mount;
	char *turn_path;
	bool has_tree;
	bool signalled; /* it was told to end; else it was unmounted */
};

static int open_staging(struct parts *parts, struct error *err)
{
	cleanup_with(buf_free) struct buf path = BUF_INIT(BUF_UNBOUNDED);

	if (buf_printf(&path, "%s/files", parts->state.dir))
		return error_set_memory(err);
	return staging_open(&parts->staging, path.data, parts->pool, err);
}

/* What is mounted; a layout's folder as an absolute path, since its state is found by it. */
static int take_reference(struct parts *parts, struct session_config *config, struct error *err)
{
	struct reference *reference = &parts->reference;
	char *path;

	if (reference_parse(reference, config->source, err))
		return -1;
	if (reference->transport == REFERENCE_LAYOUT) {
		path = option_path(reference->path, err);
		if (!path)
			return -1;
		free(reference->path);
		reference->path = path;
	}
	config->options.tree.read_only |= !reference->tag;
	return 0;
}

static int open_store(struct parts *parts, struct session_config *config, struct error *err)
{
	cleanup_with(buf_free) struct buf known = BUF_INIT(BUF_UNBOUNDED);
	struct store_options *options = &config->options.store;

	if (buf_printf(&known, "%s/known", config->options.cache_dir))
		return error_set_memory(err);
	options->known_dir = known.data;
	options->only_reads = config->options.tree.read_only;
	if (make_folders(config->options.cache_dir, err) ||
		store_open(&parts->store, &parts->reference, options, config->log, err))
		return -1;
	config->options.tree.read_only |= parts->store->read_only;
	return 0;
}

static int open_stores(struct parts *parts, struct session_config *config, struct error *err)
{
	const struct mount_options *options = &config->options;
	cleanup_free char *text = NULL;

	if (take_reference(parts, config, err))
		return -1;
	if (!parts->reference.tag && !digest_is_set(&parts->reference.digest))
		return error_set(err, ERROR_INVALID,
			"%s names no tag: this version mounts one tag (…:TAG) or digest (…@DIGEST)",
			config->source);
	text = reference_text(&parts->reference);
	if (!text)
		return error_set_memory(err);
	if (open_store(parts, config, err) ||
		state_open(&parts->state, options->state_dir, text, config->mountpoint,
			!options->tree.read_only, err) ||
		pool_new(&parts->pool, POOL_THREADS, err) || timer_new(&parts->timer, err) ||
		open_staging(parts, err))
		return -1;
	return cache_open(&parts->cache, options->cache_dir, options->cache_size, options->verify,
		parts->store, parts->pool, config->log, err);
}

/* A layout has a lock of its own. */
static int take_turns(struct parts *parts, struct session_config *config, struct error *err)
{
	cleanup_free char *name = reference_text(&parts->reference);

	if (!name)
		return error_set_memory(err);
	if (parts->store->read_only || parts->store->atomic_tags)
		return 0;
	parts->turn_path = turn_path(config->options.cache_dir, name, err);
	parts->mount.tree.turn_path = parts->turn_path;
	return parts->turn_path ? 0 : -1;
}

static int open_tree(struct parts *parts, struct session_config *config, struct error *err)
{
	struct tree *tree = &parts->mount.tree;

	tree_init(tree, &config->options.tree);
	parts->has_tree = true;
	tree->store = parts->store;
	tree->cache = parts->cache;
	tree->staging = parts->staging;
	tree->pool = parts->pool;
	tree->timer = parts->timer;
	tree->log = config->log;
	if (!tree->options.read_only) {
		if (history_open(&parts->history, parts->state.dir, err))
			return -1;
		tree->history = parts->history;
		staging_keep_gone(parts->staging, true);
	}
	if (take_turns(parts, config, err) || tag_open(tree, &parts->reference, err))
		return -1;
	return uploader_start(tree, UPLOAD_PAUSE_MS, err);
}

static int fuse_arguments(
	struct fuse_args *args, const struct session_config *config, const struct parts *parts)
{
	const struct mount_options *options = &config->options;
	cleanup_with(buf_free) struct buf name = BUF_INIT(BUF_UNBOUNDED);
	const char *c;
	size_t i;
	int result = fuse_opt_add_arg(args, "indexfs");

	/* libfuse takes a comma in a value with a backslash before it */
	result |= buf_append_text(&name, "fsname=");
	for (c = config->source; *c; c++)
		result |= buf_printf(&name, "%s%c", *c == ',' || *c == '\\' ? "\\" : "", *c);
	result |= fuse_opt_add_arg(args, "-o") || fuse_opt_add_arg(args, name.data);
	result |= fuse_opt_add_arg(args, "-o") ||
		  fuse_opt_add_arg(args, "subtype=indexfs,default_permissions");
	if (parts->mount.tree.options.read_only)
		result |= fuse_opt_add_arg(args, "-o") || fuse_opt_add_arg(args, "ro");
	if (config->debug)
		result |= fuse_opt_add_arg(args, "-d");
	for (i = 0; i < options->fuse_count; i++)
		result |= fuse_opt_add_arg(args, "-o") || fuse_opt_add_arg(args, options->fuse[i]);
	return result;
}

static int loop(struct fuse_session *session)
{
#if FUSE_USE_VERSION >= 312
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	int result;

	if (!config)
		return -1;
	fuse_loop_cfg_set_max_threads(config, FUSE_THREADS);
	fuse_loop_cfg_set_idle_threads(config, FUSE_IDLE_THREADS);
	result = fuse_session_loop_mt(session, config);
	fuse_loop_cfg_destroy(config);
	return result;
#else
	struct fuse_loop_config config = {.max_idle_threads = FUSE_IDLE_THREADS};

	return fuse_session_loop_mt(session, &config);
#endif
}

static int serve(struct parts *parts, struct session_config *config, struct error *err)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	struct mount *mount = &parts->mount;
	int result = -1;

	mount->ready = config->ready;
	mount->ready_context = config->ready_context;
	if (fuse_arguments(&args, config, parts)) {
		error_set_memory(err);
		goto out;
	}
	mount->session = fuse_session_new(&args, &mount_ops, sizeof mount_ops, mount);
	if (!mount->session) {
		error_set(err, ERROR_INVALID, "libfuse refuses the options");
		goto out;
	}
	if (fuse_set_signal_handlers(mount->session) ||
		fuse_session_mount(mount->session, config->mountpoint)) {
		error_set(err, ERROR_INVALID, "can't mount at %s", config->mountpoint);
		goto out;
	}
	result = watch_start(&mount->tree, err) || automatic_start(&mount->tree, err) ? -1 : 0;
	if (!result) {
		notify_begin(mount);
		parts->signalled = loop(mount->session) > 0;
		notify_end(mount);
	}
	fuse_session_unmount(mount->session);
out:
	fuse_opt_free_args(&args);
	return result;
}

/* Once nothing is under way any more. */
static void keep_uncommitted(struct parts *parts, struct session_config *config, bool served)
{
	size_t changes;

	if (history_is_empty(parts->history))
		return;
	if (served) {
		file_forget_closed(parts->mount.tree.root);
		durable_now(&parts->mount.tree);
	}
	staging_keep_files(parts->staging, true);
	changes = status_changes(&parts->mount.tree, parts->mount.tree.root);
	if (served && changes)
		log_write(config->log, LOG_LEVEL_WARNING,
			"%zu changes are not committed; they are kept, and are there when %s is "
			"mounted again",
			changes, config->source);
}

/* Whether a signal has told this program to end, before or after the end of the mount. */
static bool is_hurried(void *context)
{
	const struct parts *parts = context;

	return parts->signalled || fuse_session_exited(parts->mount.session);
}

static void close_parts(struct parts *parts, struct session_config *config, bool served)
{
	struct mount *mount = &parts->mount;

	if (parts->has_tree)
		refresh_stop(&mount->tree);
	if (served)
		automatic_finish(&mount->tree, is_hurried, parts);
	if (parts->has_tree) {
		commit_stop(&mount->tree);
		durable_stop(&mount->tree);
		uploader_stop(&mount->tree);
	}
	if (parts->timer)
		timer_stop(parts->timer);
	if (parts->pool)
		pool_free(parts->pool);
	if (parts->has_tree) {
		automatic_stop(&mount->tree);
		watch_stop(&mount->tree);
	}
	timer_free(parts->timer);
	keep_uncommitted(parts, config, served);
	if (parts->has_tree) {
		directories_forget(mount);
		tree_destroy(&mount->tree);
	}
	history_close(parts->history);
	if (parts->cache)
		cache_close(parts->cache);
	if (parts->staging)
		staging_close(parts->staging);
	if (parts->store)
		store_close(parts->store);
	/* libfuse keeps a pipe for each thread that has replied: last, when they have all ended */
	if (mount->session) {
		fuse_remove_signal_handlers(mount->session);
		fuse_session_destroy(mount->session);
	}
	free(parts->turn_path);
	state_close(&parts->state);
	reference_clear(&parts->reference);
}

int session_run(struct session_config *config, struct error *err)
{
	struct parts *parts = calloc(1, sizeof *parts);
	int result;

	if (!parts)
		return error_set_memory(err);
	/* glibc gives each thread a heap of its own, which keeps what it has grown to: the commits
	 * of a large index, each on another thread, would each leave one behind */
	mallopt(M_ARENA_MAX, HEAPS);
	parts->state.lock_fd = -1;
	result = open_stores(parts, config, err);
	if (!result)
		result = open_tree(parts, config, err);
	if (!result)
		result = serve(parts, config, err);
	close_parts(parts, config, !result);
	free(parts);
	return result;
}
