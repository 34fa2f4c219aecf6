/*
 * sender.h - blobs on their way into a store: one transfer for each, store->jobs at a time.
 *
 * What is sent in the background and what a commit needs pass here alike, so that neither sends
 * what the other is sending. Thread-safe.
 */
#ifndef INDEXFS_SENDER_H
#define INDEXFS_SENDER_H

#include <pthread.h>
#include <stdatomic.h>

#include "store.h"

/* A transfer: of who makes it, and of those who wait for it. */
struct flight {
	struct digest digest;
	const struct store_source *source; /* of who makes it */
	_Atomic int64_t sent;
	unsigned holders; /* who makes it, until it has ended, and those who wait */
	bool ended;
	struct error error; /* how it has ended, where it failed */
	struct flight *next;
};

struct sender {
	struct store *store;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed; /* a transfer has ended, or a wait is given up */
	struct flight *flights;
	int count;
};

/* Borrows the store. */
int sender_new(struct sender **out, struct store *store, struct error *err);
/* Nothing may be under way. */
void sender_free(struct sender *sender);

/* As store_blob_put() and store_blob_sending(). */
int sender_put(struct sender *sender, const struct digest *digest,
	const struct store_source *source, struct cancel *cancel, struct error *err);
bool sender_sending(struct sender *sender, const struct digest *digest, int64_t *sent);

#endif
