#include "fs/commit/turn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "digest.h"

#define POLL_MS 5

/* What went wrong is no error of the commit. */
static int go_without(const struct turn *turn, const char *why)
{
	log_write(turn->log, LOG_LEVEL_WARNING,
		"other mounts of this machine aren't waited for: %s: %s", turn->path, why);
	return 0;
}

static int wait_for_lock(struct turn *turn, struct cancel *cancel, struct error *err)
{
	const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
	int left = turn->wait_ms;

	while (flock(turn->fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK && errno != EINTR) {
			go_without(turn, strerror(errno)); /* NOLINT(concurrency-mt-unsafe) */
			break;
		}
		if (cancel_fired(cancel)) {
			turn_end(turn);
			return error_set(err, ERROR_INTERRUPTED, "interrupted");
		}
		if ((left -= POLL_MS) <= 0) {
			go_without(turn, "one of them has held it for too long");
			break;
		}
		nanosleep(&pause, NULL);
	}
	return 0;
}

int turn_begin(void *context, struct cancel *cancel, struct error *err)
{
	struct turn *turn = context;

	turn->fd = -1;
	if (!turn->path)
		return 0;
	turn->fd = open(turn->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (turn->fd < 0)
		return go_without(turn, strerror(errno)); /* NOLINT(concurrency-mt-unsafe) */
	return wait_for_lock(turn, cancel, err);
}

void turn_end(void *context)
{
	struct turn *turn = context;

	if (turn->fd >= 0)
		close(turn->fd);
	turn->fd = -1;
}

char *turn_path(const char *folder, const char *name, struct error *err)
{
	struct digest digest;
	char *path;

	digest_of_bytes(&digest, name, strlen(name));
	if (asprintf(&path, "%s/turns", folder) < 0) {
		error_set_memory(err);
		return NULL;
	}
	/* where it can't be made, nor can the file */
	mkdir(path, 0700);
	free(path);
	if (asprintf(&path, "%s/turns/%.2s", folder, digest_encoded(&digest)) >= 0)
		return path;
	error_set_memory(err);
	return NULL;
}
