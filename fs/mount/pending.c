#include "fs/mount/pending.h"

#include <errno.h>

static void interrupt(fuse_req_t req, void *data)
{
	struct pending *pending = data;

	pthread_mutex_lock(&pending->lock);
	if (!pending->answered) {
		pending->answered = true;
		fuse_reply_err(req, EINTR);
		if (pending->interrupted)
			pending->interrupted(pending);
	}
	pthread_mutex_unlock(&pending->lock);
}

void pending_begin(
	struct pending *pending, fuse_req_t req, void (*interrupted)(struct pending *pending))
{
	pending->req = req;
	pending->answered = false;
	pending->interrupted = interrupted;
	pthread_mutex_init(&pending->lock, NULL);
	fuse_req_interrupt_func(req, interrupt, pending);
}

bool pending_end(struct pending *pending)
{
	bool mine;

	pthread_mutex_lock(&pending->lock);
	mine = !pending->answered;
	pending->answered = true;
	pthread_mutex_unlock(&pending->lock);
	/* waits for interrupt() to have returned, where it runs */
	if (mine)
		fuse_req_interrupt_func(pending->req, NULL, NULL);
	pthread_mutex_destroy(&pending->lock);
	return mine;
}
