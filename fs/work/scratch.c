#include "fs/work/scratch.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stddef.h>
#include <string.h>

/* vim, emacs, LibreOffice, GLib, browsers, KDE, FUSE and NFS, macOS, Windows, trash folders. */
static const char *const patterns[] = {
	".*.sw?",
	"4913",
	"*~",
	".#*",
	"#*#",
	".~lock.*#",
	".goutputstream-*",
	"*.part",
	"*.crdownload",
	"*.kate-swp",
	".fuse_hidden*",
	".nfs*",
	".DS_Store",
	"._*",
	".AppleDouble",
	".Spotlight-V100",
	".Trashes",
	".fseventsd",
	".Trash-*",
	"Thumbs.db",
	"desktop.ini",
	".directory",
	"*.rsync-partial",
};

/* rsync writes NAME as .NAME.XXXXXX, six random letters or digits, and renames it. Six lower-case
 * letters are taken for a word: ".env.sample" is somebody's file. */
static bool rsync_temporary(const char *name)
{
	const char *dot = strrchr(name, '.');
	bool random = false;
	size_t i;

	if (name[0] != '.' || !dot || dot <= name + 1 || strlen(dot + 1) != 6)
		return false;
	for (i = 1; i <= 6; i++) {
		if (!isalnum((unsigned char)dot[i]))
			return false;
		if (!islower((unsigned char)dot[i]))
			random = true;
	}
	return random;
}

bool scratch_name(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
		if (fnmatch(patterns[i], name, 0) == 0)
			return true;
	return rsync_temporary(name);
}
