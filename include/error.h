/*
 * error.h - one small error for the whole program: a stable kind, a number, a sentence.
 *
 * An error is a plain value that the caller owns, usually on its stack and set to ERROR_INIT.
 * Functions that can fail take it as their last argument and return -1 (or NULL) when they set
 * it. NULL is allowed where the caller has no use for the reason. Setting never allocates.
 * The first error wins: setting one that is already set changes nothing.
 */
#ifndef INDEXFS_ERROR_H
#define INDEXFS_ERROR_H

#include <stdbool.h>

enum error_kind {
	ERROR_NONE = 0,
	ERROR_SYSTEM, /* a system call failed; status is its errno, and becomes ours */
	ERROR_MEMORY, /* an allocation failed: ENOMEM */
	ERROR_DENIED, /* 401, 403 after authenticating as far as possible: EACCES */
	ERROR_NOT_FOUND, /* no such repository, tag, manifest, blob: ENOENT */
	ERROR_READ_ONLY, /* EROFS */
	ERROR_NOT_PERMITTED, /* this operation is not allowed here: EPERM */
	ERROR_INVALID, /* what the user gave can't be used: EINVAL */
	ERROR_IMMUTABLE, /* the registry refuses to move an immutable tag: EEXIST */
	ERROR_CORRUPT, /* content doesn't match its digest or size, or is malformed: EIO */
	ERROR_PROTOCOL, /* an answer that breaks the protocol: EIO */
	ERROR_SERVER, /* 5xx after retries: EIO */
	ERROR_THROTTLED, /* 429 after retries: EBUSY */
	ERROR_REFUSED, /* ECONNREFUSED */
	ERROR_UNREACHABLE, /* no route, no such host: EHOSTUNREACH */
	ERROR_TIMEOUT, /* ETIMEDOUT */
	ERROR_CERTIFICATE, /* the TLS certificate isn't trusted: EKEYREJECTED */
	ERROR_TOO_LARGE, /* 413, or a document over 4 MiB: EFBIG */
	ERROR_QUOTA, /* the registry's quota: EDQUOT */
	ERROR_CONFLICT, /* the tag moved: ESTALE */
	ERROR_INTERRUPTED, /* cancelled by a signal or by shutdown: EINTR */
};

#define ERROR_MESSAGE_SIZE 1536

struct error {
	enum error_kind kind;
	int status; /* HTTP status, or errno for ERROR_SYSTEM; 0 where there is none */
	char message[ERROR_MESSAGE_SIZE];
};

#define ERROR_INIT                                                                                 \
	{                                                                                          \
		.kind = ERROR_NONE, .status = 0, .message = ""                                     \
	}

/* Sets *err to kind with a formatted message (cut to fit). Always returns -1. */
int error_set(struct error *err, enum error_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same, for an HTTP answer with this status. */
int error_set_http(struct error *err, enum error_kind kind, int http_status, const char *format,
	...) __attribute__((format(printf, 4, 5)));

/* Sets *err to ERROR_SYSTEM (ERROR_MEMORY for ENOMEM, ERROR_INTERRUPTED for EINTR), the message
 * followed by ": " and the text of errnum. Always returns -1. */
int error_set_errno(struct error *err, int errnum, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* An allocation failed. Always returns -1. */
int error_set_memory(struct error *err);

/* Puts "WHAT: " before the message of an error that is set. Always returns -1. */
int error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

bool error_is_set(const struct error *err);
void error_clear(struct error *err);

/* Copies from to *err if *err isn't set yet. Always returns -1. */
int error_copy(struct error *err, const struct error *from);

/* The errno for an error: the one table. 0 for ERROR_NONE. */
int error_errno(const struct error *err);

/* A short stable word for a kind ("denied", "not-found", ...), for status and logs. */
const char *error_kind_name(enum error_kind kind);

#endif
