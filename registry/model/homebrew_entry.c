/*
 * homebrew_entry.c - a bottle's config, manifest and descriptor.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "cleanup.h"
#include "image_config.h"
#include "media_type.h"
#include "registry/model/homebrew_parts.h"

/* Homebrew's own, where a tab doesn't say: they change with what its bottles are built on. */
#define OLDEST_CPU "core2"
#define GLIBC_VERSION "2.39"

void homebrew_entry_clear(struct homebrew_entry *entry)
{
	free(entry->config);
	document_clear(&entry->manifest);
	descriptor_clear(&entry->descriptor);
	*entry = (struct homebrew_entry)HOMEBREW_ENTRY_INIT;
}

/* What is known of the bottle while its entry is made. */
struct making {
	const struct homebrew_formula *formula;
	const struct homebrew_bottle *bottle;
	const struct descriptor *layer;
	const char *file;
	struct bottle_tag tag;
	struct bottle_tab tab;
	struct platform platform; /* that it was built on */
	struct annotations descriptor; /* the annotations of the entry */
};

static void making_clear(struct making *making)
{
	bottle_tab_clear(&making->tab);
	platform_clear(&making->platform);
	annotations_clear(&making->descriptor);
}

static int file_find(struct making *making, struct error *err)
{
	const struct homebrew_bottle *bottle = making->bottle;

	if (bottle->layer_count != 1)
		return error_set(err, ERROR_INVALID,
			"Homebrew has one bottle for each platform, here are %zu files",
			bottle->layer_count);
	making->layer = &bottle->layers[0];
	making->file = annotations_get(&making->layer->annotations, ANNOTATION_TITLE);
	if (!making->file)
		return error_set(err, ERROR_INVALID, "the bottle has no name");
	return bottle_tag_find(&making->tag, making->file, making->formula, err);
}

static int tab_find(struct making *making, struct error *err)
{
	const char *tab = annotations_get(making->bottle->descriptor, KEY_TAB);

	if (!tab || homebrew_blank(tab))
		return error_set(err, ERROR_INVALID,
			"annotations.json: $descriptor has no " KEY_TAB ", without which brew "
			"can't install the bottle: the \"tab\" of its `brew bottle --json`");
	return bottle_tab_read(&making->tab, tab, making->tag.all, err);
}

/* The folder's name and what the bottle says must be one thing. */
static int folder_check(const struct making *making, struct error *err)
{
	const struct platform *folder = making->bottle->platform;
	char name[FOLDER_NAME_SIZE] = PLATFORM_ANY;

	if (making->tag.all ? !folder : folder && platform_equal(folder, &making->platform))
		return 0;
	if (!making->tag.all && !platform_name(name, &making->platform))
		return error_set(err, ERROR_INVALID,
			"the platform that " KEY_TAB " says has no folder name");
	return error_set(err, ERROR_INVALID,
		"by its name and " KEY_TAB " this bottle belongs in the folder \"%s\"", name);
}

static int bottle_read(struct making *making, struct error *err)
{
	if (file_find(making, err) || tab_find(making, err) ||
		bottle_platform(&making->platform, &making->tag, &making->tab,
			making->bottle->config_platform, err))
		return -1;
	return folder_check(making, err);
}

/* VERSION.TAG[.REBUILD] */
static int ref_name_set(struct making *making, struct error *err)
{
	cleanup_with(buf_free) struct buf name = BUF_INIT(65536);
	const struct homebrew_formula *formula = making->formula;

	if (buf_printf(&name, "%s.%s%s%s", formula->version, making->tag.text,
		    formula->rebuild ? "." : "", formula->rebuild ? formula->rebuild : ""))
		return error_set_memory(err);
	return annotations_set(&making->descriptor, ANNOTATION_REF_NAME, name.data, err);
}

