#include "error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ERROR_SYSTEM has its errno in status instead. */
static const struct {
	int errnum;
	const char *name;
} kinds[] = {
	[ERROR_NONE] = {0, "none"},
	[ERROR_SYSTEM] = {EIO, "system"},
	[ERROR_MEMORY] = {ENOMEM, "memory"},
	[ERROR_DENIED] = {EACCES, "denied"},
	[ERROR_NOT_FOUND] = {ENOENT, "not-found"},
	[ERROR_READ_ONLY] = {EROFS, "read-only"},
	[ERROR_NOT_PERMITTED] = {EPERM, "not-permitted"},
	[ERROR_INVALID] = {EINVAL, "invalid"},
	[ERROR_IMMUTABLE] = {EEXIST, "immutable"},
	[ERROR_CORRUPT] = {EIO, "corrupt"},
	[ERROR_PROTOCOL] = {EIO, "protocol"},
	[ERROR_SERVER] = {EIO, "server"},
	[ERROR_THROTTLED] = {EBUSY, "throttled"},
	[ERROR_REFUSED] = {ECONNREFUSED, "refused"},
	[ERROR_UNREACHABLE] = {EHOSTUNREACH, "unreachable"},
	[ERROR_TIMEOUT] = {ETIMEDOUT, "timeout"},
	[ERROR_CERTIFICATE] = {EKEYREJECTED, "certificate"},
	[ERROR_TOO_LARGE] = {EFBIG, "too-large"},
	[ERROR_QUOTA] = {EDQUOT, "quota"},
	[ERROR_CONFLICT] = {ESTALE, "conflict"},
	[ERROR_INTERRUPTED] = {EINTR, "interrupted"},
};

#define KIND_COUNT (sizeof(kinds) / sizeof(*kinds))

/* Drops what vsnprintf() left of a character that it cut in half. */
static void trim_utf8(char *text)
{
	size_t len = strlen(text);
	size_t start = len;
	size_t want = 1;

	while (start > 0 && len - start < 3 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
		start--;
	if (start == 0)
		return;
	unsigned char lead = (unsigned char)text[--start];
	if (lead >= 0xf0)
		want = 4;
	else if (lead >= 0xe0)
		want = 3;
	else if (lead >= 0xc0)
		want = 2;
	if (len - start < want)
		text[start] = '\0';
}

static void append_v(struct error *err, size_t at, const char *format, va_list args)
{
	size_t room = sizeof(err->message) - at;
	int len = vsnprintf(err->message + at, room, format, args);

	if (len < 0)
		err->message[at] = '\0';
	else if ((size_t)len >= room)
		trim_utf8(err->message);
}

static void set_v(
	struct error *err, enum error_kind kind, int status, const char *format, va_list args)
{
	if (!err || err->kind != ERROR_NONE)
		return;
	err->kind = kind;
	err->status = status;
	append_v(err, 0, format, args);
}

int error_set(struct error *err, enum error_kind kind, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set_v(err, kind, 0, format, args);
	va_end(args);
	return -1;
}

int error_set_http(
	struct error *err, enum error_kind kind, int http_status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set_v(err, kind, http_status, format, args);
	va_end(args);
	return -1;
}

static enum error_kind kind_of_errno(int errnum)
{
	if (errnum == ENOMEM)
		return ERROR_MEMORY;
	if (errnum == EINTR)
		return ERROR_INTERRUPTED;
	return ERROR_SYSTEM;
}

int error_set_errno(struct error *err, int errnum, const char *format, ...)
{
	va_list args;
	char text[128];

	if (!err || err->kind != ERROR_NONE)
		return -1;
	va_start(args, format);
	set_v(err, kind_of_errno(errnum), errnum, format, args);
	va_end(args);

	size_t len = strlen(err->message);
	snprintf(err->message + len, sizeof(err->message) - len, ": %s",
		strerror_r(errnum, text, sizeof(text)));
	return -1;
}

int error_set_memory(struct error *err)
{
	return error_set(err, ERROR_MEMORY, "out of memory");
}

int error_prefix(struct error *err, const char *format, ...)
{
	va_list args;
	char message[ERROR_MESSAGE_SIZE];

	if (!error_is_set(err))
		return -1;
	memcpy(message, err->message, sizeof(message));
	va_start(args, format);
	append_v(err, 0, format, args);
	va_end(args);

	size_t len = strlen(err->message);
	if (snprintf(err->message + len, sizeof(err->message) - len, ": %s", message) >=
		(int)(sizeof(err->message) - len))
		trim_utf8(err->message);
	return -1;
}

bool error_is_set(const struct error *err)
{
	return err && err->kind != ERROR_NONE;
}

void error_clear(struct error *err)
{
	if (!err)
		return;
	err->kind = ERROR_NONE;
	err->status = 0;
	err->message[0] = '\0';
}

int error_copy(struct error *err, const struct error *from)
{
	if (err && err->kind == ERROR_NONE)
		*err = *from;
	return -1;
}

int error_errno(const struct error *err)
{
	if (!err)
		return 0;
	if (err->kind == ERROR_SYSTEM && err->status > 0)
		return err->status;
	return (size_t)err->kind < KIND_COUNT ? kinds[err->kind].errnum : EIO;
}

const char *error_kind_name(enum error_kind kind)
{
	return (size_t)kind < KIND_COUNT ? kinds[kind].name : "unknown";
}
