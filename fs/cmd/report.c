#include "fs/cmd/report.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "fs/cmd/cmd.h"

#define PATHS_SHOWN 20
#define ERRORS_SHOWN 5

static const char *text_of(const struct json_value *object, const char *name)
{
	const char *text = json_value_text(json_value_member(object, name));

	return text ? text : "";
}

static int64_t number_of(const struct json_value *object, const char *name)
{
	return json_value_number(json_value_member(object, name), 0);
}

static const struct json_value *list_of(const struct json_value *status, const char *name)
{
	return json_value_first(json_value_member(status, name));
}

/* Each %s is written so that a terminal doesn't obey it. */
__attribute__((format(printf, 2, 3))) static void put(FILE *to, const char *format, ...)
{
	char text[4096];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	cmd_put(to, text);
	fputc('\n', to);
}

void report_size(char out[static REPORT_SIZE_LEN], int64_t bytes)
{
	static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
	double number = (double)bytes;
	size_t unit = 0;

	while (number >= 1024 && unit + 1 < sizeof units / sizeof units[0]) {
		number /= 1024;
		unit++;
	}
	snprintf(out, REPORT_SIZE_LEN, unit ? "%.1f %s" : "%.0f %s", number, units[unit]);
}

static int part_of(int whole, int64_t sent, int64_t size)
{
	if (size <= 0 || sent >= size)
		return size <= 0 ? 0 : whole;
	return sent <= 0 ? 0 : (int)((double)sent / (double)size * whole);
}

void report_bar(FILE *to, int width, int64_t sent, int64_t size)
{
	int filled = part_of(width, sent, size), i;

	fputc('[', to);
	for (i = 0; i < width; i++)
		fputc(i < filled ? '#' : '-', to);
	fputc(']', to);
}

/* Whether the item after this one is below it: a folder's files say more than the folder. */
static bool is_above_next(const struct json_value *item)
{
	const char *path = json_value_text(item), *next = json_value_text(json_value_next(item));
	size_t len = path ? strlen(path) : 0;

	if (!path || !next)
		return false;
	return !strcmp(path, ".") || (!strncmp(path, next, len) && next[len] == '/');
}

size_t report_uncommitted(FILE *to, const struct json_value *status)
{
	const struct json_value *item;
	size_t count = 0;

	for (item = list_of(status, "uncommitted"); item; item = json_value_next(item)) {
		const char *path = json_value_text(item);

		if (!path || is_above_next(item))
			continue;
		if (count++ < PATHS_SHOWN)
			put(to, "    %s",
				strcmp(path, ".") != 0
					? path
					: "(the list of platforms, or the tag's annotations)");
	}
	if (count > PATHS_SHOWN)
		put(to, "    ... and %zu more", count - PATHS_SHOWN);
	return count;
}

static void report_drafts(FILE *to, const struct json_value *status)
{
	const struct json_value *item;

	for (item = list_of(status, "drafts"); item; item = json_value_next(item))
		put(to, "  to be mended: %s: %s", text_of(item, "path"), text_of(item, "message"));
	for (item = list_of(status, "outside"); item; item = json_value_next(item))
		put(to, "  in no platform folder, move it into one or remove it: %s",
			json_value_text(item) ? json_value_text(item) : "");
	for (item = list_of(status, "doubtful"); item; item = json_value_next(item))
		put(to, "  maybe not whole, look at it, then touch, rewrite or remove it: %s",
			json_value_text(item) ? json_value_text(item) : "");
}

static void report_conflicts(FILE *to, const char *mountpoint, const struct json_value *status)
{
	const struct json_value *item = list_of(status, "conflicts");

	if (!item)
		return;
	put(to, "  changed here, and differently by somebody else:");
	for (; item; item = json_value_next(item)) {
		put(to, "    %s", text_of(item, "path"));
		put(to, "      ours    %s", text_of(item, "ours"));
		put(to, "      theirs  %s", text_of(item, "theirs"));
	}
	put(to, "  indexfs commit --ours %s/PATH publishes ours, --theirs gives it up", mountpoint);
}

void report_troubles(FILE *to, const char *mountpoint, const struct json_value *status)
{
	report_drafts(to, status);
	report_conflicts(to, mountpoint, status);
}

