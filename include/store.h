/*
 * store.h - the seam between the halves: a place that keeps documents, blobs and tags.
 *
 * Two stores implement it: a registry (distribution-spec 1.1) and an OCI image layout folder
 * (image-spec 1.1, image-layout.md). fs/ and the pipelines (publish, resolve, copy) see only this
 * page. A store is bound to one repository, or to one layout folder.
 *
 * Every call blocks until it is answered, may be made from any thread, by many at once, and ends
 * within the store's timeout, or soon after its cancel token (which may be NULL) fires, with
 * ERROR_INTERRUPTED. All content is checked: what doesn't match its digest or size is
 * ERROR_CORRUPT, and never handed on as good. Any call can fail with the errors of the network
 * (REFUSED, UNREACHABLE, TIMEOUT, CERTIFICATE, DENIED, THROTTLED, SERVER, PROTOCOL), and with
 * MEMORY and SYSTEM; the comments name the others.
 */
#ifndef INDEXFS_STORE_H
#define INDEXFS_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "cancel.h"
#include "digest.h"
#include "document.h"
#include "error.h"
#include "log.h"
#include "reference.h"

/* Receives a blob's bytes. Called in ascending order of offset on any thread, one call at a time;
 * offset is the place in the blob. -1 (with *err set) stops the transfer. */
struct store_sink {
	int (*write)(
		void *context, uint64_t offset, const void *bytes, size_t len, struct error *err);
	void *context;
};

/* What a blob is sent from: size bytes of a file that nobody writes to any more. The store reads
 * it by offset (pread) and never changes its position. */
struct store_source {
	int fd; /* borrowed */
	int64_t size;
	/* Told the bytes that have been sent, on any thread; NULL if nobody listens. Can go back,
	 * when a transfer starts again. */
	void (*progress)(void *context, int64_t sent);
	void *context;
	/* A repository of the same host that may have the blob; NULL: none that the caller knows
	 * of. A hint: where it is wrong, the bytes are sent. */
	const char *mount_from;
};

#define STORE_TAGS_MAX 1000000

struct store;

struct store_ops {
	/* What a tag names now. ERROR_NOT_FOUND where there is no such tag or repository. */
	int (*resolve)(struct store *store, struct descriptor *out, const char *tag,
		struct cancel *cancel, struct error *err);

	/* The document with this digest or, where digest is NULL, the one that the tag names. For a
	 * tag, out->digest says which it was. ERROR_NOT_FOUND, ERROR_CORRUPT, ERROR_TOO_LARGE. */
	int (*document_get)(struct store *store, struct document *out, const char *tag,
		const struct digest *digest, const char *media_type, struct cancel *cancel,
		struct error *err);

	/* Puts a document under its digest and, where tag isn't NULL, makes the tag point to it: at
	 * once and last, so that nobody sees the tag on something missing. What the document names
	 * must be there, but for what the tag's document names already: a layout may be sparse.
	 * Where it has a subject, it is among the subject's referrers afterwards. expected is what
	 * the tag must name until then, unset where it must not be there: ERROR_CONFLICT where it
	 * names something else, other than the document itself. Where it is no atomic_tags store,
	 * that is found as often as the host lets it be. NULL: whatever the tag names.
	 * ERROR_IMMUTABLE, ERROR_QUOTA, ERROR_TOO_LARGE, ERROR_READ_ONLY. */
	int (*document_put)(struct store *store, const struct document *document, const char *tag,
		const struct digest *expected, struct cancel *cancel, struct error *err);

	/* Whether the blob is there: *out. */
	int (*blob_exists)(struct store *store, bool *out, const struct digest *digest,
		int64_t size, struct cancel *cancel, struct error *err);

	/* Gives the sink length bytes of the blob from offset on. A store that has no ranges gives
	 * more: all of it, from offset 0. size is the blob's whole size, from its descriptor. Only
	 * a transfer of the whole blob is checked against the digest, by the caller.
	 * ERROR_NOT_FOUND, ERROR_CORRUPT for a wrong size. */
	int (*blob_get)(struct store *store, const struct digest *digest, int64_t size,
		uint64_t offset, uint64_t length, const struct store_sink *sink,
		struct cancel *cancel, struct error *err);

	/* Makes the blob exist with these bytes, durably; costs no transfer if it's there. The
	 * store checks the bytes against the digest: ERROR_CORRUPT. ERROR_QUOTA, ERROR_TOO_LARGE,
	 * ERROR_READ_ONLY. */
	int (*blob_put)(struct store *store, const struct digest *digest,
		const struct store_source *source, struct cancel *cancel, struct error *err);

