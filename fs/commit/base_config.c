#include "fs/commit/base_config.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cleanup.h"
#include "fs/cache/cache.h"
#include "image_config.h"

void base_config_clear(struct base_config *config)
{
	free(config->json);
	platform_clear(&config->platform);
	free(config->diff_ids);
	*config = (struct base_config)BASE_CONFIG_INIT;
}

int config_read(char **out, size_t *len, struct tree *tree, const struct descriptor *config,
	struct cancel *cancel, struct error *err)
{
	cleanup_free char *bytes = NULL;
	cleanup_close int fd = -1;
	struct blob *blob;

	if (config->size > (int64_t)DOCUMENT_SIZE_MAX)
		return error_set(err, ERROR_TOO_LARGE, "it has more than 4 MiB");
	*len = (size_t)config->size;
	bytes = malloc(*len + 1);
	if (!bytes)
		return error_set_memory(err);
	blob = cache_blob(tree->cache, &config->digest, config->size, err);
	if (!blob)
		return -1;
	fd = blob_fetch(blob, cancel, err);
	blob_put_back(blob);
	if (fd < 0)
		return -1;
	if (pread(fd, bytes, *len, 0) != (ssize_t)*len)
		return error_set_errno(err, EIO, "it can't be read from the cache");
	bytes[*len] = '\0';
	*out = steal_ptr(bytes);
	return 0;
}

/* What no other try will mend. */
static bool is_for_good(const struct error *err)
{
	return err->kind == ERROR_NOT_FOUND || err->kind == ERROR_CORRUPT ||
	       err->kind == ERROR_TOO_LARGE;
}

int config_judge(
	struct tree *tree, const struct descriptor *config, struct error *why, struct error *err)
{
	error_prefix(why, "the image config %s", config->digest.text);
	if (!is_for_good(why))
		return error_copy(err, why);
	log_write(tree->log, LOG_LEVEL_WARNING, "left as it is: %s", why->message);
	return 0;
}

static bool read_staged(
	char **out, size_t *len, const struct plan_config *made, const struct descriptor *config)
{
	if (!made->staged || !digest_equal(&made->digest, &config->digest) ||
		made->size > (int64_t)DOCUMENT_SIZE_MAX)
		return false;
	*len = (size_t)made->size;
	*out = calloc(1, *len + 1);
	if (*out && pread(staged_fd(made->staged), *out, *len, 0) == made->size)
		return true;
	free(steal_ptr(*out));
	return false;
}

bool config_read_planned(
	char **out, size_t *len, const struct plan *plan, const struct descriptor *config)
{
	for (size_t i = 0; plan && i < plan->folder_count; i++)
		if (read_staged(out, len, &plan->folders[i].config, config) ||
			read_staged(out, len, &plan->folders[i].written, config))
			return true;
	return false;
}

static int take(struct base_config *out, const struct plan *plan, const struct descriptor *config,
	struct cancel *cancel, struct error *err)
{
	if (!config_read_planned(&out->json, &out->len, plan, config) &&
		config_read(&out->json, &out->len, plan->tree, config, cancel, err))
		return -1;
	if (image_config_diff_ids(&out->diff_ids, &out->count, out->json, out->len, err))
		return -1;
	/* "{}" under the type of an image config is a placeholder */
	if (!image_config_platform(&out->platform, out->json, out->len) && !out->count)
		base_config_clear(out);
	return 0;
}

int base_config_read(struct base_config *out, const struct plan *plan,
	const struct document *manifest, struct cancel *cancel, struct error *err)
{
	struct error why = ERROR_INIT;

	if (!manifest || !manifest->has_config ||
		!media_type_is_image_config(manifest->config.media_type))
		return 0;
	if (take(out, plan, &manifest->config, cancel, &why) == 0)
		return 0;
	base_config_clear(out);
	return config_judge(plan->tree, &manifest->config, &why, err);
}
