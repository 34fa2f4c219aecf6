#include "registry/remote/known.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "reference.h"
#include "registry/remote/known_file.h"

#define SLOTS 4096 /* three hex digits of a hash */

struct known {
	int dir; /* -1: none */
	pthread_mutex_t lock; /* for what stands here, and the files */
	char *slots[SLOTS]; /* "HOST DIGEST REPOSITORY\n"; NULL: not looked up, or nothing */
};

int known_new(struct known **out, const char *dir, struct error *err)
{
	struct known *known = calloc(1, sizeof(*known));

	*out = known;
	if (!known)
		return error_set_memory(err);
	known->dir = dir ? known_folder_open(dir) : -1;
	pthread_mutex_init(&known->lock, NULL);
	return 0;
}

void known_free(struct known *known)
{
	if (!known)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		free(known->slots[i]);
	if (known->dir >= 0)
		close(known->dir);
	pthread_mutex_destroy(&known->lock);
	free(known);
}

/* "HOST DIGEST ", and the slot that it belongs to. */
static char *key_make(const char *host, const struct digest *digest, unsigned *slot)
{
	struct digest hash;
	char *key;
	int len = asprintf(&key, "%s %s ", host, digest->text);

	if (len < 0)
		return NULL;
	digest_of_bytes(&hash, key, (size_t)len);
	if (!digest_is_set(&hash)) {
		free(key);
		return NULL;
	}
	*slot = 0;
	for (int i = 0; i < 3; i++) {
		char c = digest_encoded(&hash)[i];

		*slot = *slot * 16 + (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	return key;
}

/* What the slot holds, looked up on disk the first time. */
static const char *slot_text(struct known *known, unsigned slot)
{
	if (!known->slots[slot] && known->dir >= 0)
		known->slots[slot] = known_file_read(known->dir, slot);
	return known->slots[slot];
}

void known_note(
	struct known *known, const char *host, const struct digest *digest, const char *repository)
{
	unsigned slot;
	cleanup_free char *key = key_make(host, digest, &slot);
	char *text;
	const char *now;

	if (!key || asprintf(&text, "%s%s\n", key, repository) < 0)
		return;
	pthread_mutex_lock(&known->lock);
	now = slot_text(known, slot);
	if (!now || strcmp(now, text) != 0) {
		free(known->slots[slot]);
		known->slots[slot] = steal_ptr(text);
		if (known->dir >= 0)
			known_file_write(known->dir, slot, known->slots[slot]);
	}
	pthread_mutex_unlock(&known->lock);
	free(text);
}

/* The file may be anybody's work. */
static bool repository_valid(const char *repository)
{
	struct reference reference;
	char *text;
	bool valid;

	if (asprintf(&text, "registry.invalid/%s", repository) < 0)
		return false;
	valid = reference_parse(&reference, text, NULL) == 0;
	free(text);
	if (!valid)
		return false;
	valid = reference.path && strcmp(reference.path, repository) == 0;
	reference_clear(&reference);
	return valid;
}

/* The repository that the slot names for the key; NULL where it's another's, or not a line. */
static char *slot_repository(const char *text, const char *key)
{
	size_t len = strlen(key);
	char *repository;

	if (!text || strncmp(text, key, len) != 0)
		return NULL;
	repository = strndup(text + len, strcspn(text + len, "\n"));
	if (repository && !repository_valid(repository)) {
		free(repository);
		return NULL;
	}
	return repository;
}

char *known_find(
	struct known *known, const char *host, const struct digest *digest, const char *but)
{
	unsigned slot;
	cleanup_free char *key = key_make(host, digest, &slot);
	char *repository;

	if (!key)
		return NULL;
	pthread_mutex_lock(&known->lock);
	repository = slot_repository(slot_text(known, slot), key);
	pthread_mutex_unlock(&known->lock);
	if (repository && strcmp(repository, but) == 0) {
		free(repository);
		return NULL;
	}
	return repository;
}

void known_forget(struct known *known, const char *host, const struct digest *digest)
{
	unsigned slot;
	cleanup_free char *key = key_make(host, digest, &slot);
	const char *text;

	if (!key)
		return;
	pthread_mutex_lock(&known->lock);
	text = slot_text(known, slot);
	if (text && strncmp(text, key, strlen(key)) == 0) {
		free(known->slots[slot]);
		known->slots[slot] = NULL;
		if (known->dir >= 0)
			known_file_remove(known->dir, slot);
	}
	pthread_mutex_unlock(&known->lock);
}
