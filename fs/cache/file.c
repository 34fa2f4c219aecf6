#include <stdlib.h>
#include <unistd.h>

#include "fs/cache/blob.h"

struct blob_file *blob_file_new(int fd)
{
	struct blob_file *file = malloc(sizeof(*file));

	if (!file) {
		close(fd);
		return NULL;
	}
	file->fd = fd;
	atomic_init(&file->holders, 1);
	return file;
}

struct blob_file *blob_file_hold(struct blob_file *file)
{
	atomic_fetch_add(&file->holders, 1);
	return file;
}

void blob_file_put(struct blob_file **file)
{
	struct blob_file *put = *file;

	*file = NULL;
	if (!put || atomic_fetch_sub(&put->holders, 1) > 1)
		return;
	close(put->fd);
	free(put);
}
