#include "registry/remote/config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"

static const char *absolute_folder(const char *name)
{
	const char *value = getenv(name);

	return value && *value == '/' ? value : NULL;
}

static int add_folder(
	struct config_places *places, const char *base, const char *rest, struct error *err)
{
	char *path;

	if (!base)
		return 0;
	if (asprintf(&path, "%s%s", base, rest) < 0)
		return error_set_memory(err);
	places->folders[places->count++] = path;
	return 0;
}

int config_places_find(struct config_places *out, const char *system, struct error *err)
{
	const char *file = getenv("CONTAINERS_REGISTRIES_CONF");

	*out = (struct config_places){.file = NULL};
	if (file && *file) {
		out->file = strdup(file);
		if (!out->file)
			return error_set_memory(err);
	}
	if (add_folder(out, absolute_folder("XDG_CONFIG_HOME"), "/containers", err) ||
		add_folder(out, absolute_folder("HOME"), "/.config/containers", err) ||
		add_folder(out, system, "/containers", err))
		return -1;
	return add_folder(out, system, "/docker", err);
}

void config_places_clear(struct config_places *places)
{
	for (size_t i = 0; i < places->count; i++)
		free(places->folders[i]);
	free(places->file);
	*places = (struct config_places){.file = NULL};
}

int config_file_read(struct buf *out, const char *path, struct error *err)
{
	/* What stands there could be a pipe: opening it doesn't wait, and it isn't read. */
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char bytes[16384];
	struct stat st;
	ssize_t got;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return error_set(err, ERROR_NOT_FOUND, "%s: it isn't there", path);
	if (fd < 0 || fstat(fd, &st))
		return error_set_errno(err, errno, "%s", path);
	if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode)) /* as /dev/null */
		return error_set(err, ERROR_INVALID, "%s: it is no file", path);
	while ((got = read(fd, bytes, sizeof(bytes))) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set_errno(err, errno, "%s", path);
		if (buf_append(out, bytes, (size_t)got) == 0)
			continue;
		return errno == EFBIG ? error_set(err, ERROR_TOO_LARGE, "%s: over %zu bytes", path,
						out->limit)
				      : error_set_memory(err);
	}
	return 0;
}

/* Whether there was such a file. */
static int read_conf(struct registries_conf *out, bool *found, const char *path, struct error *err)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(REGISTRIES_CONF_SIZE_MAX);
	struct error error = ERROR_INIT;

	*found = false;
	if (config_file_read(&text, path, &error))
		return error.kind == ERROR_NOT_FOUND ? 0 : error_copy(err, &error);
	*found = true;
	return registries_conf_read(out, path, text.data ? text.data : "", text.len, err);
}

static int read_drop_ins(
	struct registries_conf *out, bool *found, const char *folder, struct error *err)
{
	char **names;
	size_t count;
	int failed = 0;

	*found = access(folder, F_OK) == 0;
	if (config_list(&names, &count, folder, ".conf", err))
		return -1;
	for (size_t i = 0; !failed && i < count; i++) {
		cleanup_free char *path = NULL;
		bool there;

		if (asprintf(&path, "%s/%s", folder, names[i]) < 0) {
			path = NULL;
			failed = error_set_memory(err);
		} else {
			failed = read_conf(out, &there, path, err);
		}
	}
	config_list_free(names, count);
	return failed;
}

/* What the first folder that has it says. */
static int read_first(struct registries_conf *out, const struct config_places *places,
	const char *name,
	int (*read_it)(
		struct registries_conf *out, bool *found, const char *path, struct error *err),
	struct error *err)
{
	bool found = false;

	for (size_t i = 0; i < places->count && !found; i++) {
		cleanup_free char *path = NULL;

		if (asprintf(&path, "%s/%s", places->folders[i], name) < 0) {
			path = NULL;
			return error_set_memory(err);
		}
		if (read_it(out, &found, path, err))
			return -1;
	}
	return 0;
}

int config_registries(
	struct registries_conf *out, const struct config_places *places, struct error *err)
{
	bool found;

	*out = (struct registries_conf)REGISTRIES_CONF_INIT;
	if (!places->file) {
		if (read_first(out, places, "registries.conf", read_conf, err))
			return -1;
		return read_first(out, places, "registries.conf.d", read_drop_ins, err);
	}
	if (read_conf(out, &found, places->file, err))
		return -1;
	return found ? 0
		     : error_set(err, ERROR_INVALID,
			       "%s, named by CONTAINERS_REGISTRIES_CONF: it isn't there",
			       places->file);
}

int config_certs_folder(
	char **out, const struct config_places *places, const char *host, struct error *err)
{
	*out = NULL;
	for (size_t i = 0; i < places->count; i++) {
		struct stat st;
		cleanup_free char *path = NULL;

		if (asprintf(&path, "%s/certs.d/%s", places->folders[i], host) < 0) {
			path = NULL;
			return error_set_memory(err);
		}
		if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
			*out = steal_ptr(path);
			return 0;
		}
	}
	return 0;
}

static bool ends_so(const char *name, const char *ending)
{
	size_t len = strlen(name), ending_len = strlen(ending);

	return len > ending_len && strcmp(name + len - ending_len, ending) == 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int config_list(
	char ***out, size_t *count, const char *folder, const char *ending, struct error *err)
{
	struct dirent **found;
	int total = scandir(folder, &found, NULL, by_bytes);
	int failed = 0;

	*out = NULL;
	*count = 0;
	if (total < 0)
		return errno == ENOENT || errno == ENOTDIR
			       ? 0
			       : error_set_errno(err, errno, "%s", folder);
	*out = calloc((size_t)total + 1, sizeof(**out));
	for (int i = 0; i < total; i++) {
		if (*out && !failed && ends_so(found[i]->d_name, ending)) {
			(*out)[*count] = strdup(found[i]->d_name);
			failed = (*out)[*count] ? 0 : -1;
			*count += !failed;
		}
		free(found[i]);
	}
	free(found);
	if (*out && !failed)
		return 0;
	config_list_free(*out, *count);
	*out = NULL;
	*count = 0;
	return error_set_memory(err);
}

void config_list_free(char **names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
}
