#include "fs/work/staged.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crash_point.h"

uint64_t staged_id(const struct staged *staged)
{
	return staged->id;
}

int staged_fd(const struct staged *staged)
{
	return staged->fd;
}

int64_t staged_size(struct staged *staged)
{
	struct stat st;

	return fstat(staged->fd, &st) < 0 ? 0 : st.st_size;
}

bool staged_write_begin(struct staged *staged)
{
	pthread_mutex_lock(&staged->lock);
	bool may = !staged->sealed && !staged->sealing && !staged->several;
	if (may) {
		staged->writers++;
		staged->writes++;
		staged->disk = STAGED_CACHED;
	}
	pthread_mutex_unlock(&staged->lock);
	return may;
}

static void writer_ended(struct staged *staged)
{
	if (--staged->writers == 0)
		pthread_cond_broadcast(&staged->changed);
}

void staged_write_end(struct staged *staged, uint64_t offset, uint64_t len)
{
	CRASH_POINT("staging.written");
	pthread_mutex_lock(&staged->lock);
	follow_wrote(staged, offset, len);
	writer_ended(staged);
	pthread_mutex_unlock(&staged->lock);
}

int staged_truncate(struct staged *staged, int64_t size, struct error *err)
{
	if (!staged_write_begin(staged))
		return error_set_errno(err, ETXTBSY, "a sealed file can't be cut");
	int result = ftruncate(staged->fd, size);
	CRASH_POINT("staging.cut");
	if (result < 0)
		error_set_errno(err, errno, "can't set the size of a staged file");
	pthread_mutex_lock(&staged->lock);
	if (result == 0)
		follow_cut(staged, (uint64_t)size);
	writer_ended(staged);
	pthread_mutex_unlock(&staged->lock);
	return result;
}

/* Somebody with a link to the file (the blob cache) relies on it as on a reference. */
static bool is_shared(const struct staged *staged)
{
	struct stat st;

	return staged->refs > 1 || fstat(staged->fd, &st) < 0 || st.st_nlink != 1;
}

/* Whether its bytes are others' too: then they stay as they are. */
static bool must_stay(const struct staged *staged)
{
	return (staged->sealed || staged->several) && is_shared(staged);
}

bool staged_unseal(struct staged *staged)
{
	pthread_mutex_lock(&staged->lock);
	bool may = !staged->sealing && !must_stay(staged);
	if (may)
		staged->sealed = staged->several = false;
	pthread_mutex_unlock(&staged->lock);
	return may;
}

int staged_make_writable(struct staged **staged, int64_t keep, struct error *err)
{
	struct staged *old = *staged, *copy;

	pthread_mutex_lock(&old->lock);
	while (old->sealing)
		pthread_cond_wait(&old->changed, &old->lock);
	bool needs_copy = must_stay(old);
	if (!needs_copy)
		old->sealed = old->several = false;
	pthread_mutex_unlock(&old->lock);
	if (!needs_copy)
		return 0;
	/* Our reference keeps it sealed meanwhile. */
	if (staged_from_fd(&copy, old->staging, old->fd, keep, NULL, err) < 0)
		return -1;
	staged_put_back(old);
	*staged = copy;
	return 0;
}

int staged_from_bytes(struct staged **out, struct staging *staging, const void *bytes, size_t len,
	struct error *err)
{
	ssize_t written;

	if (staged_new(out, staging, err))
		return -1;
	staged_write_begin(*out);
	written = pwrite(staged_fd(*out), bytes, len, 0);
	staged_write_end(*out, 0, len);
	if (written == (ssize_t)len)
		return 0;
	error_set_errno(
		err, written < 0 ? errno : ENOSPC, "can't write a file in %s", staging->dir);
	staged_put_back(*out);
	*out = NULL;
	return -1;
}

struct seal_wait {
	struct cancel_watch watch;
	struct staged *staged;
	bool fired;
};

static void seal_wait_fired(void *context)
{
	struct seal_wait *wait = context;

	pthread_mutex_lock(&wait->staged->lock);
	wait->fired = true;
	pthread_cond_broadcast(&wait->staged->changed);
	pthread_mutex_unlock(&wait->staged->lock);
}

/* Waits, with the lock held, until the caller alone has the file and is to seal it: true; or until
 * it is sealed, or the wait is cancelled: false. */
static bool seal_begin(struct staged *staged, const struct seal_wait *wait)
{
	while (staged->sealing && !wait->fired)
		pthread_cond_wait(&staged->changed, &staged->lock);
	if (staged->sealed || wait->fired)
		return false;
	staged->sealing = true;
	while ((staged->writers > 0 || staged->follow.state == FOLLOW_RUNNING) && !wait->fired)
		pthread_cond_wait(&staged->changed, &staged->lock);
	/* A follower that hasn't begun would only wait for a thread. */
	if (staged->follow.state == FOLLOW_QUEUED)
		staged->follow.state = FOLLOW_IDLE;
	if (!wait->fired)
		return true;
	staged->sealing = false;
	pthread_cond_broadcast(&staged->changed);
	return false;
}

static int seal_locked(struct staged *staged, const struct seal_wait *wait, struct cancel *cancel,
	struct error *err)
{
	struct digest digest;

	if (!seal_begin(staged, wait))
		return staged->sealed
			       ? 0
			       : error_set(err, ERROR_INTERRUPTED, "sealing was interrupted");
	pthread_mutex_unlock(&staged->lock);
	CRASH_POINT("staging.seal");
	int result = follow_finish(staged, (uint64_t)staged_size(staged), &digest, cancel, err);
	pthread_mutex_lock(&staged->lock);
	CRASH_POINT("staging.sealed");
	staged->sealing = false;
	if (result == 0) {
		staged->sealed = true;
		staged->digest = digest;
	}
	pthread_cond_broadcast(&staged->changed);
	return result;
}

int staged_seal(struct staged *staged, struct digest *digest, int64_t *size, struct cancel *cancel,
	struct error *err)
{
	struct seal_wait wait = {
		.watch = {.fired = seal_wait_fired, .context = &wait}, .staged = staged};
	bool watched = cancel && !cancel_watch(cancel, &wait.watch);

	pthread_mutex_lock(&staged->lock);
	if (cancel && !watched)
		wait.fired = true;
	int result = seal_locked(staged, &wait, cancel, err);
	if (result == 0) {
		*digest = staged->digest;
		*size = staged_size(staged);
	}
	pthread_mutex_unlock(&staged->lock);
	if (watched)
		cancel_unwatch(cancel, &wait.watch);
	return result;
}
