#include "fs/control/errors.h"

#include <stdio.h>
#include <string.h>

#include "json_text.h"
#include "log.h"

#define SAME_SECONDS 5

void errors_init(struct errors *errors)
{
	memset(errors, 0, sizeof *errors);
	pthread_mutex_init(&errors->lock, NULL);
}

void errors_destroy(struct errors *errors)
{
	pthread_mutex_destroy(&errors->lock);
}

static bool is_same(const struct error_entry *entry, const struct error_entry *other)
{
	return other->when - entry->when < SAME_SECONDS && entry->error.kind == other->error.kind &&
	       !strcmp(entry->path, other->path) &&
	       !strcmp(entry->error.message, other->error.message);
}

bool errors_add(struct errors *errors, const char *path, const struct error *err)
{
	struct error_entry fresh = {.when = time(NULL), .error = *err}, *newest;
	bool repeated;

	snprintf(fresh.path, sizeof fresh.path, "%s", path);
	log_clean(fresh.error.message, sizeof fresh.error.message, err->message);
	pthread_mutex_lock(&errors->lock);
	newest = &errors->entries[(errors->total + ERRORS_KEPT - 1) % ERRORS_KEPT];
	repeated = errors->total && is_same(newest, &fresh);
	if (!repeated)
		newest = &errors->entries[errors->total++ % ERRORS_KEPT];
	fresh.number = ++errors->last_number;
	*newest = fresh;
	pthread_mutex_unlock(&errors->lock);
	return !repeated;
}

static int entry_format(const struct error_entry *entry, struct buf *out)
{
	int number = error_errno(&entry->error);
	const char *name = strerrorname_np(number);
	struct tm utc;
	char when[32];

	gmtime_r(&entry->when, &utc);
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc);
	if (buf_printf(
		    out, "{\"number\": %lu, \"time\": \"%s\", \"path\": ", entry->number, when) ||
		json_append_string(out, entry->path) ||
		buf_printf(out, ", \"errno\": \"%s\"", name ? name : "unknown"))
		return -1;
	if (entry->error.kind != ERROR_SYSTEM && entry->error.status &&
		buf_printf(out, ", \"http\": %d", entry->error.status))
		return -1;
	if (buf_append_text(out, ", \"message\": ") ||
		json_append_string(out, entry->error.message))
		return -1;
	return buf_append_text(out, "}");
}

int errors_format(struct errors *errors, struct buf *out)
{
	size_t i, kept;
	int result;

	pthread_mutex_lock(&errors->lock);
	kept = errors->total < ERRORS_KEPT ? errors->total : ERRORS_KEPT;
	result = buf_append_text(out, "[");
	for (i = 0; i < kept && !result; i++) {
		size_t at = (errors->total - 1 - i) % ERRORS_KEPT;

		result = buf_append_text(out, i ? ",\n    " : "\n    ");
		if (!result)
			result = entry_format(&errors->entries[at], out);
	}
	if (!result)
		result = buf_append_text(out, kept ? "\n  ]" : "]");
	pthread_mutex_unlock(&errors->lock);
	return result;
}
