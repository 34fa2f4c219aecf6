#include "fs/mount/options.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "cleanup.h"
#include "fs/mount/option_value.h"
#include "media_type.h"

#define IDLE_SECONDS 5 /* of commit=idle */
#define EPOCH_MAX 253402300799 /* the last second of the year 9999 */

struct option {
	const char *name;
	/* value is NULL where there was no "=" */
	int (*take)(struct mount_options *options, const char *name, const char *value,
		struct error *err);
	bool has_value;
};

/* Keeps a string as long as the options live. NULL when out of memory. */
static const char *keep(struct mount_options *options, char *text)
{
	char **strings =
		text ? reallocarray(options->strings, options->string_count + 1, sizeof *strings)
		     : NULL;

	if (!strings) {
		free(text);
		return NULL;
	}
	options->strings = strings;
	strings[options->string_count++] = text;
	return text;
}

static int set_string(
	struct mount_options *options, const char **out, const char *value, struct error *err)
{
	const char *kept = keep(options, strdup(value));

	if (!kept)
		return error_set_memory(err);
	*out = kept;
	return 0;
}

static int set_path(
	struct mount_options *options, const char **out, const char *value, struct error *err)
{
	const char *kept = keep(options, option_path(value, err));

	if (!kept)
		return error_set_memory(err);
	*out = kept;
	return 0;
}

/* Hands an option on to libfuse. */
static int set_fuse(
	struct mount_options *options, const char *name, const char *value, struct error *err)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(BUF_UNBOUNDED);
	char **fuse = reallocarray(options->fuse, options->fuse_count + 1, sizeof *fuse);

	if (fuse)
		options->fuse = fuse;
	if (!fuse || buf_printf(&text, "%s%s%s", name, value ? "=" : "", value ? value : "") ||
		!(fuse[options->fuse_count] = buf_steal(&text)))
		return error_set_memory(err);
	options->fuse_count++;
	return 0;
}

#define TAKE(what)                                                                                 \
	static int take_##what(struct mount_options *options, const char *name, const char *value, \
		struct error *err)
#define UNUSED (void)options, (void)name, (void)value, (void)err

#define TAKE_FLAG(what, field, flag_value)                                                         \
	TAKE(what)                                                                                 \
	{                                                                                          \
		UNUSED;                                                                            \
		options->field = (flag_value);                                                     \
		return 0;                                                                          \
	}
#define TAKE_STRING(what, field, set)                                                              \
	TAKE(what)                                                                                 \
	{                                                                                          \
		UNUSED;                                                                            \
		return set(options, &options->field, value, err);                                  \
	}
#define TAKE_INT(what, field, type, base, least, most)                                             \
	TAKE(what)                                                                                 \
	{                                                                                          \
		int64_t number;                                                                    \
                                                                                                   \
		if (option_number(&number, name, value, base, least, most, err))                   \
			return -1;                                                                 \
		options->field = (type)number;                                                     \
		return 0;                                                                          \
	}

TAKE_FLAG(ro, tree.read_only, true)
TAKE_FLAG(rw, tree.read_only, false)
TAKE_FLAG(publish_all, tree.publish_all, true)
TAKE_STRING(ca_file, store.ca_file, set_path)
TAKE_STRING(cert, store.cert, set_path)
TAKE_STRING(key, store.key, set_path)
TAKE_STRING(authfile, store.authfile, set_path)
TAKE_INT(timeout, store.timeout, int, 10, 1, 3600)
TAKE_INT(retries, store.retries, int, 10, 0, 100)
TAKE_INT(jobs, store.jobs, int, 10, 1, 256)
TAKE_INT(uid, tree.uid, uid_t, 10, 0, UINT32_MAX - 1)
TAKE_INT(gid, tree.gid, gid_t, 10, 0, UINT32_MAX - 1)
TAKE_INT(umask, tree.umask, mode_t, 8, 0, 0777)

TAKE(username)
{
	if (!*value || strchr(value, ':'))
		return error_set(err, ERROR_INVALID,
			"%s=: it takes a name without a colon; the password goes into "
			"INDEXFS_PASSWORD",
			name);
	return set_string(options, &options->store.username, value, err);
}

