/*
 * path_set.h - the paths that are taken in a folder, as files or as folders.
 *
 * "." components and the like aren't its concern: a path is components between slashes.
 */
#ifndef INDEXFS_MODEL_PATH_SET_H
#define INDEXFS_MODEL_PATH_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct path_entry {
	const char *path; /* NULL: an empty slot */
	size_t len;
	uint64_t hash;
	bool folder;
	unsigned next; /* the number for the next name made from this one, 0 before the first */
};

struct path_set {
	struct path_entry *slots;
	size_t capacity; /* a power of two */
	size_t count;
	uint64_t seed; /* so that nobody can choose paths that collide */
};

enum path_claim {
	PATH_CLAIMED,
	PATH_TAKEN, /* it is a file or a folder already */
	PATH_BLOCKED, /* a file stands where it needs a folder */
	PATH_FAILED, /* out of memory, *err is set */
};

int path_set_init(struct path_set *set, struct error *err);
void path_set_free(struct path_set *set);

/* What a claim would meet: CLAIMED, TAKEN or BLOCKED. */
enum path_claim path_set_look(const struct path_set *set, const char *path);

/* Takes a path as a file, and what is before each of its slashes as a folder. The string is kept,
 * not copied: it must outlive the set. */
enum path_claim path_set_claim(struct path_set *set, const char *path, struct error *err);

/* The counter of a path that is taken. Valid until the next claim. */
unsigned *path_set_counter(struct path_set *set, const char *path);

#endif
