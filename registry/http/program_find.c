#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "registry/http/program.h"

#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

/* A relative folder, or an empty one, would be whichever this program happens to work in. */
int program_find(char **out, const char *name, struct error *err)
{
	const char *path = getenv("PATH");

	*out = NULL;
	for (path = path ? path : DEFAULT_PATH; *path; path += *path == ':') {
		int len = (int)strcspn(path, ":");
		char *found;

		if (*path == '/') {
			if (asprintf(&found, "%.*s/%s", len, path, name) < 0)
				return error_set_memory(err);
			if (access(found, X_OK) == 0) {
				*out = found;
				return 0;
			}
			free(found);
		}
		path += len;
	}
	return error_set(err, ERROR_NOT_FOUND, "%s: no such program on PATH", name);
}
