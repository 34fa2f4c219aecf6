#include "parallel.h"

#include <pthread.h>

#include "registry/base/thread.h"

#define HELPERS_MAX 64

struct run {
	int (*work)(void *context, size_t i, struct error *err);
	void *context;
	size_t count;
	pthread_mutex_t lock; /* of all below */
	size_t next;
	bool failed;
	struct error err;
};

static bool take(struct run *run, size_t *i)
{
	pthread_mutex_lock(&run->lock);
	bool more = !run->failed && run->next < run->count;
	if (more)
		*i = run->next++;
	pthread_mutex_unlock(&run->lock);
	return more;
}

static void fail(struct run *run, const struct error *err)
{
	pthread_mutex_lock(&run->lock);
	if (!run->failed)
		error_copy(&run->err, err);
	run->failed = true;
	pthread_mutex_unlock(&run->lock);
}

static void *work_through(void *context)
{
	struct run *run = context;
	size_t i;

	while (take(run, &i)) {
		struct error err = ERROR_INIT;

		if (run->work(run->context, i, &err))
			fail(run, &err);
	}
	return NULL;
}

int parallel_for(size_t count, int jobs, int (*work)(void *context, size_t i, struct error *err),
	void *context, struct error *err)
{
	struct run run = {.work = work, .context = context, .count = count, .err = ERROR_INIT};
	pthread_t helpers[HELPERS_MAX];
	size_t want = jobs > 1 ? (size_t)jobs - 1 : 0;
	size_t started = 0;

	if (count > 0 && want > count - 1)
		want = count - 1;
	if (want > HELPERS_MAX)
		want = HELPERS_MAX;

	pthread_mutex_init(&run.lock, NULL);
	/* A thread that can't be had costs time, not the result: this one does the work too. */
	while (count > 0 && started < want &&
		thread_start(&helpers[started], work_through, &run) == 0)
		started++;
	work_through(&run);
	while (started > 0)
		pthread_join(helpers[--started], NULL);
	pthread_mutex_destroy(&run.lock);

	return run.failed ? error_copy(err, &run.err) : 0;
}
