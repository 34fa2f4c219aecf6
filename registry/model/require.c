#include "require.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "cleanup.h"

void require_clear(struct require *require)
{
	for (size_t i = 0; i < require->count; i++)
		platform_clear(&require->items[i]);
	free(require->items);
	*require = (struct require){.items = NULL};
}

static int item_add(struct require *out, struct platform *platform, struct error *err)
{
	struct platform *items = reallocarray(out->items, out->count + 1, sizeof *items);

	if (!items)
		return error_set_memory(err);
	out->items = items;
	items[out->count++] = *platform;
	*platform = (struct platform)PLATFORM_INIT;
	return 0;
}

static int name_parse(struct platform *out, const char *name, struct error *err)
{
	*out = (struct platform)PLATFORM_INIT;
	if (strcmp(name, PLATFORM_ANY) == 0)
		return 0;
	if (platform_parse(out, name, err))
		return -1;
	if (platform_usual(out))
		return 0;
	platform_clear(out);
	return error_set(err, ERROR_INVALID, "%s: no such system and architecture are known", name);
}

/* "+win32k" after a Windows platform: the last one again, with the feature. */
static int feature_add(struct require *out, struct buf *name, const char *part, struct error *err)
{
	struct platform *last = out->count ? &out->items[out->count - 1] : NULL;
	struct platform fuller;

	if (!last || !last->os || strcmp(last->os, "windows") != 0 || strpbrk(part, "-_"))
		return -1;
	if (buf_printf(name, "+%s", part))
		return error_set_memory(err);
	if (name_parse(&fuller, name->data, err))
		return -1;
	platform_clear(last);
	*last = fuller;
	return 0;
}

static int part_add(struct require *out, struct buf *name, const char *part, struct error *err)
{
	struct platform platform;
	struct error why = ERROR_INIT;

	if (name_parse(&platform, part, &why)) {
		if (why.kind != ERROR_MEMORY && !feature_add(out, name, part, err))
			return 0;
		return error_copy(err, &why);
	}
	buf_reset(name);
	if (buf_append_text(name, part) || item_add(out, &platform, err)) {
		platform_clear(&platform);
		return error_set_memory(err);
	}
	return 0;
}

int require_parse(struct require *out, const char *text, struct error *err)
{
	cleanup_with(buf_free) struct buf name = BUF_INIT(BUF_UNBOUNDED);
	cleanup_free char *copy = strdup(text);
	char *rest = copy, *part;

	*out = (struct require){.items = NULL};
	if (!copy)
		return error_set_memory(err);
	while ((part = strsep(&rest, "+")))
		if (part_add(out, &name, part, err)) {
			require_clear(out);
			return -1;
		}
	return 0;
}

static bool same_where_said(const char *want, const char *have)
{
	return !want || (have && strcmp(want, have) == 0);
}

static bool has_features(const struct platform *want, const struct platform *have)
{
	for (size_t i = 0; i < want->os_feature_count; i++) {
		size_t k = 0;

		while (k < have->os_feature_count &&
			strcmp(want->os_features[i], have->os_features[k]) != 0)
			k++;
		if (k == have->os_feature_count)
			return false;
	}
	return true;
}

/* have is NULL where there is no platform. */
static bool is_met(const struct platform *want, const struct platform *have)
{
	if (!want->os || !have)
		return !want->os && !have;
	return strcmp(want->os, have->os) == 0 &&
	       strcmp(want->architecture, have->architecture) == 0 &&
	       same_where_said(want->variant, have->variant) &&
	       same_where_said(want->os_version, have->os_version) && has_features(want, have);
}

static bool document_has(
	const struct document *root, const struct platform *single, const struct platform *want)
{
	if (root->kind == DOCUMENT_MANIFEST)
		return is_met(want, single);
	for (size_t i = 0; i < root->count; i++) {
		const struct descriptor *entry = &root->items[i];

		if (is_met(want, entry->has_platform ? &entry->platform : NULL))
			return true;
	}
	return false;
}

int require_check(const struct require *require, const struct document *root,
	const struct platform *single, struct error *err)
{
	cleanup_with(buf_free) struct buf missing = BUF_INIT(BUF_UNBOUNDED);
	char name[FOLDER_NAME_SIZE] = PLATFORM_ANY;

	for (size_t i = 0; i < require->count; i++) {
		const struct platform *want = &require->items[i];

		if (document_has(root, single, want))
			continue;
		if (want->os)
			platform_name(name, want);
		if (buf_printf(&missing, "%s%s", missing.len ? ", " : "",
			    want->os ? name : PLATFORM_ANY))
			return error_set_memory(err);
	}
	return missing.len ? error_set(err, ERROR_INVALID,
				     "it would have no %s, which this mount requires (-o require=)",
				     missing.data)
			   : 0;
}
