#include "fs/cmd/screen.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS 80
#define ROWS 24

void screen_init(struct screen *screen, FILE *to)
{
	*screen = (struct screen){.to = to, .terminal = isatty(fileno(to))};
}

void screen_end(struct screen *screen)
{
	free(screen->shown);
	screen->shown = NULL;
	screen->lines = 0;
}

static struct winsize size_of(const struct screen *screen)
{
	struct winsize size;

	if (ioctl(fileno(screen->to), TIOCGWINSZ, &size) || !size.ws_col || !size.ws_row)
		size = (struct winsize){.ws_col = COLUMNS, .ws_row = ROWS};
	return size;
}

int screen_width(const struct screen *screen)
{
	return size_of(screen).ws_col;
}

/* As much of a line as fits; a UTF-8 character counts as one column. */
static size_t fitting(const char *line, size_t len, size_t columns)
{
	size_t i, used = 0;

	for (i = 0; i < len; i++) {
		if (((unsigned char)line[i] & 0xc0) != 0x80 && used++ == columns)
			break;
	}
	return i;
}

static void draw(struct screen *screen, const char *text)
{
	struct winsize size = size_of(screen);
	const char *line = text;

	/* up to where the last one began, and clear from there */
	if (screen->lines)
		fprintf(screen->to, "\033[%zuA", screen->lines);
	fputs("\r\033[J", screen->to);
	screen->lines = 0;
	while (*line && screen->lines + 1 < size.ws_row) {
		size_t len = strcspn(line, "\n");

		fwrite(line, 1, fitting(line, len, size.ws_col), screen->to);
		fputc('\n', screen->to);
		screen->lines++;
		line += len + (line[len] == '\n');
	}
}

void screen_show(struct screen *screen, const char *text)
{
	if (screen->terminal) {
		draw(screen, text);
	} else if (!screen->shown || strcmp(screen->shown, text) != 0) {
		free(screen->shown);
		screen->shown = strdup(text);
		fputs(text, screen->to);
	}
	fflush(screen->to);
}
