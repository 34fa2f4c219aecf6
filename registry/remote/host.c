#include "registry/remote/host.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define WARNINGS_MAX 64

struct store_hosts {
	struct known *known;
	pthread_mutex_t lock; /* for what stands here */
	struct host *first;
	uint64_t warnings[WARNINGS_MAX]; /* their hashes */
	size_t warning_count;
};

int store_hosts_new(struct store_hosts **out, const char *known_dir, struct error *err)
{
	struct store_hosts *hosts = calloc(1, sizeof(*hosts));

	*out = NULL;
	if (!hosts)
		return error_set_memory(err);
	if (known_new(&hosts->known, known_dir, err)) {
		free(hosts);
		return -1;
	}
	pthread_mutex_init(&hosts->lock, NULL);
	*out = hosts;
	return 0;
}

void store_hosts_free(struct store_hosts *hosts)
{
	struct host *host, *next;

	if (!hosts)
		return;
	for (host = hosts->first; host; host = next) {
		next = host->next;
		free(host);
	}
	known_free(hosts->known);
	pthread_mutex_destroy(&hosts->lock);
	free(hosts);
}

static struct host *host_find(struct host *host, const char *name)
{
	while (host && strcmp(host->name, name) != 0)
		host = host->next;
	return host;
}

struct host *hosts_get(struct store_hosts *hosts, const char *name, struct error *err)
{
	size_t size = strlen(name) + 1;
	struct host *host;

	pthread_mutex_lock(&hosts->lock);
	host = host_find(hosts->first, name);
	if (!host) {
		host = calloc(1, sizeof(*host) + size);
		if (host) {
			memcpy(host->name, name, size);
			atomic_init(&host->body_max, UINT64_MAX);
			host->next = hosts->first;
			hosts->first = host;
		}
	}
	pthread_mutex_unlock(&hosts->lock);
	if (!host)
		error_set_memory(err);
	return host;
}

struct known *hosts_known(struct store_hosts *hosts)
{
	return hosts->known;
}

/* FNV-1a. */
static uint64_t hash_add(uint64_t hash, const char *text)
{
	do
		hash = (hash ^ (unsigned char)*text) * 1099511628211u;
	while (*text++);
	return hash;
}

bool hosts_warning_is_new(struct store_hosts *hosts, const struct host *host, const char *text)
{
	uint64_t hash = hash_add(hash_add(14695981039346656037u, host->name), text);
	bool is_new;

	pthread_mutex_lock(&hosts->lock);
	is_new = hosts->warning_count < WARNINGS_MAX;
	for (size_t i = 0; i < hosts->warning_count; i++)
		is_new = is_new && hosts->warnings[i] != hash;
	if (is_new)
		hosts->warnings[hosts->warning_count++] = hash;
	pthread_mutex_unlock(&hosts->lock);
	return is_new;
}