/* What the tab says, else what was given, else (on Linux) Homebrew's own value. */
static const char *built_on(
	const struct making *making, const char *told, const char *key, const char *usual)
{
	const char *given = annotations_get(making->bottle->descriptor, key);

	if (told)
		return told;
	if (given || strcmp(making->platform.os, "linux") != 0)
		return given;
	return usual;
}

static const char *const descriptor_keys[] = {
	ANNOTATION_REF_NAME,
	BREW_KEY("bottle.cpu.variant"),
	BREW_KEY("bottle.digest"),
	BREW_KEY("bottle.glibc.version"),
	BREW_KEY("bottle.size"),
	BREW_KEY("bottle.installed_size"),
	BREW_KEY("license"),
	KEY_TAB,
	BREW_KEY("sbom.supplement"),
	BREW_KEY("path_exec_files"),
};

static bool descriptor_key_known(const char *key)
{
	for (size_t i = 0; i < sizeof(descriptor_keys) / sizeof(*descriptor_keys); i++)
		if (strcmp(descriptor_keys[i], key) == 0)
			return true;
	return false;
}

/* The value that a key of the descriptor gets; NULL for none. size: the bottle's, as text. */
static const char *descriptor_value(const struct making *making, const char *key, const char *size)
{
	const struct bottle_tab *tab = &making->tab;
	bool on_linux = strcmp(making->platform.os, "linux") == 0;
	const char *given = annotations_get(making->bottle->descriptor, key);

	if (strcmp(key, BREW_KEY("bottle.cpu.variant")) == 0)
		return built_on(making, on_linux ? tab->cpu_family : NULL, key, OLDEST_CPU);
	if (strcmp(key, BREW_KEY("bottle.glibc.version")) == 0)
		return built_on(making, on_linux ? tab->glibc_version : NULL, key, GLIBC_VERSION);
	if (strcmp(key, BREW_KEY("bottle.digest")) == 0)
		return digest_encoded(&making->layer->digest);
	if (strcmp(key, BREW_KEY("bottle.size")) == 0)
		return size;
	if (strcmp(key, BREW_KEY("license")) == 0)
		return given ? given : making->formula->license;
	return strcmp(key, KEY_TAB) == 0 ? tab->text : given;
}

static int descriptor_annotations(struct making *making, struct error *err)
{
	char size[24];

	snprintf(size, sizeof(size), "%" PRId64, making->layer->size);
	if (ref_name_set(making, err))
		return -1;
	for (size_t i = 1; i < sizeof(descriptor_keys) / sizeof(*descriptor_keys); i++)
		if (homebrew_set(&making->descriptor, descriptor_keys[i],
			    descriptor_value(making, descriptor_keys[i], size), err))
			return -1;
	return homebrew_set_others(
		&making->descriptor, making->bottle->descriptor, descriptor_key_known, err);
}

/* Homebrew's own keys, all of which it derives in a manifest. */
static bool manifest_key_known(const char *key)
{
	return strcmp(key, KEY_PACKAGE_TYPE) == 0 ||
	       strncmp(key, OCI_KEY(""), strlen(OCI_KEY(""))) == 0 ||
	       strncmp(key, BREW_KEY(""), strlen(BREW_KEY(""))) == 0;
}

static int annotation_compare(const void *a, const void *b)
{
	return strcmp(((const struct annotation *)a)->key, ((const struct annotation *)b)->key);
}

/* Full name of the formula, ref.name of the entry. */
static int title_set(struct annotations *out, const struct making *making, struct error *err)
{
	cleanup_with(buf_free) struct buf title = BUF_INIT((size_t)4 << 20);

	if (buf_printf(&title, "%s %s",
		    annotations_get(&making->formula->annotations, ANNOTATION_TITLE),
		    annotations_get(&making->descriptor, ANNOTATION_REF_NAME)))
		return error_set_memory(err);
	return annotations_set(out, ANNOTATION_TITLE, title.data, err);
}

/* Those of the formula and of the entry, sorted; the title is the bottle's, and the time may be. */
static int manifest_annotations(
	struct annotations *out, const struct making *making, struct error *err)
{
	const struct annotations *given = making->bottle->manifest;

