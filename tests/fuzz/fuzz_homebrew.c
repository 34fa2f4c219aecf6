/* Whatever a bottle says of itself, what is made of it is well-formed, and made again from what it
 * says then, it stays the same. Lines: tag, version, full name, license, file name, folder; then
 * the tab. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "document_check.h"
#include "homebrew.h"
#include "image_config.h"

#define LINES 6

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

struct input {
	const char *line[LINES];
	const char *tab;
};

static void set(struct annotations *out, const char *key, const char *value)
{
	require(annotations_set(out, key, value, NULL) == 0);
}

static bool formula_make(struct homebrew_formula *out, const struct input *input)
{
	struct annotations given = ANNOTATIONS_INIT;
	bool made;

	set(&given, "org.opencontainers.image.version", input->line[1]);
	set(&given, "org.opencontainers.image.title", input->line[2]);
	set(&given, "org.opencontainers.image.licenses", input->line[3]);
	set(&given, "org.opencontainers.image.description", input->line[3]);
	made = homebrew_formula_read(out, &given, input->line[0], NULL) == 0;
	annotations_clear(&given);
	return made;
}

static void check_formula(const struct homebrew_formula *formula, const char *tag)
{
	const char *cut =
		annotations_get(&formula->annotations, "org.opencontainers.image.licenses");
	struct homebrew_formula again;

	require(!cut || strlen(cut) <= 255);
	require(homebrew_formula_read(&again, &formula->annotations, tag, NULL) == 0);
	require(annotations_equal(&again.annotations, &formula->annotations));
	homebrew_formula_clear(&again);
}

static void check_again(const struct homebrew_entry *entry, const struct homebrew_formula *formula,
	const struct homebrew_bottle *bottle)
{
	struct homebrew_bottle published = *bottle;
	struct platform platform;
	struct homebrew_entry again;

	require(image_config_platform(&platform, entry->config, entry->config_len));
	published.descriptor = &entry->descriptor.annotations;
	published.manifest = &entry->manifest.annotations;
	published.config_platform = &platform;
	require(homebrew_entry_make(&again, formula, &published, NULL) == 0);
	require(digest_equal(&again.config_digest, &entry->config_digest));
	require(digest_equal(&again.manifest.digest, &entry->manifest.digest));
	require(strcmp(again.descriptor.json, entry->descriptor.json) == 0);
	homebrew_entry_clear(&again);
	platform_clear(&platform);
}

static void check_entry(const struct homebrew_entry *entry, const struct homebrew_formula *formula)
{
	struct document index;

	require(document_check(entry->manifest.json, entry->manifest.json_len,
			DOCUMENT_ONLY_MANIFEST, NULL) == 0);
	require(homebrew_index_make(&index, NULL, formula, &entry->descriptor, 1, NULL) == 0);
	require(document_check(index.json, index.json_len, DOCUMENT_ONLY_INDEX, NULL) == 0);
	document_clear(&index);
}

static void check_bottle(const struct homebrew_formula *formula, const struct input *input)
{
	struct annotations title = ANNOTATIONS_INIT, given = ANNOTATIONS_INIT;
	struct descriptor layer = DESCRIPTOR_INIT;
	struct platform platform = PLATFORM_INIT;
	struct homebrew_entry entry;
	struct error err = ERROR_INIT;
	struct digest digest;
	struct homebrew_bottle bottle = {
		.layers = &layer,
		.layer_count = 1,
		.diff_id = &digest,
		.descriptor = &given,
		.manifest = &given,
	};

	digest_of_bytes(&digest, "", 0);
	set(&title, ANNOTATION_TITLE, input->line[4]);
	set(&given, "sh.brew.tab", input->tab);
	require(descriptor_create(&layer, "a/b", &digest, 0, NULL) == 0);
	if (descriptor_set_annotations(&layer, &title, NULL) == 0) {
		if (platform_parse(&platform, input->line[5], NULL) == 0)
			bottle.platform = &platform;
		if (homebrew_entry_make(&entry, formula, &bottle, &err) == 0) {
			check_entry(&entry, formula);
			check_again(&entry, formula, &bottle);
			homebrew_entry_clear(&entry);
		} else {
			require(err.kind == ERROR_INVALID && *err.message);
		}
	}
	annotations_clear(&title);
	annotations_clear(&given);
	descriptor_clear(&layer);
	platform_clear(&platform);
}

/* Cuts the text, which it changes, into lines and the rest. */
static void input_read(struct input *out, char *text)
{
	for (size_t i = 0; i < LINES; i++) {
		char *end = strchr(text, '\n');

		out->line[i] = text;
		text = end ? end + 1 : text + strlen(text);
		if (end)
			*end = '\0';
	}
	out->tab = text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct homebrew_formula formula;
	struct input input;

	require(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	input_read(&input, text);
	if (formula_make(&formula, &input)) {
		check_formula(&formula, input.line[0]);
		check_bottle(&formula, &input);
		homebrew_formula_clear(&formula);
	}
	free(text);
	return 0;
}
