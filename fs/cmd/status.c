#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "buf.h"
#include "cleanup.h"
#include "fs/cmd/cmd.h"
#include "fs/cmd/control_file.h"
#include "fs/cmd/mounts.h"
#include "fs/cmd/report.h"
#include "fs/cmd/screen.h"
#include "json_text.h"

#define WATCH_NS 500000000
#define BAR_LEAST 10
#define BAR_MOST 40

struct question {
	const char *path; /* NULL: all mounts */
	bool json, watch;
};

static const struct option long_options[] = {
	{"json", no_argument, NULL, 'j'},
	{"watch", no_argument, NULL, 'w'},
	{NULL, 0, NULL, 0},
};

/* The mount that a path lies in; NULL with *err. */
static const struct mounted *mount_named(
	const struct mounts *mounts, const char *name, struct error *err)
{
	cleanup_free char *path = path_resolve(name, err);
	const struct mounted *found = path ? mounts_of(mounts, path) : NULL;

	if (path && !found)
		error_set(err, ERROR_INVALID, "%s lies in no mount of indexfs", name);
	return found;
}

/* The object of .oci/status with two members more. */
static int put_json(FILE *to, const struct mounted *mounted, const char *text)
{
	cleanup_with(buf_free) struct buf head = BUF_INIT(BUF_UNBOUNDED);
	const char *rest = text ? strchr(text, '{') : NULL;

	if (buf_append_text(&head, "{\"mountpoint\": ") ||
		json_append_string(&head, mounted->mountpoint) ||
		buf_append_text(&head, ", \"source\": ") ||
		json_append_string(&head, mounted->source))
		return -1;
	fprintf(to, "%s,%s", head.data, rest ? rest + 1 : " \"dead\": true}");
	return 0;
}

static void put_dead(FILE *to, const struct mounted *mounted)
{
	cmd_put(to, mounted->mountpoint);
	fputs(": ", to);
	cmd_put(to, mounted->source);
	fputs("\n  the program that served it has ended; mounting it again shows what is not "
	      "published\n",
		to);
}

static int bar_width(const struct screen *screen)
{
	int width = screen_width(screen) / 3;

	return width < BAR_LEAST ? BAR_LEAST : width > BAR_MOST ? BAR_MOST : width;
}

/* One mount. Without being asked for by its path, one of another user is passed over. */
static int put_mount(FILE *to, const struct question *question, const struct mounted *mounted,
	int bar, bool *first, struct error *err)
{
	cleanup_free char *text = NULL;
	cleanup_with(json_value_freep) struct json_value *status = NULL;
	struct error why = ERROR_INIT;
	bool dead = mounted_is_dead(mounted->mountpoint);

	if (!dead)
		text = control_file_read(mounted->mountpoint, "status", &why);
	if (text)
		status = json_value_parse(text, strlen(text), &why);
	if (!dead && !status)
		return question->path ? error_copy(err, &why) : 0;
	if (!*first)
		fputs(question->json ? ",\n" : "\n", to);
	*first = false;
	if (question->json)
		return put_json(to, mounted, text) ? error_set_memory(err) : 0;
	if (dead)
		put_dead(to, mounted);
	else
		report_all(to, mounted->mountpoint, mounted->source, status, bar);
	return 0;
}

static int put_mounts(FILE *to, const struct question *question, const struct mounts *mounts,
	int bar, struct error *err)
{
	const struct mounted *only =
		question->path ? mount_named(mounts, question->path, err) : NULL;
	bool first = true;
	size_t i;
	int result = question->path && !only ? -1 : 0;

	for (i = 0; i < mounts->count && !result; i++) {
		const struct mounted *item = &mounts->items[i];

		/* of two at one place only the later can be seen */
		if (only ? item == only : item == mounts_at(mounts, item->mountpoint))
			result = put_mount(to, question, item, bar, &first, err);
	}
	if (first && !question->json)
		fputs("no indexfs mount is here that you may read\n", to);
	return result;
}

static int put_all(FILE *to, const struct question *question, int bar, struct error *err)
{
	cleanup_with(mounts_clear) struct mounts mounts = {.items = NULL};
	int result;

	if (mounts_read(&mounts, err))
		return -1;
	if (question->json)
		fputs("[", to);
	result = put_mounts(to, question, &mounts, bar, err);
	if (question->json)
		fputs("]\n", to);
	return result;
}

/* The text of all that is asked for; NULL with *err. */
static char *make_text(const struct question *question, int bar, struct error *err)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);
	int result;

	if (!to) {
		error_set_memory(err);
		return NULL;
	}
	result = put_all(to, question, bar, err);
	if (fclose(to) && !result)
		result = error_set_memory(err);
	if (!result)
		return text;
	free(text);
	return NULL;
}

/* Until the mount that is asked for goes, or somebody interrupts it. */
static int watch(const struct question *question, struct error *err)
{
	static const struct timespec pause = {.tv_nsec = WATCH_NS};
	struct screen screen;
	char *text;
	bool shown = false;

	screen_init(&screen, stdout);
	while (!ferror(stdout) &&
		(text = make_text(question, screen.terminal ? bar_width(&screen) : 0, err))) {
		screen_show(&screen, text);
		free(text);
		shown = true;
		nanosleep(&pause, NULL);
	}
	screen_end(&screen);
	if (shown && !question->json)
		puts("the mount has ended");
	return shown ? 0 : -1;
}

static int tell(const struct question *question, struct error *err)
{
	cleanup_free char *text = make_text(question, 0, err);

	if (!text)
		return -1;
	fputs(text, stdout);
	return fflush(stdout) ? error_set_errno(err, errno, "standard output") : 0;
}

int cmd_status(int argc, char **argv)
{
	struct question question = {.path = NULL};
	struct error err = ERROR_INIT;
	int option;

	optind = 1;
	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (option != 'j' && option != 'w')
			return CMD_USAGE;
		question.json |= option == 'j';
		question.watch |= option == 'w';
	}
	if (argc - optind > 1)
		return cmd_usage("status takes one PATH, or none");
	question.path = argv[optind];
	if (question.watch ? watch(&question, &err) : tell(&question, &err))
		return cmd_fail("status", &err);
	return 0;
}
