#include "registry/layout/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crash_point.h"

static int name_make(char out[static 32], struct error *err)
{
	unsigned long long number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return error_set_errno(err, errno, "no random number");
	snprintf(out, 32, TEMP_FILE_PREFIX "%016llx", number);
	return 0;
}

/* Whether the file system, or an old kernel, merely doesn't know O_TMPFILE. */
static bool nameless_unknown(int errnum)
{
	return errnum == EOPNOTSUPP || errnum == EISDIR || errnum == EINVAL || errnum == ENOENT;
}

int layout_temp_create(struct temp_file *temp, int dir, struct error *err)
{
	temp->dir = dir;
	temp->name[0] = '\0';
	temp->fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
	if (temp->fd >= 0)
		return 0;
	if (!nameless_unknown(errno))
		return error_set_errno(err, errno, "a temporary file can't be made");
	if (name_make(temp->name, err))
		return -1;
	temp->fd =
		openat(dir, temp->name, O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR | O_CLOEXEC, 0666);
	if (temp->fd < 0)
		return error_set_errno(err, errno, "a temporary file can't be made");
	return 0;
}

static int nameless_link(const struct temp_file *temp, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", temp->fd);
	if (linkat(AT_FDCWD, path, temp->dir, name, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	if (errno != ENOENT)
		return -1;
	/* No /proc: the other way needs a capability. */
	return linkat(temp->fd, "", temp->dir, name, AT_EMPTY_PATH);
}

/* A link can't take the place of another file, a rename can. */
static int name_give(struct temp_file *temp, const char *name, struct error *err)
{
	if (!temp->name[0]) {
		char hidden[sizeof(temp->name)];

		if (nameless_link(temp, name) == 0)
			return 0;
		if (errno != EEXIST)
			return error_set_errno(err, errno, "%s", name);
		if (name_make(hidden, err))
			return -1;
		if (nameless_link(temp, hidden))
			return error_set_errno(err, errno, "%s", name);
		snprintf(temp->name, sizeof(temp->name), "%s", hidden);
	}
	CRASH_POINT("layout.rename");
	if (renameat(temp->dir, temp->name, temp->dir, name))
		return error_set_errno(err, errno, "%s", name);
	temp->name[0] = '\0';
	return 0;
}

int layout_temp_commit(struct temp_file *temp, const char *name, struct error *err)
{
	CRASH_POINT("layout.written");
	if (fsync(temp->fd))
		return error_set_errno(err, errno, "%s", name);
	CRASH_POINT("layout.synced");
	if (name_give(temp, name, err))
		return -1;
	CRASH_POINT("layout.named");
	return layout_dir_sync(temp->dir, err);
}

void layout_temp_close(struct temp_file *temp)
{
	int saved = errno;

	if (temp->name[0])
		unlinkat(temp->dir, temp->name, 0);
	temp->name[0] = '\0';
	if (temp->fd >= 0)
		close(temp->fd);
	temp->fd = -1;
	errno = saved;
}