int64_t report_last_error(const struct json_value *status)
{
	const struct json_value *newest = list_of(status, "errors");

	return newest ? number_of(newest, "number") : -1;
}

static void report_error(FILE *to, const struct json_value *error)
{
	const struct json_value *http = json_value_member(error, "http");
	char status[32] = "";

	if (http)
		snprintf(status, sizeof status, ", HTTP %d", (int)json_value_number(http, 0));
	put(to, "    %s  %s  (%s%s)", text_of(error, "time"), text_of(error, "path"),
		text_of(error, "errno"), status);
	put(to, "      %s", text_of(error, "message"));
}

/* The list is newest first: what comes later in it is printed before. */
static void report_errors_from(FILE *to, const struct json_value *error, int64_t after, size_t most)
{
	if (!error || !most || number_of(error, "number") <= after)
		return;
	report_errors_from(to, json_value_next(error), after, most - 1);
	report_error(to, error);
}

void report_errors(FILE *to, const struct json_value *status, int64_t after, size_t most)
{
	report_errors_from(to, list_of(status, "errors"), after, most);
}

static bool is_state(const struct json_value *upload, const char *state)
{
	return !strcmp(text_of(upload, "state"), state);
}

struct report_sum report_uploads_sum(const struct json_value *status)
{
	struct report_sum sum = {0};
	const struct json_value *item;

	for (item = list_of(status, "uploads"); item; item = json_value_next(item)) {
		if (!is_state(item, "uploading"))
			continue;
		sum.files++;
		sum.sent += number_of(item, "sent");
		sum.size += number_of(item, "size");
	}
	return sum;
}

static void report_upload(FILE *to, const struct json_value *upload, int bar)
{
	int64_t sent = number_of(upload, "sent"), size = number_of(upload, "size");
	char size_text[REPORT_SIZE_LEN];

	report_size(size_text, size);
	fputs("    ", to);
	if (bar)
		report_bar(to, bar, sent, size);
	put(to, "%s%3d%% of %s  %s", bar ? " " : "", part_of(100, sent, size), size_text,
		text_of(upload, "path"));
}

static void report_uploads(FILE *to, const struct json_value *status, int bar)
{
	const struct json_value *first = list_of(status, "uploads"), *item;
	bool told = false;

	for (item = first; item; item = json_value_next(item)) {
		if (!is_state(item, "uploading"))
			continue;
		if (!told)
			put(to, "  uploading:");
		told = true;
		report_upload(to, item, bar);
	}
	for (item = first; item; item = json_value_next(item)) {
		if (!is_state(item, "failed"))
			continue;
		put(to, "  the upload failed, and is tried again: %s", text_of(item, "path"));
		put(to, "      %s", text_of(item, "error"));
	}
}

/* The commit that comes by itself: when, and what is in its way. */
static void report_next(FILE *to, const struct json_value *status)
{
	const struct json_value *next = json_value_member(status, "next_commit");
	const char *mode = text_of(status, "commit"), *error = text_of(next, "error");
	long long left = json_value_number(json_value_member(next, "in_seconds"), -1);
	long long tries = number_of(next, "tries");

	if (!json_value_member(next, "in_seconds"))
		return;
	if (left >= 0)
		put(to, "  %s in %lld s (commit=%s)", tries ? "tried again" : "published", left,
			mode);
	else if (*error)
		put(to, "  tried again once something changes (commit=%s)", mode);
	else
		put(to, "  published once a file isn't being written any more (commit=%s)", mode);
	if (tries)
		put(to, "  failed %lld times: %s", tries, error);
	else if (*error)
		put(to, "  waits: %s", error);
}

void report_all(FILE *to, const char *mountpoint, const char *source,
	const struct json_value *status, int bar)
{
	put(to, "%s: %s", mountpoint, source);
	if (!list_of(status, "uncommitted")) {
		put(to, "  all is published");
	} else {
		put(to, "  not published:");
		report_uncommitted(to, status);
	}
	report_uploads(to, status, bar);
	report_troubles(to, mountpoint, status);
	report_next(to, status);
	if (list_of(status, "errors")) {
		put(to, "  last errors:");
		report_errors(to, status, -1, ERRORS_SHOWN);
	}
}