TAKE(tls_verify)
{
	if (strcmp(value, "no") != 0 && strcmp(value, "yes") != 0)
		return error_set(err, ERROR_INVALID, "%s=%s: it takes yes or no", name, value);
	options->store.tls_verify = value[0] == 'y';
	options->store.tls_told = true;
	return 0;
}

TAKE(plain_http)
{
	UNUSED;
	options->store.plain_http = true;
	options->store.tls_told = true;
	return 0;
}

TAKE(media_type)
{
	const char **field = strcmp(name, "artifact-type") ? &options->tree.layer_type
							   : &options->tree.artifact_type;

	if (!media_type_valid(value))
		return error_set(err, ERROR_INVALID,
			"%s=%s: it takes a media type such as application/vnd.example.app.v1", name,
			value);
	return set_string(options, field, value, err);
}

TAKE(json)
{
	if (strcmp(value, "compact") != 0 && strcmp(value, "pretty") != 0)
		return error_set(
			err, ERROR_INVALID, "%s=%s: it takes compact or pretty", name, value);
	options->tree.style = value[0] == 'c' ? DOCUMENT_COMPACT : DOCUMENT_PRETTY;
	return 0;
}

TAKE(config)
{
	if (strcmp(value, "empty") != 0 && strcmp(value, "image") != 0)
		return error_set(err, ERROR_INVALID, "%s=%s: it takes empty or image", name, value);
	options->tree.image_config = value[0] == 'i';
	return 0;
}

TAKE(profile)
{
	if (strcmp(value, "homebrew") != 0)
		return error_set(err, ERROR_INVALID, "%s=%s: it takes homebrew", name, value);
	options->tree.profile = PROFILE_HOMEBREW;
	return 0;
}

TAKE(refresh)
{
	int64_t seconds;

	if (!strcmp(value, "off")) {
		options->tree.refresh_ms = -1;
		return 0;
	}
	if (option_number(&seconds, name, value, 10, 0, 86400, NULL))
		return error_set(err, ERROR_INVALID,
			"%s=%s: it takes seconds, from 0 (at every access) to 86400, or off", name,
			value);
	options->tree.refresh_ms = seconds * 1000;
	return 0;
}

TAKE(conflict)
{
	if (strcmp(value, "ours") != 0 && strcmp(value, "theirs") != 0)
		return error_set(err, ERROR_INVALID, "%s=%s: it takes ours or theirs", name, value);
	options->tree.conflict = value[0] == 'o' ? MERGE_OURS : MERGE_THEIRS;
	return 0;
}

TAKE(created)
{
	if (!strcmp(value, "none"))
		options->tree.created = CREATED_NONE;
	else if (!strcmp(value, "now"))
		options->tree.created = CREATED_NOW;
	else if (option_number(&options->tree.created, name, value, 10, 0, EPOCH_MAX, NULL))
		return error_set(err, ERROR_INVALID,
			"%s=%s: it takes now, none, or seconds since 1970", name, value);
	return 0;
}

TAKE(commit)
{
	static const char *const modes[] = {"fsync", "close", "idle", "unmount"};
	struct tree_options *tree = &options->tree;
	int64_t seconds = IDLE_SECONDS;

	const char *mode = value;
	size_t i;

	if (!strncmp(value, "idle:", 5) &&
		!option_number(&seconds, name, value + 5, 10, 1, 86400, NULL))
		mode = "idle";
	for (i = 0; i < sizeof modes / sizeof modes[0]; i++)
		if (!strcmp(mode, modes[i])) {
			tree->commit = (enum commit_mode)i;
			tree->idle_seconds = (int)seconds;
			return 0;
		}
	return error_set(err, ERROR_INVALID,
		"%s=%s: it takes fsync, close, idle, idle:SECONDS (1 to 86400) or unmount", name,
		value);
}

TAKE(require)
{
	struct require require;

	if (require_parse(&require, value, err))
		return error_prefix(err, "%s=%s", name, value);
	require_clear(&options->tree.require);
	options->tree.require = require;
	return 0;
}

static int set_owned_path(char **out, const char *value, struct error *err)
{
	char *path = option_path(value, err);

	if (!path)
		return -1;
	free(*out);
	*out = path;
	return 0;
}

