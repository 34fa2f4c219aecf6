#include "fs/cmd/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "cleanup.h"

#define MOUNTINFO "/proc/self/mountinfo"
#define MOUNTINFO_MAX ((size_t)64 << 20)
#define TYPE "fuse.indexfs"

void mounts_clear(struct mounts *mounts)
{
	for (size_t i = 0; i < mounts->count; i++) {
		free(mounts->items[i].mountpoint);
		free(mounts->items[i].source);
	}
	free(mounts->items);
	*mounts = (struct mounts){.items = NULL};
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* Blanks, newlines and backslashes stand there as \ and three octal digits. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (*from == '\\' && is_octal(from[1]) && is_octal(from[2]) && is_octal(from[3])) {
			*to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + from[3] - '0');
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

static int add(struct mounts *out, const char *mountpoint, const char *source, struct error *err)
{
	struct mounted *items = reallocarray(out->items, out->count + 1, sizeof *items);

	if (!items)
		return error_set_memory(err);
	out->items = items;
	items[out->count] = (struct mounted){strdup(mountpoint), strdup(source)};
	if (!items[out->count].mountpoint || !items[out->count].source) {
		free(items[out->count].mountpoint);
		free(items[out->count].source);
		return error_set_memory(err);
	}
	unescape(items[out->count].mountpoint);
	unescape(items[out->count].source);
	out->count++;
	return 0;
}

/* ID PARENT DEVICE ROOT MOUNTPOINT OPTIONS [TAG...] - TYPE SOURCE SUPEROPTIONS */
static int parse_line(struct mounts *out, char *line, struct error *err)
{
	const char *mountpoint = NULL, *type, *source;
	char *rest = line, *field;
	int i;

	for (i = 0; i < 5 && (field = strsep(&rest, " ")); i++)
		mountpoint = field;
	while ((field = strsep(&rest, " ")) && strcmp(field, "-") != 0)
		;
	type = strsep(&rest, " ");
	source = strsep(&rest, " ");
	if (i < 5 || !type || !source || strcmp(type, TYPE) != 0)
		return 0;
	return add(out, mountpoint, source, err);
}

int mounts_parse(struct mounts *out, const char *text, struct error *err)
{
	cleanup_free char *copy = strdup(text);
	char *rest = copy, *line;

	*out = (struct mounts){.items = NULL};
	if (!copy)
		return error_set_memory(err);
	while ((line = strsep(&rest, "\n")))
		if (parse_line(out, line, err)) {
			mounts_clear(out);
			return -1;
		}
	return 0;
}

int mounts_read(struct mounts *out, struct error *err)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(MOUNTINFO_MAX);
	cleanup_close int fd = open(MOUNTINFO, O_RDONLY | O_CLOEXEC);
	char chunk[16384];
	ssize_t got = -1;

	*out = (struct mounts){.items = NULL};
	while (fd >= 0 && (got = read(fd, chunk, sizeof chunk)) > 0)
		if (buf_append(&text, chunk, (size_t)got))
			return error_set_errno(err, errno, "can't read " MOUNTINFO);
	if (got < 0)
		return error_set_errno(err, errno, "can't read " MOUNTINFO);
	return mounts_parse(out, text.data ? text.data : "", err);
}

const struct mounted *mounts_at(const struct mounts *mounts, const char *path)
{
	for (size_t i = mounts->count; i-- > 0;)
		if (strcmp(mounts->items[i].mountpoint, path) == 0)
			return &mounts->items[i];
	return NULL;
}

static bool lies_in(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

const struct mounted *mounts_of(const struct mounts *mounts, const char *path)
{
	const struct mounted *found = NULL;

	for (size_t i = 0; i < mounts->count; i++) {
		const struct mounted *item = &mounts->items[i];

		if (lies_in(path, item->mountpoint) &&
			(!found || strlen(item->mountpoint) >= strlen(found->mountpoint)))
			found = item;
	}
	return found;
}

bool mounted_is_dead(const char *mountpoint)
{
	struct statx st;

	/* the kernel goes on to tell what it remembers for a while, unless it's made to ask */
	return statx(AT_FDCWD, mountpoint, AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &st) &&
	       errno == ENOTCONN;
}

/* The folder that a path ends in, and its last part. */
static char *split(char *path, const char **name)
{
	char *slash;

	while ((slash = strrchr(path, '/')) && slash != path && !slash[1])
		*slash = '\0';
	if (!slash) {
		*name = path;
		return ".";
	}
	*name = slash + 1;
	if (slash == path)
		return "/";
	*slash = '\0';
	return path;
}

/* The path of what isn't there, or doesn't answer: of the folder above it, and its last part. */
static char *resolve_above(const char *path, int why, struct error *err)
{
	cleanup_with(buf_free) struct buf joined = BUF_INIT(BUF_UNBOUNDED);
	cleanup_free char *copy = strdup(path), *above = NULL;
	const char *name, *folder;

	if (!copy) {
		error_set_memory(err);
		return NULL;
	}
	folder = split(copy, &name);
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		error_set_errno(err, why, "%s", path);
		return NULL;
	}
	above = path_resolve(folder, err);
	if (!above)
		return NULL;
	if (buf_printf(&joined, "%s/%s", strcmp(above, "/") != 0 ? above : "", name)) {
		error_set_memory(err);
		return NULL;
	}
	return buf_steal(&joined);
}

char *path_resolve(const char *path, struct error *err)
{
	char *real = realpath(path, NULL);

	if (real)
		return real;
	if (errno == ENOENT || errno == ENOTCONN || errno == EACCES)
		return resolve_above(path, errno, err);
	error_set_errno(err, errno, "%s", path);
	return NULL;
}
