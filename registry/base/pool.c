#include "pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "registry/base/thread.h"

#define IDLE_SECONDS 5

struct job {
	void (*work)(void *context);
	void *context;
	struct job *next;
};

struct pool {
	int max_threads;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t wake; /* a job came, or the pool is closing */
	pthread_cond_t empty; /* the last thread has ended */
	struct job *first, **last;
	int waiting; /* jobs in the queue */
	int idle; /* threads that wait for one */
	int threads;
	bool closing;
	/* The thread that ended last. The next one that ends joins it, pool_free() the very last,
	 * so that none is left behind and no list of them is needed. */
	pthread_t ended;
	bool has_ended;
};

static struct job *queue_pop(struct pool *pool)
{
	struct job *job = pool->first;

	if (!job)
		return NULL;
	pool->first = job->next;
	if (!pool->first)
		pool->last = &pool->first;
	pool->waiting--;
	return job;
}

static void queue_push(struct pool *pool, struct job *job)
{
	*pool->last = job;
	pool->last = &job->next;
	pool->waiting++;
}

/* The next job, or NULL once there has been none for a while. */
static struct job *next_job(struct pool *pool)
{
	struct timespec until;
	int timeout = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += IDLE_SECONDS;
	pool->idle++;
	while (!pool->first && !pool->closing && timeout != ETIMEDOUT)
		timeout = pthread_cond_timedwait(&pool->wake, &pool->lock, &until);
	pool->idle--;
	return queue_pop(pool);
}

static void *pool_thread(void *context)
{
	struct pool *pool = context;
	struct job *job;

	pthread_mutex_lock(&pool->lock);
	while ((job = next_job(pool))) {
		pthread_mutex_unlock(&pool->lock);
		job->work(job->context);
		free(job);
		pthread_mutex_lock(&pool->lock);
	}

	pthread_t before = pool->ended;
	bool join = pool->has_ended;
	pool->ended = pthread_self();
	pool->has_ended = true;
	if (--pool->threads == 0)
		pthread_cond_signal(&pool->empty);
	pthread_mutex_unlock(&pool->lock);
	if (join)
		pthread_join(before, NULL);
	return NULL;
}

static int init_sync(struct pool *pool)
{
	pthread_condattr_t monotonic;

	int errnum = pthread_condattr_init(&monotonic);
	if (errnum)
		return errnum;
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	errnum = pthread_cond_init(&pool->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (errnum)
		return errnum;
	pthread_cond_init(&pool->empty, NULL);
	pthread_mutex_init(&pool->lock, NULL);
	return 0;
}

int pool_new(struct pool **out, int max_threads, struct error *err)
{
	struct pool *pool = calloc(1, sizeof(*pool));

	*out = NULL;
	if (!pool)
		return error_set_memory(err);
	int errnum = init_sync(pool);
	if (errnum) {
		free(pool);
		return error_set_errno(err, errnum, "can't make a pool of threads");
	}
	pool->max_threads = max_threads > 0 ? max_threads : 1;
	pool->last = &pool->first;
	*out = pool;
	return 0;
}

void pool_free(struct pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->closing = true;
	pthread_cond_broadcast(&pool->wake);
	while (pool->threads > 0)
		pthread_cond_wait(&pool->empty, &pool->lock);
	pthread_mutex_unlock(&pool->lock);
	if (pool->has_ended)
		pthread_join(pool->ended, NULL);
	pthread_cond_destroy(&pool->wake);
	pthread_cond_destroy(&pool->empty);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

/* Queues the job and sees to it that a thread will take it. Returns 0 or an errno. */
static int enqueue(struct pool *pool, struct job *job)
{
	if (pool->waiting >= pool->idle && pool->threads < pool->max_threads) {
		pthread_t thread;
		int errnum = thread_start(&thread, pool_thread, pool);

		if (errnum == 0)
			pool->threads++;
		else if (pool->threads == 0)
			return errnum;
	}
	queue_push(pool, job);
	pthread_cond_signal(&pool->wake);
	return 0;
}

int pool_submit(struct pool *pool, void (*work)(void *context), void *context, struct error *err)
{
	struct job *job = malloc(sizeof(*job));

	if (!job)
		return error_set_memory(err);
	*job = (struct job){.work = work, .context = context};
	pthread_mutex_lock(&pool->lock);
	int errnum = enqueue(pool, job);
	pthread_mutex_unlock(&pool->lock);
	if (errnum) {
		free(job);
		return error_set_errno(err, errnum, "can't start a thread");
	}
	return 0;
}
