/*
 * screen.h - a text that changes in its place on a terminal; elsewhere, each version that differs
 * from the one before it.
 */
#ifndef INDEXFS_FS_CMD_SCREEN_H
#define INDEXFS_FS_CMD_SCREEN_H

#include <stdbool.h>
#include <stdio.h>

struct screen {
	FILE *to;
	bool terminal;
	size_t lines; /* of what stands there now */
	char *shown; /* elsewhere: the last text */
};

void screen_init(struct screen *screen, FILE *to);
/* What stands there stays; what is printed next comes below it. */
void screen_end(struct screen *screen);

/* Shows a text of lines, cut to the terminal, in place of the one before. */
void screen_show(struct screen *screen, const char *text);

/* How many columns there are: 80 where that isn't known. */
int screen_width(const struct screen *screen);

#endif