	if (annotations_copy(out, &making->formula->annotations, err))
		return -1;
	for (size_t i = 0; i < making->descriptor.count; i++)
		if (annotations_set(out, making->descriptor.items[i].key,
			    making->descriptor.items[i].value, err))
			return -1;
	if (homebrew_set(
		    out, ANNOTATION_CREATED, annotations_get(given, ANNOTATION_CREATED), err) ||
		title_set(out, making, err) ||
		homebrew_set_others(out, given, manifest_key_known, err))
		return -1;
	qsort(out->items, out->count, sizeof(*out->items), annotation_compare);
	return 0;
}

static int config_make(struct homebrew_entry *out, const struct making *making, struct error *err)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(DOCUMENT_SIZE_MAX);

	if (image_config_create(
		    &text, &making->platform, making->bottle->diff_id, 1, DOCUMENT_PRETTY, err))
		return -1;
	digest_of_bytes(&out->config_digest, text.data, text.len);
	if (!digest_is_set(&out->config_digest))
		return error_set_memory(err);
	out->config_len = text.len;
	out->config = buf_steal(&text);
	return out->config ? 0 : error_set_memory(err);
}

int homebrew_manifest_make(struct document *out, const struct descriptor *config,
	const struct descriptor *layer, const struct annotations *annotations, struct error *err)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(DOCUMENT_SIZE_MAX);

	/* Without a mediaType of its own, unlike what document_create() makes. */
	*out = (struct document)DOCUMENT_INIT;
	if (buf_printf(&text,
		    "{\n  \"schemaVersion\": 2,\n  \"config\": {\n    \"mediaType\": \"%s\",\n"
		    "    \"digest\": \"%s\",\n    \"size\": %" PRId64 "\n  },\n  \"layers\": []\n}",
		    MEDIA_TYPE_IMAGE_CONFIG, config->digest.text, config->size))
		return error_set_memory(err);
	if (document_parse(out, NULL, text.data, text.len, err) == 0 &&
		document_set_items(out, layer, 1, err) == 0 &&
		document_set_annotations(out, annotations, err) == 0)
		return 0;
	document_clear(out);
	return -1;
}

static int manifest_make(struct homebrew_entry *out, const struct making *making, struct error *err)
{
	cleanup_with(annotations_clear) struct annotations annotations = ANNOTATIONS_INIT;
	cleanup_with(descriptor_clear) struct descriptor config = DESCRIPTOR_INIT;

	if (manifest_annotations(&annotations, making, err) ||
		descriptor_create(&config, MEDIA_TYPE_IMAGE_CONFIG, &out->config_digest,
			(int64_t)out->config_len, err))
		return -1;
	return homebrew_manifest_make(&out->manifest, &config, making->layer, &annotations, err);
}

static int descriptor_make(
	struct homebrew_entry *out, const struct making *making, struct error *err)
{
	const struct document *manifest = &out->manifest;

	if (descriptor_create(&out->descriptor, MEDIA_TYPE_MANIFEST, &manifest->digest,
		    (int64_t)manifest->json_len, err))
		return -1;
	if (!making->tag.all && descriptor_set_platform(&out->descriptor, &making->platform, err))
		return -1;
	return descriptor_set_annotations(&out->descriptor, &making->descriptor, err);
}

int homebrew_entry_make(struct homebrew_entry *out, const struct homebrew_formula *formula,
	const struct homebrew_bottle *bottle, struct error *err)
{
	cleanup_with(making_clear) struct making making = {.formula = formula, .bottle = bottle};

	*out = (struct homebrew_entry)HOMEBREW_ENTRY_INIT;
	if (bottle_read(&making, err) == 0 && descriptor_annotations(&making, err) == 0 &&
		config_make(out, &making, err) == 0 && manifest_make(out, &making, err) == 0 &&
		descriptor_make(out, &making, err) == 0)
		return 0;
	homebrew_entry_clear(out);
	return -1;
}