TAKE(cache_dir)
{
	(void)name;
	return set_owned_path(&options->cache_dir, value, err);
}

TAKE(state_dir)
{
	(void)name;
	return set_owned_path(&options->state_dir, value, err);
}

TAKE(cache_size)
{
	return option_size(&options->cache_size, name, value, err);
}

TAKE(verify)
{
	if (strcmp(value, "full") != 0 && strcmp(value, "strict") != 0)
		return error_set(err, ERROR_INVALID, "%s=%s: it takes full or strict", name, value);
	options->verify = value[0] == 'f' ? CACHE_VERIFY_FULL : CACHE_VERIFY_STRICT;
	return 0;
}

TAKE(later)
{
	(void)options;
	(void)value;
	return error_set(err, ERROR_INVALID, "the option %s isn't in this version yet", name);
}

TAKE(ignored)
{
	UNUSED;
	return 0;
}

static const struct option options_known[] = {
	{"ro", take_ro, false},
	{"rw", take_rw, false},
	{"commit", take_commit, true},
	{"require", take_require, true},
	{"conflict", take_conflict, true},
	{"refresh", take_refresh, true},
	{"timeout", take_timeout, true},
	{"retries", take_retries, true},
	{"jobs", take_jobs, true},
	{"artifact-type", take_media_type, true},
	{"layer-type", take_media_type, true},
	{"config", take_config, true},
	{"json", take_json, true},
	{"created", take_created, true},
	{"profile", take_profile, true},
	{"publish-all", take_publish_all, false},
	{"plain-http", take_plain_http, false},
	{"tls-verify", take_tls_verify, true},
	{"ca-file", take_ca_file, true},
	{"cert", take_cert, true},
	{"key", take_key, true},
	{"authfile", take_authfile, true},
	{"username", take_username, true},
	{"cache-dir", take_cache_dir, true},
	{"cache-size", take_cache_size, true},
	{"state-dir", take_state_dir, true},
	{"verify", take_verify, true},
	{"uid", take_uid, true},
	{"gid", take_gid, true},
	{"umask", take_umask, true},
	{"allow_other", set_fuse, false},
	{"allow_root", set_fuse, false},
	{"auto_unmount", set_fuse, false},
	{"default_permissions", take_ignored, false},
	{"max_read", set_fuse, true},
	{"noatime", set_fuse, false},
	{"atime", set_fuse, false},
	{"exec", set_fuse, false},
	{"noexec", set_fuse, false},
	{"suid", set_fuse, false},
	{"nosuid", set_fuse, false},
	{"dev", set_fuse, false},
	{"nodev", set_fuse, false},
	{"allow-delete", take_later, false},
	{"chunk-digests", take_later, false},
};

static const size_t option_count = sizeof options_known / sizeof options_known[0];

static int unknown(const char *name, struct error *err)
{
	const char *nearest = options_known[0].name;
	size_t i;

	for (i = 1; i < option_count; i++)
		if (name_distance(name, options_known[i].name) < name_distance(name, nearest))
			nearest = options_known[i].name;
	return error_set(err, ERROR_INVALID, "unknown option %s; did you mean %s?", name, nearest);
}

/* What mount(8) and fstab(5) say to everybody, and means nothing here. */
static bool is_for_mount(const char *name)
{
	static const char *const names[] = {"auto", "noauto", "user", "nouser", "users", "owner",
		"group", "nofail", "_netdev", "defaults", "comment", "async"};
	size_t i;

	for (i = 0; i < sizeof names / sizeof names[0]; i++)
		if (!strcmp(name, names[i]))
			return true;
	return !strncmp(name, "x-", 2) || !strncmp(name, "X-", 2);
}

/* What other programs take, and this one doesn't. */
static int refuse(const char *name, struct error *err)
{
	if (name_distance(name, "password") <= 2 || !strcmp(name, "pass"))
		return error_set(err, ERROR_INVALID,
			"everybody on this machine can see what stands in an option: a password "
			"goes into INDEXFS_PASSWORD or onto standard input (with username=USER), "
			"or is kept by indexfs login");
	if (!strcmp(name, "remount"))
		return error_set(err, ERROR_INVALID,
			"a mount can't be changed: unmount it, and mount it again");
	return unknown(name, err);
}

