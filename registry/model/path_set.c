#include "registry/model/path_set.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define FIRST_CAPACITY 64

int path_set_init(struct path_set *set, struct error *err)
{
	*set = (struct path_set){.capacity = FIRST_CAPACITY};
	set->slots = calloc(set->capacity, sizeof(*set->slots));
	if (!set->slots)
		return error_set_memory(err);
	if (getrandom(&set->seed, sizeof(set->seed), GRND_NONBLOCK) != sizeof(set->seed))
		set->seed = (uint64_t)(uintptr_t)set->slots;
	return 0;
}

void path_set_free(struct path_set *set)
{
	free(set->slots);
	set->slots = NULL;
}

static uint64_t hash_step(uint64_t hash, char c)
{
	hash = (hash ^ (unsigned char)c) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

/* The slot of a path, or the empty one where it would go. */
static struct path_entry *slot_find(
	const struct path_set *set, const char *path, size_t len, uint64_t hash)
{
	size_t i = (hash ^ hash >> 32) & (set->capacity - 1);

	for (;; i = (i + 1) & (set->capacity - 1)) {
		struct path_entry *entry = &set->slots[i];

		if (!entry->path || (entry->hash == hash && entry->len == len &&
					    memcmp(entry->path, path, len) == 0))
			return entry;
	}
}

static int slots_grow(struct path_set *set, struct error *err)
{
	struct path_set grown = {.capacity = set->capacity * 2};

	if (set->count < set->capacity / 2)
		return 0;
	grown.slots = calloc(grown.capacity, sizeof(*grown.slots));
	if (!grown.slots)
		return error_set_memory(err);
	for (size_t i = 0; i < set->capacity; i++) {
		const struct path_entry *entry = &set->slots[i];

		if (entry->path)
			*slot_find(&grown, entry->path, entry->len, entry->hash) = *entry;
	}
	free(set->slots);
	set->slots = grown.slots;
	set->capacity = grown.capacity;
	return 0;
}

enum path_claim path_set_look(const struct path_set *set, const char *path)
{
	const struct path_entry *entry;
	uint64_t hash = set->seed;
	size_t len = 0;

	for (; path[len]; len++) {
		if (path[len] == '/') {
			entry = slot_find(set, path, len, hash);
			if (entry->path && !entry->folder)
				return PATH_BLOCKED;
		}
		hash = hash_step(hash, path[len]);
	}
	return slot_find(set, path, len, hash)->path ? PATH_TAKEN : PATH_CLAIMED;
}

static int entry_add(struct path_set *set, const char *path, size_t len, uint64_t hash, bool folder,
	struct error *err)
{
	struct path_entry *entry;

	if (slots_grow(set, err))
		return -1;
	entry = slot_find(set, path, len, hash);
	if (entry->path)
		return 0;
	*entry = (struct path_entry){.path = path, .len = len, .hash = hash, .folder = folder};
	set->count++;
	return 0;
}

enum path_claim path_set_claim(struct path_set *set, const char *path, struct error *err)
{
	enum path_claim met = path_set_look(set, path);
	uint64_t hash = set->seed;
	size_t len = 0;

	if (met != PATH_CLAIMED)
		return met;
	for (; path[len]; len++) {
		if (path[len] == '/' && entry_add(set, path, len, hash, true, err))
			return PATH_FAILED;
		hash = hash_step(hash, path[len]);
	}
	return entry_add(set, path, len, hash, false, err) ? PATH_FAILED : PATH_CLAIMED;
}

unsigned *path_set_counter(struct path_set *set, const char *path)
{
	uint64_t hash = set->seed;
	size_t len = 0;

	for (; path[len]; len++)
		hash = hash_step(hash, path[len]);
	return &slot_find(set, path, len, hash)->next;
}
