#include "registry/layout/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "annotation_file.h"
#include "cleanup.h"
#include "document.h"
#include "registry/layout/files.h"

#define VERSION_MEMBER "imageLayoutVersion"
#define VERSION_TEXT "{\"" VERSION_MEMBER "\":\"1.0.0\"}"
#define VERSION_FILE_MAX 4096
#define LOCK_POLL_NS 2000000

/* Whether the version in oci-layout is one that this program knows (image-layout.md, "oci-layout
 * file"). Its one object of strings has the shape of annotations. */
static int version_check(const struct buf *text, struct error *err)
{
	cleanup_with(annotations_clear) struct annotations members = ANNOTATIONS_INIT;
	const char *version;

	if (index_annotations_parse(&members, text->data ? text->data : "", text->len, err))
		return -1;
	version = annotations_get(&members, VERSION_MEMBER);
	if (!version)
		return error_set(err, ERROR_INVALID, "has no " VERSION_MEMBER);
	if (strncmp(version, "1.", 2) != 0)
		return error_set(err, ERROR_INVALID, "version %.32s isn't known", version);
	return 0;
}

/* Reads the mark of a layout: *found, or an error where there is one that can't be used. */
static int mark_read(int dir, bool *found, struct error *err)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(VERSION_FILE_MAX);
	struct error why = ERROR_INIT;

	*found = false;
	if (layout_file_read(dir, LAYOUT_FILE, &text, &why))
		return why.kind == ERROR_NOT_FOUND ? 0 : error_copy(err, &why);
	if (version_check(&text, &why))
		return error_set(err, ERROR_INVALID, LAYOUT_FILE ": %s", why.message);
	*found = true;
	return 0;
}

static bool name_is_ours(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..") || !strcmp(name, BLOBS_FOLDER) ||
	       !strcmp(name, INDEX_FILE) ||
	       !strncmp(name, TEMP_FILE_PREFIX, strlen(TEMP_FILE_PREFIX));
}

/* Whether the folder holds nothing but what folder_make() makes before the mark. */
static int vacant(int dir, bool *out, struct error *err)
{
	const struct dirent *entry;
	DIR *list;
	int fd = layout_dir_open(dir, ".", err);

	if (fd < 0)
		return -1;
	list = fdopendir(fd);
	if (!list) {
		error_set_errno(err, errno, "can't be listed");
		close(fd);
		return -1;
	}
	*out = true;
	while ((entry = readdir(list)) && *out)
		*out = name_is_ours(entry->d_name);
	closedir(list);
	return 0;
}

static int file_make(int dir, const char *name, const char *text, size_t len, struct error *err)
{
	cleanup_with(layout_temp_close) struct temp_file temp = TEMP_FILE_INIT;

	if (layout_temp_create(&temp, dir, err))
		return -1;
	if (layout_file_write(temp.fd, text, len))
		return error_set_errno(err, errno, "%s", name);
	return layout_temp_commit(&temp, name, err);
}

static int index_make(int dir, struct error *err)
{
	cleanup_with(document_clear) struct document index = DOCUMENT_INIT;

	if (faccessat(dir, INDEX_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (document_create(&index, DOCUMENT_INDEX, NULL, DOCUMENT_COMPACT, err))
		return -1;
	return file_make(dir, INDEX_FILE, index.json, index.json_len, err);
}

/* The mark comes last: a folder is no layout yet, or a whole one. */
static int folder_make(int dir, int timeout, struct error *err)
{
	bool found;
	cleanup_close int lock = layout_folder_lock(dir, timeout, NULL, err);
	cleanup_close int blobs = -1;
	cleanup_close int sha256 = -1;

	if (lock < 0 || mark_read(dir, &found, err))
		return -1;
	if (found)
		return 0;
	blobs = layout_dir_open_make(dir, BLOBS_FOLDER, err);
	if (blobs < 0)
		return -1;
	sha256 = layout_dir_open_make(blobs, "sha256", err);
	if (sha256 < 0 || index_make(dir, err))
		return -1;
	return file_make(dir, LAYOUT_FILE, VERSION_TEXT, strlen(VERSION_TEXT), err);
}

/* One folder, durable in the one above it where that can be opened. */
static int step_make(const char *path, struct error *err)
{
	cleanup_close int made = -1;
	cleanup_close int above = -1;

	if (mkdir(path, 0777))
		return errno == EEXIST ? 0 : error_set_errno(err, errno, "%s can't be made", path);
	made = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	above = made < 0 ? -1 : openat(made, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return above < 0 ? 0 : layout_dir_sync(above, err);
}

/* Makes path and what is missing above it. */
static int path_make(const char *path, struct error *err)
{
	cleanup_free char *prefix = strdup(path);

	if (!prefix)
		return error_set_memory(err);
	for (char *end = prefix; *end; end++) {
		if (*end != '/' || end == prefix)
			continue;
		*end = '\0';
		if (step_make(prefix, err))
			return -1;
		*end = '/';
	}
	return step_make(path, err);
}

static int path_open(const char *path, struct error *err)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	int dir = open(path, flags);

	if (dir < 0 && errno == ENOENT) {
		if (path_make(path, err))
			return -1;
		dir = open(path, flags);
	}
	if (dir < 0 && errno == ENOTDIR)
		return error_set(err, ERROR_INVALID, "is not a folder");
	if (dir < 0)
		return error_set_errno(err, errno, "can't be opened");
	return dir;
}

int layout_folder_open(const char *path, int timeout, bool *made, struct error *err)
{
	bool found;
	bool empty;
	cleanup_close int dir = path_open(path, err);

	*made = false;
	if (dir < 0 || mark_read(dir, &found, err))
		return -1;
	if (found)
		return steal_fd(&dir);
	if (vacant(dir, &empty, err))
		return -1;
	if (!empty)
		return error_set(err, ERROR_INVALID,
			"is neither empty nor an OCI image layout (no " LAYOUT_FILE " in it)");
	if (faccessat(dir, ".", W_OK | X_OK, AT_EACCESS))
		return error_set(err, ERROR_INVALID,
			"is empty and can't be written, so no image layout can be made there");
	if (folder_make(dir, timeout, err))
		return -1;
	*made = true;
	return steal_fd(&dir);
}

bool layout_folder_read_only(int dir)
{
	if (faccessat(dir, ".", W_OK | X_OK, AT_EACCESS))
		return true;
	return faccessat(dir, BLOBS_FOLDER, W_OK | X_OK, AT_EACCESS) && errno != ENOENT;
}

int layout_folder_lock(int dir, int timeout, struct cancel *cancel, struct error *err)
{
	const struct timespec pause = {.tv_nsec = LOCK_POLL_NS};
	struct timespec now;
	time_t end;
	/* A descriptor of its own: flock() doesn't part the users of a shared one. */
	cleanup_close int lock = layout_dir_open(dir, ".", err);

	if (lock < 0)
		return -1;
	clock_gettime(CLOCK_MONOTONIC, &now);
	end = now.tv_sec + timeout;
	while (flock(lock, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return error_set_errno(err, errno, "can't be locked");
		if (cancel_fired(cancel))
			return error_set(err, ERROR_INTERRUPTED, "interrupted");
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec > end)
			return error_set(err, ERROR_TIMEOUT,
				"another program has held its lock for %d s", timeout);
		nanosleep(&pause, NULL);
	}
	return steal_fd(&lock);
}