	/* The blob as a local file open for reading, of exactly size bytes, or -1 without an error
	 * where this store keeps no local files. The caller closes it. NULL: never any. */
	int (*blob_open)(
		struct store *store, const struct digest *digest, int64_t size, struct error *err);

	/* Gives take every tag, on the calling thread and in the store's order; -1 from it (with
	 * *err set) ends the list. What can't be a tag is left out. ERROR_NOT_FOUND where there is
	 * no such repository, ERROR_TOO_LARGE over STORE_TAGS_MAX. */
	int (*tags)(struct store *store,
		int (*take)(void *context, const char *tag, struct error *err), void *context,
		struct cancel *cancel, struct error *err);

	/* What refers to subject (distribution-spec 1.1, "Listing Referrers"): an index whose
	 * entries are the referrers, of this artifact type or (NULL) of all. None are an empty
	 * index, also where the subject or the repository isn't there. ERROR_TOO_LARGE. */
	int (*referrers)(struct store *store, struct document *out, const struct digest *subject,
		const char *artifact_type, struct cancel *cancel, struct error *err);

	/* No call may be under way. */
	void (*close)(struct store *store);
};

struct sender;

/* What every store begins with. */
struct store {
	const struct store_ops *ops;
	bool read_only; /* can't be written at all: the mount is read-only */
	/* Nobody can come between what document_put expects of a tag and the tag's change. Where
	 * this isn't so, a tag that was pushed is to be read back. */
	bool atomic_tags;
	int jobs; /* bodies that may usefully move at once */
	/* What is sent goes over a network: it is worth being sent before it is needed, and never
	 * twice. NULL: a local store. */
	struct sender *sender;
};

/* What is learned of registries' hosts while a program runs: what each can do, and which of its
 * repositories has which blob. Stores of one program that share it spare each other questions and
 * transfers. Thread-safe; outlives the stores that it is given to. */
struct store_hosts;

/* known_dir: a folder of the user's own that keeps, across runs, where blobs have been seen; made
 * if missing. NULL: memory only. What can't be kept is forgotten, and is no error. */
int store_hosts_new(struct store_hosts **out, const char *known_dir, struct error *err);
void store_hosts_free(struct store_hosts *hosts);

struct store_options {
	bool plain_http; /* also implied for loopback hosts */
	bool tls_verify; /* default true */
	bool tls_told; /* the user has said one of these two: it outweighs registries.conf */
	const char *ca_file; /* PEM; NULL: the system's */
	const char *cert; /* client certificate, PEM; NULL: none */
	const char *key; /* its key */
	const char *username; /* NULL: from the credentials files */
	const char *password;
	const char *authfile; /* NULL: where podman and docker look */
	int timeout; /* seconds without an answer or progress: 60 */
	int retries;
	int jobs; /* bodies at a time: 8 */
	const char *known_dir; /* as of store_hosts_new(), where hosts is NULL */
	struct store_hosts *hosts; /* borrowed; NULL: the store has its own */
	bool only_reads; /* nothing will be written: mirrors may tell, too, what a tag names */
	bool refusals_stand; /* they aren't asked for once more: another place is asked then */
};

#define STORE_OPTIONS_DEFAULT                                                                      \
	{                                                                                          \
		.tls_verify = true, .timeout = 60, .retries = 4, .jobs = 8                         \
	}

/* Opens the store that a reference names: a layout folder is made if missing (ERROR_INVALID where
 * the folder is something else, ERROR_READ_ONLY never: see read_only); a registry isn't asked
 * anything yet. The options' strings are copied. */
int store_open(struct store **out, const struct reference *reference,
	const struct store_options *options, struct log *log, struct error *err);
void store_close(struct store *store);

/* ERROR_CONFLICT: the tag isn't where somebody expected it; a digest that is unset: not there. */
int store_tag_moved(struct error *err, const char *tag, const struct digest *expected,
	const struct digest *found);

/* As blob_put, and the one way in which blobs are sent: at most store->jobs at a time, and each
 * once. Who wants what another is just sending waits for that, and sends it himself only where
 * that has failed or was given up; a TIMEOUT is the answer to all who waited. cancel ends the
 * caller's wait, and no transfer but his own. */
int store_blob_put(struct store *store, const struct digest *digest,
	const struct store_source *source, struct cancel *cancel, struct error *err);

/* Whether anybody is sending the blob now, and how much has been sent: *sent. */
bool store_blob_sending(struct store *store, const struct digest *digest, int64_t *sent);

/* The whole of a small blob (a config), at most limit bytes, checked. */
int store_blob_read(struct store *store, struct buf *out, const struct descriptor *descriptor,
	struct cancel *cancel, struct error *err);

/* The cleanup form of store_close(). */
static inline void store_closep(struct store **store)
{
	if (*store)
		store_close(*store);
}

#endif
