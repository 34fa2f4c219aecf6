#include "registry/remote/certs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"

void certs_clear(struct certs *certs)
{
	free(certs->folder);
	free(certs->cert);
	free(certs->key);
	buf_free(&certs->authorities);
	certs->folder = certs->cert = certs->key = NULL;
}

static char *path_of(const char *folder, const char *name, struct error *err)
{
	char *path;

	if (asprintf(&path, "%s/%s", folder, name) >= 0)
		return path;
	error_set_memory(err);
	return NULL;
}

/* Without this, the library's message wouldn't tell which file is meant. */
static int add_authority(struct certs *certs, const char *name, struct error *err)
{
	cleanup_free char *path = path_of(certs->folder, name, err);
	size_t before = certs->authorities.len;

	if (!path || config_file_read(&certs->authorities, path, err))
		return -1;
	if (!certs->authorities.data || !strstr(certs->authorities.data + before, "-----BEGIN "))
		return error_set(err, ERROR_INVALID, "%s: it is no certificate (PEM)", path);
	return buf_append_text(&certs->authorities, "\n") ? error_set_memory(err) : 0;
}

static int add_authorities(struct certs *certs, struct error *err)
{
	char **names;
	size_t count;
	int failed = 0;

	if (config_list(&names, &count, certs->folder, ".crt", err))
		return -1;
	for (size_t i = 0; !failed && i < count; i++)
		failed = add_authority(certs, names[i], err);
	config_list_free(names, count);
	return failed;
}

/* The path of what belongs to NAME.from: NAME.to, which must be there. */
static char *find_other(const struct certs *certs, const char *name, size_t from_len,
	const char *to, const char *what, struct error *err)
{
	cleanup_free char *path = NULL;

	if (asprintf(&path, "%s/%.*s%s", certs->folder, (int)(strlen(name) - from_len), name, to) <
		0) {
		path = NULL;
		error_set_memory(err);
		return NULL;
	}
	if (access(path, F_OK) == 0)
		return steal_ptr(path);
	error_set(err, ERROR_INVALID, "%s/%s: %s is missing: %s", certs->folder, name, what, path);
	return NULL;
}

static int take_pair(struct certs *certs, const char *name, struct log *log, struct error *err)
{
	cleanup_free char *key = find_other(certs, name, strlen(".cert"), ".key", "its key", err);

	if (!key)
		return -1;
	if (certs->cert) {
		log_write(log, LOG_LEVEL_WARNING, "%s/%s isn't used, but %s is", certs->folder,
			name, certs->cert);
		return 0;
	}
	certs->cert = path_of(certs->folder, name, err);
	certs->key = steal_ptr(key);
	return certs->cert ? 0 : -1;
}

static int take_pairs(struct certs *certs, struct log *log, struct error *err)
{
	char **names;
	size_t count;
	int failed = 0;

	if (config_list(&names, &count, certs->folder, ".cert", err))
		return -1;
	for (size_t i = 0; !failed && i < count; i++)
		failed = take_pair(certs, names[i], log, err);
	config_list_free(names, count);
	return failed;
}

static int check_keys(const struct certs *certs, struct error *err)
{
	char **names;
	size_t count;
	int failed = 0;

	if (config_list(&names, &count, certs->folder, ".key", err))
		return -1;
	for (size_t i = 0; !failed && i < count; i++) {
		char *cert = find_other(
			certs, names[i], strlen(".key"), ".cert", "its certificate", err);

		failed = cert ? 0 : -1;
		free(cert);
	}
	config_list_free(names, count);
	return failed;
}

int certs_find(struct certs *out, const struct config_places *places, const char *host,
	struct log *log, struct error *err)
{
	if (config_certs_folder(&out->folder, places, host, err))
		return -1;
	if (!out->folder)
		return 0;
	if (add_authorities(out, err) || take_pairs(out, log, err))
		return -1;
	return check_keys(out, err);
}
