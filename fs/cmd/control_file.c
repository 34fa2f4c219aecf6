#include "fs/cmd/control_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "cleanup.h"

#define TEXT_MAX ((size_t)16 << 20)

int control_file_open(const char *mountpoint, const char *file, struct error *err)
{
	cleanup_with(buf_free) struct buf path = BUF_INIT(BUF_UNBOUNDED);
	int fd;

	if (buf_printf(&path, "%s/.oci/%s", mountpoint, file))
		return error_set_memory(err);
	fd = open(path.data, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? error_set_errno(err, errno, "%s", path.data) : fd;
}

char *control_file_read(const char *mountpoint, const char *file, struct error *err)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(TEXT_MAX);
	cleanup_close int fd = control_file_open(mountpoint, file, err);
	char chunk[65536];
	ssize_t got = 0;

	if (fd < 0)
		return NULL;
	while ((got = read(fd, chunk, sizeof chunk)) > 0)
		if (buf_append(&text, chunk, (size_t)got)) {
			error_set_errno(err, errno, "%s/.oci/%s", mountpoint, file);
			return NULL;
		}
	if (got < 0 || buf_append_text(&text, "")) {
		error_set_errno(err, errno, "%s/.oci/%s", mountpoint, file);
		return NULL;
	}
	return buf_steal(&text);
}

struct json_value *control_status(const char *mountpoint, struct error *err)
{
	cleanup_free char *text = control_file_read(mountpoint, "status", err);
	struct json_value *status = text ? json_value_parse(text, strlen(text), err) : NULL;

	if (text && !status)
		error_prefix(err, "%s/.oci/status", mountpoint);
	return status;
}
