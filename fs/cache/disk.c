#include "fs/cache/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"

#define SHA512_HEX_LEN 128
#define TMP_NAME_SIZE 40

/* Opens a folder and makes it if it's missing: ours, and no one else may write in it. */
static int folder_open(int at, const char *name, struct error *err)
{
	struct stat st;

	if (mkdirat(at, name, 0700) < 0 && errno != EEXIST)
		return error_set_errno(err, errno, "can't make the cache folder %s", name);
	cleanup_close int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_set_errno(err, errno, "can't open the cache folder %s", name);
	if (st.st_uid != geteuid())
		return error_set(err, ERROR_NOT_PERMITTED,
			"the cache folder %s belongs to another user", name);
	if ((st.st_mode & 077) && fchmod(fd, 0700) < 0)
		return error_set_errno(err, errno, "can't make the folder %s private", name);
	return steal_fd(&fd);
}

/* Parents that can't be made show when the folder itself is opened. */
static void make_parents(const char *dir)
{
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s", dir) >= sizeof(path))
		return;
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
}

int disk_open(struct disk *out, const char *dir, struct error *err)
{
	make_parents(dir);
	cleanup_close int root = folder_open(AT_FDCWD, dir, err);
	if (root < 0)
		return -1;
	cleanup_close int blobs = folder_open(root, "blobs", err);
	if (blobs < 0)
		return -1;
	cleanup_close int sha256 = folder_open(blobs, "sha256", err);
	cleanup_close int sha512 = folder_open(blobs, "sha512", err);
	cleanup_close int tmp = folder_open(root, "tmp", err);
	if (sha256 < 0 || sha512 < 0 || tmp < 0)
		return -1;
	out->blobs[DISK_SHA256] = steal_fd(&sha256);
	out->blobs[DISK_SHA512] = steal_fd(&sha512);
	out->tmp = steal_fd(&tmp);
	return 0;
}

void disk_close(struct disk *disk)
{
	for (int i = 0; i < DISK_ALGORITHMS; i++)
		close(disk->blobs[i]);
	close(disk->tmp);
}

static bool name_is_hex(const char *name, size_t len)
{
	return strlen(name) == len && strspn(name, "0123456789abcdef") == len;
}

/* The name of a digest's file and its folder; NULL for an algorithm that can't be verified. The
 * hex is looked at once more, because it becomes a path. */
static const char *blob_name(const struct disk *disk, const struct digest *digest, int *folder)
{
	static const size_t lengths[DISK_ALGORITHMS] = {SHA256_HEX_LEN, SHA512_HEX_LEN};

	if (!digest_is_set(digest) || !digest_verifiable(digest))
		return NULL;
	const char *name = digest_encoded(digest);
	for (int i = 0; i < DISK_ALGORITHMS; i++) {
		*folder = disk->blobs[i];
		if (name_is_hex(name, lengths[i]))
			return name;
	}
	return NULL;
}

bool disk_identify(struct disk_identity *out, int fd, uint64_t size)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != size)
		return false;
	*out = (struct disk_identity){
		.device = st.st_dev, .inode = st.st_ino, .size = st.st_size, .changed = st.st_mtim};
	return true;
}

bool disk_identity_equal(const struct disk_identity *a, const struct disk_identity *b)
{
	return a->inode && a->inode == b->inode && a->device == b->device && a->size == b->size &&
	       a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

static bool stat_is_blob(const struct stat *st, uint64_t size)
{
	return S_ISREG(st->st_mode) && st->st_uid == geteuid() && (uint64_t)st->st_size == size;
}

bool disk_blob_exists(const struct disk *disk, const struct digest *digest, uint64_t size)
{
	struct stat st;
	int folder;
	const char *name = blob_name(disk, digest, &folder);

	return name && fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       stat_is_blob(&st, size);
}

int disk_blob_open(const struct disk *disk, struct disk_identity *identity,
	const struct digest *digest, uint64_t size)
{
	/* The access time orders eviction; file systems that are mounted noatime keep it only when
	 * it's set. */
	static const struct timespec used[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_OMIT}};
	struct stat st;
	int folder;
	const char *name = blob_name(disk, digest, &folder);

	if (!name)
		return -1;
	cleanup_close int fd =
		openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !stat_is_blob(&st, size) ||
		!disk_identify(identity, fd, size))
		return -1;
	futimens(fd, used);
	return steal_fd(&fd);
}

void disk_blob_remove(
	const struct disk *disk, const struct digest *digest, const struct disk_identity *identity)
{
	struct stat st;
	int folder;
	const char *name = blob_name(disk, digest, &folder);

	if (name && fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		st.st_ino == identity->inode && st.st_dev == identity->device)
		unlinkat(folder, name, 0);
}

static bool link_fd(int fd, int folder, const char *name)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, path, folder, name, AT_SYMLINK_FOLLOW) == 0;
}

bool disk_blob_link(const struct disk *disk, const struct digest *digest, uint64_t size, int fd)
{
	int folder;
	const char *name = blob_name(disk, digest, &folder);

	if (!name)
		return false;
	if (link_fd(fd, folder, name))
		return true;
	if (errno != EEXIST)
		return false;
	if (disk_blob_exists(disk, digest, size))
		return true;
	/* What stands there can't be that blob. */
	return unlinkat(folder, name, 0) == 0 && link_fd(fd, folder, name);
}

static int file_named(const struct disk *disk, char name[static TMP_NAME_SIZE])
{
	int fd = -1;

	for (int i = 0; fd < 0 && i < 100; i++) {
		struct timespec now;

		clock_gettime(CLOCK_REALTIME, &now);
		snprintf(name, TMP_NAME_SIZE, "%d-%lx", (int)getpid(),
			(unsigned long)now.tv_nsec + (unsigned long)i);
		fd = openat(
			disk->tmp, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	return fd;
}

static bool copy_bytes(int to, int from, uint64_t size)
{
	off_t in = 0;

	while ((uint64_t)in < size) {
		if (copy_file_range(from, &in, to, NULL, size - (uint64_t)in, 0) <= 0)
			return false;
	}
	return true;
}

bool disk_blob_copy(const struct disk *disk, const struct digest *digest, uint64_t size, int fd)
{
	char tmp[TMP_NAME_SIZE];
	int folder;
	const char *name = blob_name(disk, digest, &folder);

	if (!name)
		return false;
	cleanup_close int copy = file_named(disk, tmp);
	if (copy < 0)
		return false;
	bool done = copy_bytes(copy, fd, size) && renameat(disk->tmp, tmp, folder, name) == 0;
	if (!done)
		unlinkat(disk->tmp, tmp, 0);
	return done;
}

int disk_file_new(const struct disk *disk, struct error *err)
{
	char name[TMP_NAME_SIZE];
	int fd = openat(disk->tmp, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 && errno != ENOSPC && errno != EDQUOT && errno != EMFILE && errno != ENFILE) {
		fd = file_named(disk, name);
		if (fd >= 0)
			unlinkat(disk->tmp, name, 0);
	}
	if (fd < 0)
		error_set_errno(err, errno, "can't make a file in the cache");
	return fd;
}
