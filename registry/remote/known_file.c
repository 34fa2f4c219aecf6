#include "registry/remote/known_file.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"

#define TEXT_MAX 1024
#define NAME_SIZE 32

/* Anybody who could write there could make this program ask a registry for names of theirs. */
static bool folder_is_ours(int dir)
{
	struct stat st;

	return fstat(dir, &st) == 0 && st.st_uid == geteuid() &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

int known_folder_open(const char *path)
{
	cleanup_close int dir = -1;

	mkdir(path, 0700);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return dir >= 0 && folder_is_ours(dir) ? steal_fd(&dir) : -1;
}

static void slot_name(char name[static NAME_SIZE], unsigned slot)
{
	snprintf(name, NAME_SIZE, "%03x", slot);
}

char *known_file_read(int dir, unsigned slot)
{
	char name[NAME_SIZE];
	char text[TEXT_MAX];
	ssize_t len;
	cleanup_close int fd = -1;

	slot_name(name, slot);
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	len = read(fd, text, sizeof(text));
	return len > 0 && (size_t)len < sizeof(text) ? strndup(text, (size_t)len) : NULL;
}

void known_file_write(int dir, unsigned slot, const char *text)
{
	char name[NAME_SIZE], temporary[NAME_SIZE];
	size_t len = strlen(text);
	bool written;
	int fd;

	if (len >= TEXT_MAX)
		return;
	slot_name(name, slot);
	snprintf(temporary, sizeof(temporary), ".%03x-%d", slot, (int)getpid());
	fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	written = fd >= 0 && write(fd, text, len) == (ssize_t)len;
	if (fd >= 0)
		close(fd);
	if (!written || renameat(dir, temporary, dir, name))
		unlinkat(dir, temporary, 0);
}

void known_file_remove(int dir, unsigned slot)
{
	char name[NAME_SIZE];

	slot_name(name, slot);
	unlinkat(dir, name, 0);
}
