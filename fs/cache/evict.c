#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/cache/blob.h"

#define VICTIMS 64 /* found in one look through the folder */
#define HELD 64 /* of a bucket */
#define FREE_MIN ((uint64_t)16 << 20) /* room that a full disk is given at least */
/* A folder of many blobs is brought well below its limit, so that it isn't listed for each. */
#define MANY 4096

static const char *const algorithms[DISK_ALGORITHMS] = {"sha256", "sha512"};

struct victim {
	struct digest digest;
	int algorithm;
	uint64_t size;
	struct timespec used;
};

struct census {
	uint64_t total, count;
	struct victim oldest[VICTIMS]; /* in order of use */
	unsigned victims;
};

static bool used_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

static void census_add(struct census *census, const struct victim *victim)
{
	unsigned at = census->victims;

	census->total += victim->size;
	census->count++;
	while (at > 0 && used_before(&victim->used, &census->oldest[at - 1].used))
		at--;
	if (at == VICTIMS)
		return;
	unsigned stay = census->victims < VICTIMS ? census->victims++ : VICTIMS - 1;
	memmove(&census->oldest[at + 1], &census->oldest[at],
		(stay - at) * sizeof(census->oldest[0]));
	census->oldest[at] = *victim;
}

static void census_look(struct cache *cache, struct census *census, int folder, const char *name)
{
	struct victim victim = {.algorithm = folder};
	char text[DIGEST_TEXT_SIZE];
	struct stat st;

	if ((size_t)snprintf(text, sizeof(text), "%s:%s", algorithms[folder], name) >=
			sizeof(text) ||
		!digest_parse(&victim.digest, text) ||
		fstatat(cache->disk.blobs[folder], name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	victim.size = (uint64_t)st.st_size;
	victim.used = st.st_atim;
	pthread_mutex_lock(&cache->lock);
	bool in_use = cache_in_use(cache, &victim.digest);
	pthread_mutex_unlock(&cache->lock);
	if (in_use) {
		census->total += victim.size;
		census->count++;
	} else {
		census_add(census, &victim);
	}
}

static void census_folder(struct cache *cache, struct census *census, int folder)
{
	int fd = openat(cache->disk.blobs[folder], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!entries) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(entries)))
		census_look(cache, census, folder, entry->d_name);
	closedir(entries);
}

/* Removes a blob unless somebody has opened it meanwhile. */
static bool evict(struct cache *cache, const struct victim *victim)
{
	int folder = cache->disk.blobs[victim->algorithm];

	pthread_mutex_lock(&cache->lock);
	bool gone = !cache_in_use(cache, &victim->digest) &&
		    unlinkat(folder, digest_encoded(&victim->digest), 0) == 0;
	pthread_mutex_unlock(&cache->lock);
	if (gone)
		log_write(cache->log, LOG_LEVEL_DEBUG, "%s: evicted from the cache",
			victim->digest.text);
	return gone;
}

static uint64_t idle_bytes(struct cache *cache)
{
	pthread_mutex_lock(&cache->lock);
	uint64_t bytes = cache->idle_bytes;
	pthread_mutex_unlock(&cache->lock);
	return bytes;
}

/* Removes what was used least recently until the folder, and what is kept of blobs that aren't
 * whole, has at most limit bytes. Whether anything went. With the evicting lock. */
static bool evict_round(struct cache *cache, uint64_t limit, struct census *census)
{
	bool gone = false;

	*census = (struct census){.total = 0};
	for (int folder = 0; folder < DISK_ALGORITHMS; folder++)
		census_folder(cache, census, folder);
	while (census->total + idle_bytes(cache) > limit && cache_drop_idle(cache))
		gone = true;
	if (census->total > limit && census->count > MANY)
		limit -= limit / 16;
	for (unsigned i = 0; i < census->victims && census->total > limit; i++) {
		if (!evict(cache, &census->oldest[i]))
			continue;
		census->total -= census->oldest[i].size;
		gone = true;
	}
	pthread_mutex_lock(&cache->lock);
	cache->total = census->total;
	cache->total_known = true;
	pthread_mutex_unlock(&cache->lock);
	return gone;
}

static void evict_task(void *context)
{
	struct cache *cache = context;
	struct census census;

	pthread_mutex_lock(&cache->evicting);
	while (evict_round(cache, cache->limit, &census) && census.total > cache->limit)
		;
	pthread_mutex_unlock(&cache->evicting);
	cache_task_end(cache);
}

void cache_grew(struct cache *cache, uint64_t bytes)
{
	pthread_mutex_lock(&cache->lock);
	cache->total += bytes;
	bool over = !cache->total_known || cache->total + cache->idle_bytes > cache->limit;
	pthread_mutex_unlock(&cache->lock);
	if (!over || !cache_task_begin(cache))
		return;
	if (pool_submit(cache->pool, evict_task, cache, NULL) < 0)
		cache_task_end(cache);
}

/* What is held but not being read: the failed or paused reading of a blob that isn't whole. */
static bool drop_unread(struct cache *cache)
{
	struct blob *held[HELD];
	bool gone = false;

	for (size_t bucket = 0; bucket < CACHE_BUCKETS; bucket++) {
		unsigned count = cache_hold(cache, bucket, held, HELD);

		for (unsigned i = 0; i < count; i++) {
			pthread_mutex_lock(&held[i]->lock);
			gone = blob_drop(held[i]) || gone;
			pthread_mutex_unlock(&held[i]->lock);
			blob_put_back(held[i]);
		}
	}
	return gone;
}

bool cache_make_room(struct cache *cache, uint64_t bytes)
{
	struct census census;
	bool gone;

	/* What nobody holds and isn't whole goes first: it's worth least. */
	if (cache_drop_idle(cache))
		return true;
	pthread_mutex_lock(&cache->evicting);
	census = (struct census){.total = 0};
	for (int folder = 0; folder < DISK_ALGORITHMS; folder++)
		census_folder(cache, &census, folder);
	uint64_t room = bytes > FREE_MIN ? bytes : FREE_MIN;
	gone = evict_round(cache, census.total > room ? census.total - room : 0, &census);
	pthread_mutex_unlock(&cache->evicting);
	return gone || drop_unread(cache);
}
