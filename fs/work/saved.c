#include "fs/work/saved.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "crash_point.h"

/* A file begins with the media type and a newline: a document need not say it itself. */
static const char temporary[] = "new";

static int write_file(int fd, const struct document *document)
{
	FILE *file = fdopen(fd, "w");
	bool good;

	if (!file) {
		close(fd);
		return -1;
	}
	CRASH_TORN("saved.torn", fd, document->json, document->json_len, 0);
	good = fprintf(file, "%s\n", document->media_type) > 0 &&
	       fwrite(document->json, 1, document->json_len, file) == document->json_len &&
	       fflush(file) == 0 && fdatasync(fd) == 0;
	return fclose(file) == 0 && good ? 0 : -1;
}

static int take_name(int dir_fd, const char *name)
{
	CRASH_POINT("saved.written");
	if (renameat(dir_fd, temporary, dir_fd, name))
		return -1;
	CRASH_POINT("saved.renamed");
	return fsync(dir_fd);
}

int saved_put(int dir_fd, const struct document *document, struct error *err)
{
	const char *name = digest_encoded(&document->digest);
	int fd;

	if (faccessat(dir_fd, name, R_OK, 0) == 0)
		return 0;
	fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || write_file(fd, document) || take_name(dir_fd, name)) {
		error_set_errno(err, errno, "can't keep a document of the registry");
		unlinkat(dir_fd, temporary, 0);
		return -1;
	}
	CRASH_POINT("saved");
	return 0;
}

static int parse_file(struct document *out, const struct digest *digest, char *bytes, size_t len,
	struct error *err)
{
	char *newline = memchr(bytes, '\n', len);
	size_t at;

	if (!newline)
		return error_set(err, ERROR_CORRUPT, "a kept document is damaged");
	*newline = '\0';
	at = (size_t)(newline + 1 - bytes);
	if (digest_check(digest, bytes + at, len - at, err))
		return error_prefix(err, "a kept document is damaged");
	return document_parse(out, bytes, bytes + at, len - at, err);
}

/* Whatever it is, it's in the way of the document itself, which can be had again. */
static void set_aside(int dir_fd, const char *name)
{
	char aside[DIGEST_TEXT_SIZE + sizeof ".damaged"];

	snprintf(aside, sizeof aside, "%s.damaged", name);
	renameat(dir_fd, name, dir_fd, aside);
}

static int read_file(int fd, struct document *out, const struct digest *digest, struct error *err)
{
	cleanup_free char *bytes = NULL;
	struct stat st;

	if (fstat(fd, &st) || st.st_size > (off_t)(2 * DOCUMENT_SIZE_MAX))
		return error_set(err, ERROR_CORRUPT, "a kept document is damaged");
	bytes = malloc((size_t)st.st_size + 1);
	if (!bytes)
		return error_set_memory(err);
	if (pread(fd, bytes, (size_t)st.st_size, 0) != st.st_size)
		return error_set_errno(err, EIO, "can't read a kept document");
	return parse_file(out, digest, bytes, (size_t)st.st_size, err);
}

int saved_get(int dir_fd, struct document *out, const struct digest *digest, struct error *err)
{
	cleanup_close int fd = -1;
	struct error why = ERROR_INIT;

	if (!digest_verifiable(digest))
		return error_set(err, ERROR_NOT_FOUND, "%s isn't kept", digest->text);
	fd = openat(dir_fd, digest_encoded(digest), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_set(err, ERROR_NOT_FOUND, "%s isn't kept", digest->text);
	if (read_file(fd, out, digest, &why) == 0)
		return 0;
	if (why.kind == ERROR_CORRUPT)
		set_aside(dir_fd, digest_encoded(digest));
	return error_copy(err, &why);
}

void saved_clear(int dir_fd)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	while (entries && (entry = readdir(entries)))
		if (entry->d_name[0] != '.') {
			CRASH_POINT("saved.clear");
			unlinkat(dir_fd, entry->d_name, 0);
		}
	if (entries)
		closedir(entries);
	else if (fd >= 0)
		close(fd);
}