static int take_one(struct mount_options *options, char *text, struct error *err)
{
	char *value = strchr(text, '=');
	size_t i;

	if (value)
		*value++ = '\0';
	for (i = 0; i < option_count; i++) {
		const struct option *option = &options_known[i];

		if (strcmp(option->name, text) != 0)
			continue;
		if (option->has_value && !value)
			return error_set(err, ERROR_INVALID, "the option %s takes a value: %s=...",
				text, text);
		if (!option->has_value && value)
			return error_set(err, ERROR_INVALID, "the option %s takes no value", text);
		return option->take(options, text, value, err);
	}
	return is_for_mount(text) ? 0 : refuse(text, err);
}

int mount_options_parse(struct mount_options *options, const char *text, struct error *err)
{
	cleanup_free char *copy = strdup(text);
	char *from, *to, *begin;

	if (!copy)
		return error_set_memory(err);
	begin = to = copy;
	for (from = copy;; from++) {
		bool last = *from == '\0';

		if (*from == '\\' && from[1] == ',') {
			*to++ = *++from;
			continue;
		}
		if (!last && *from != ',') {
			*to++ = *from;
			continue;
		}
		*to = '\0';
		if (*begin && take_one(options, begin, err))
			return -1;
		if (last)
			return 0;
		begin = to = from + 1;
	}
}

/* The user's folder; at boot, when fstab is mounted, the environment doesn't tell it. */
static const char *home_dir(void)
{
	const char *home = getenv("HOME");
	const struct passwd *user;

	if (home && home[0] == '/')
		return home;
	/* cppcheck-suppress getpwuidCalled; there is one thread yet */
	user = getpwuid(geteuid());
	return user && user->pw_dir[0] == '/' ? user->pw_dir : NULL;
}

void mount_options_print(FILE *to)
{
	size_t i;

	for (i = 0; i < option_count; i++)
		if (options_known[i].take != take_later && options_known[i].take != take_ignored)
			fprintf(to, "%s%s\n", options_known[i].name,
				options_known[i].has_value ? "=" : "");
}

/* $VARIABLE/indexfs, or ~/FALLBACK/indexfs. */
static char *user_dir(const char *variable, const char *fallback)
{
	cleanup_with(buf_free) struct buf path = BUF_INIT(BUF_UNBOUNDED);
	const char *base = getenv(variable), *home = home_dir();
	int result;

	if (base && base[0] == '/')
		result = buf_printf(&path, "%s/indexfs", base);
	else if (home)
		result = buf_printf(&path, "%s/%s/indexfs", home, fallback);
	else
		result = buf_printf(&path, "/tmp/indexfs-%u", (unsigned)geteuid());
	return result ? NULL : buf_steal(&path);
}

int mount_options_init(struct mount_options *options, struct error *err)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	mode_t mask = umask(0);

	umask(mask);
	*options = (struct mount_options){
		.store = STORE_OPTIONS_DEFAULT,
		.tree = {.watch_ms = 2000,
			.refresh_ms = 10000,
			.artifact_type = ARTIFACT_TYPE_UNKNOWN,
			.layer_type = MEDIA_TYPE_OCTETS,
			.created = CREATED_NONE,
			.uid = getuid(),
			.gid = getgid(),
			.umask = mask},
		.cache_size = (int64_t)10 << 30,
		.cache_dir = user_dir("XDG_CACHE_HOME", ".cache"),
		.state_dir = user_dir("XDG_STATE_HOME", ".local/state"),
	};
	if (!options->cache_dir || !options->state_dir)
		return error_set_memory(err);
	if (epoch && *epoch &&
		option_number(&options->tree.created, "", epoch, 10, 0, EPOCH_MAX, NULL))
		return error_set(err, ERROR_INVALID,
			"SOURCE_DATE_EPOCH=%s: it takes seconds since 1970", epoch);
	return 0;
}

static void free_all(char **strings, size_t count)
{
	while (count-- > 0)
		free(strings[count]);
	free(strings);
}

void mount_options_clear(struct mount_options *options)
{
	free(options->cache_dir);
	free(options->state_dir);
	require_clear(&options->tree.require);
	free_all(options->fuse, options->fuse_count);
	free_all(options->strings, options->string_count);
}
