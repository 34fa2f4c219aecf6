#include "log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "registry/base/redact.h"

#define RAW_SIZE ((size_t)2 * LOG_LINE_SIZE)

struct line {
	time_t time;
	enum log_level level;
	char *text; /* NULL: never written, or there was no memory for it */
};

struct log {
	enum log_level level;
	pthread_mutex_t lock; /* of all below */
	bool to_syslog;
	size_t next; /* where the next line goes: the oldest is there */
	struct line lines[LOG_LINES];
};

static const struct {
	const char *name;
	int priority;
} levels[] = {
	[LOG_LEVEL_ERROR] = {"error", LOG_ERR},
	[LOG_LEVEL_WARNING] = {"warning", LOG_WARNING},
	[LOG_LEVEL_INFO] = {"info", LOG_INFO},
	[LOG_LEVEL_DEBUG] = {"debug", LOG_DEBUG},
};

struct log *log_new(enum log_level level)
{
	struct log *log = calloc(1, sizeof(*log));

	if (!log)
		return NULL;
	log->level = level;
	pthread_mutex_init(&log->lock, NULL);
	return log;
}

void log_free(struct log *log)
{
	if (!log)
		return;
	for (size_t i = 0; i < LOG_LINES; i++)
		free(log->lines[i].text);
	pthread_mutex_destroy(&log->lock);
	free(log);
}

void log_use_syslog(struct log *log)
{
	openlog("indexfs", LOG_PID, LOG_DAEMON);
	pthread_mutex_lock(&log->lock);
	log->to_syslog = true;
	pthread_mutex_unlock(&log->lock);
}

/* Keeps the line; returns whether it goes to syslog. */
static bool keep(struct log *log, enum log_level level, const char *text)
{
	struct line line = {.time = time(NULL), .level = level, .text = strdup(text)};

	pthread_mutex_lock(&log->lock);
	char *oldest = log->lines[log->next].text;
	log->lines[log->next] = line;
	log->next = (log->next + 1) % LOG_LINES;
	bool to_syslog = log->to_syslog;
	pthread_mutex_unlock(&log->lock);
	free(oldest);
	return to_syslog;
}

/* The end of a line that is too long, and the word that it was in: half a URL can hide a whole
 * password from redact(). */
static void cut_word(char text[static RAW_SIZE])
{
	text[RAW_SIZE - sizeof("...")] = '\0';
	char *space = strrchr(text, ' ');
	strcpy(space ? space + 1 : text, "...");
}

void log_clean(char *out, size_t size, const char *text)
{
	char raw[RAW_SIZE], clean[RAW_SIZE];

	if (snprintf(raw, sizeof(raw), "%s", text) >= (int)sizeof(raw))
		cut_word(raw);
	redact(clean, sizeof(clean), raw);
	escape_controls(out, size, clean);
}

void log_write(struct log *log, enum log_level level, const char *format, ...)
{
	char raw[RAW_SIZE], text[LOG_LINE_SIZE];
	int saved = errno;
	va_list args;

	if (!log || level > log->level)
		return;
	va_start(args, format);
	int len = vsnprintf(raw, sizeof(raw), format, args);
	va_end(args);
	if (len < 0)
		raw[0] = '\0';
	else if ((size_t)len >= sizeof(raw))
		cut_word(raw);
	log_clean(text, sizeof(text), raw);

	if (keep(log, level, text))
		syslog(levels[level].priority, "%s", text);
	else
		fprintf(stderr, "indexfs: %s\n", text);
	errno = saved;
}

static int read_line(struct buf *out, const struct line *line)
{
	struct tm tm;
	char stamp[32];

	if (!line->text)
		return 0;
	gmtime_r(&line->time, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return buf_printf(out, "%s %s %s\n", stamp, levels[line->level].name, line->text);
}

int log_read(struct log *log, struct buf *out)
{
	size_t before = out->len;
	int result = 0;

	pthread_mutex_lock(&log->lock);
	for (size_t i = 0; i < LOG_LINES && result == 0; i++)
		result = read_line(out, &log->lines[(log->next + i) % LOG_LINES]);
	pthread_mutex_unlock(&log->lock);
	if (result && out->data) {
		out->len = before;
		out->data[before] = '\0';
	}
	return result;
}
