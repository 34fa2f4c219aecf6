#include "merge_text.h"

#include <check.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "cleanup.h"
#include "json_value.h"
#include "media_type.h"

#define WORD_SIZE 128

/* The words of a text, in turn. */
struct words {
	const char *at;
	char word[WORD_SIZE];
};

static bool word_next(struct words *words)
{
	size_t len;

	words->at += strspn(words->at, " ");
	len = strcspn(words->at, " ");
	ck_assert_uint_lt(len, WORD_SIZE);
	memcpy(words->word, words->at, len);
	words->word[len] = '\0';
	words->at += len;
	return len > 0;
}

/* What stands after before, or NULL where the word doesn't begin so. */
static char *after(char *word, const char *before)
{
	size_t len = strlen(before);

	return strncmp(word, before, len) == 0 ? word + len : NULL;
}

/* Cuts "a=b" in two and gives the second. */
static char *value_cut(char *word)
{
	char *value = strchr(word, '=');

	ck_assert_msg(value != NULL, "\"%s\" has no \"=\"", word);
	*value = '\0';
	return value + 1;
}

/* Members of an object while they are collected: each with a comma before it. */
struct members {
	struct buf text, notes;
};

#define MEMBERS_INIT                                                                               \
	{                                                                                          \
		.text = BUF_INIT(BUF_UNBOUNDED), .notes = BUF_INIT(BUF_UNBOUNDED)                  \
	}

static void members_clear(struct members *members)
{
	buf_free(&members->text);
	buf_free(&members->notes);
}

static void note_add(struct members *members, const char *key, const char *value)
{
	buf_printf(&members->notes, "%s\"%s\":\"%s\"", members->notes.len ? "," : "", key, value);
}

static void members_write(struct buf *out, const struct members *members)
{
	if (members->text.len)
		buf_append(out, members->text.data, members->text.len);
	if (members->notes.len)
		buf_printf(out, ",\"annotations\":{%s}", members->notes.data);
}

/* {mediaType, digest, size of a content of text}; a digest is of the text, so that it's known. */
static void descriptor_write(
	struct buf *out, const char *type, const char *content, const struct members *members)
{
	struct digest digest;

	digest_of_bytes(&digest, content, strlen(content));
	buf_printf(out, "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu,\"data\":\"%s\"",
		type, digest.text, strlen(content), content);
	if (members)
		members_write(out, members);
	buf_append_text(out, "}");
}

/* A manifest with its entry while its words are read. */
struct entry_reader {
	struct buf layers;
	struct members layer, config, manifest, descriptor;
	char layer_content[WORD_SIZE], config_content[WORD_SIZE];
	bool has_layer, image;
};

static void layer_end(struct entry_reader *entry)
{
	if (!entry->has_layer)
		return;
	if (entry->layers.len)
		buf_append_text(&entry->layers, ",");
	descriptor_write(&entry->layers, MEDIA_TYPE_OCTETS, entry->layer_content, &entry->layer);
	members_clear(&entry->layer);
	entry->layer = (struct members)MEMBERS_INIT;
	entry->has_layer = false;
}

static void layer_begin(struct entry_reader *entry, const char *title, const char *content)
{
	layer_end(entry);
	entry->has_layer = true;
	strcpy(entry->layer_content, content);
	if (*title)
		note_add(&entry->layer, ANNOTATION_TITLE, title);
}

/* $NAME=VALUE, $PART@KEY=VALUE and $image. */
static void entry_option(struct entry_reader *entry, char *word)
{
	static const struct {
		const char *before;
		size_t part;
	} parts[] = {
		{"$m@", offsetof(struct entry_reader, manifest)},
		{"$c@", offsetof(struct entry_reader, config)},
		{"$d@", offsetof(struct entry_reader, descriptor)},
	};
	char *value;

	if (strcmp(word, "$image") == 0) {
		entry->image = true;
		return;
	}
	value = value_cut(word);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (after(word, parts[i].before))
			return note_add((void *)((char *)entry + parts[i].part),
				after(word, parts[i].before), value);
	if (strcmp(word, "$config") == 0)
		strcpy(entry->config_content, value);
	else if (strcmp(word, "$type") == 0)
		buf_printf(&entry->manifest.text, ",\"artifactType\":\"%s\"", value);
	else if (strcmp(word, "$x") == 0)
		buf_printf(&entry->manifest.text, ",\"x\":{\"v\":\"%s\"}", value);
	else if (strcmp(word, "$dx") == 0)
		buf_printf(&entry->descriptor.text, ",\"x\":\"%s\"", value);
	else if (strcmp(word, "$subject") == 0) {
		buf_append_text(&entry->manifest.text, ",\"subject\":");
		descriptor_write(&entry->manifest.text, MEDIA_TYPE_MANIFEST, value, NULL);
	} else
		ck_abort_msg("\"%s\"", word);
}

static void entry_word(struct entry_reader *entry, char *word)
{
	char *annotation = strchr(word, '@');

	if (*word == '$')
		return entry_option(entry, word);
	if (*word == '\'')
		word++;
	if (annotation)
		note_add(&entry->layer, annotation + 1, value_cut(annotation));
	else if (*word == ':')
		layer_begin(entry, "", word + 1);
	else
		layer_begin(entry, word, value_cut(word));
}

static void entry_read(struct entry_reader *entry, struct words *words)
{
	*entry = (struct entry_reader){.layers = BUF_INIT(BUF_UNBOUNDED),
		.layer = MEMBERS_INIT,
		.config = MEMBERS_INIT,
		.manifest = MEMBERS_INIT,
		.descriptor = MEMBERS_INIT,
		.config_content = EMPTY_JSON};
	while (word_next(words) && strcmp(words->word, "}") != 0)
		entry_word(entry, words->word);
	layer_end(entry);
}

static void entry_clear(struct entry_reader *entry)
{
	buf_free(&entry->layers);
	members_clear(&entry->layer);
	members_clear(&entry->config);
	members_clear(&entry->manifest);
	members_clear(&entry->descriptor);
}

static void parse(struct document *out, const struct buf *text)
{
	struct error err = ERROR_INIT;

	ck_assert_msg(document_parse(out, NULL, text->data, text->len, &err) == 0, "%s: %s",
		text->data, err.message);
}

static void entry_manifest(struct document *out, const struct entry_reader *entry)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(BUF_UNBOUNDED);

	buf_append_text(&text,
		"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_MANIFEST "\",\"config\":");
	descriptor_write(&text, entry->image ? MEDIA_TYPE_IMAGE_CONFIG : MEDIA_TYPE_EMPTY,
		entry->config_content, &entry->config);
	buf_printf(&text, ",\"layers\":[%s]", entry->layers.len ? entry->layers.data : "");
	members_write(&text, &entry->manifest);
	buf_append_text(&text, "}");
	parse(out, &text);
}

static const struct document *store_find(
	const struct document *items, size_t count, const struct digest *digest)
{
	for (size_t i = 0; i < count; i++)
		if (digest_equal(&items[i].digest, digest))
			return &items[i];
	return NULL;
}

static void store_add(struct merge_store *store, const struct document *manifest)
{
	store->items = realloc(store->items, (store->count + 1) * sizeof(*store->items));
	ck_assert_ptr_nonnull(store->items);
	ck_assert_int_eq(document_copy(&store->items[store->count++], manifest, NULL), 0);
}

void merge_store_clear(struct merge_store *store)
{
	for (size_t i = 0; i < store->count; i++)
		document_clear(&store->items[i]);
	free(store->items);
	for (size_t i = 0; i < store->content_count; i++)
		free(store->contents[i]);
	free(store->contents);
	*store = (struct merge_store){.items = NULL};
}

void merge_store_know(struct merge_store *store, const char *content)
{
	store->contents =
		realloc(store->contents, (store->content_count + 1) * sizeof(*store->contents));
	ck_assert_ptr_nonnull(store->contents);
	store->contents[store->content_count++] = strdup(content);
}

const char *merge_store_content(const struct merge_store *store, const struct digest *digest)
{
	for (size_t i = 0; i < store->content_count; i++) {
		struct digest known;

		digest_of_bytes(&known, store->contents[i], strlen(store->contents[i]));
		if (digest_equal(&known, digest))
			return store->contents[i];
	}
	return "?";
}

int merge_store_get(
	void *context, struct document *out, const struct descriptor *entry, struct error *err)
{
	struct merge_store *store = context;
	const struct document *found = store_find(store->items, store->count, &entry->digest);

	store->calls++;
	if (!found)
		return error_set(err, ERROR_NOT_FOUND, "no manifest %s", entry->digest.text);
	return document_copy(out, found, err);
}

static void platform_write(struct buf *out, const char *name)
{
	struct error err = ERROR_INIT;
	struct platform platform;

	if (strcmp(name, PLATFORM_ANY) == 0)
		return;
	ck_assert_msg(platform_parse(&platform, name, &err) == 0, "%s", err.message);
	buf_printf(out, ",\"platform\":{\"architecture\":\"%s\",\"os\":\"%s\"",
		platform.architecture, platform.os);
	if (platform.variant)
		buf_printf(out, ",\"variant\":\"%s\"", platform.variant);
	if (platform.os_version)
		buf_printf(out, ",\"os.version\":\"%s\"", platform.os_version);
	buf_append_text(out, "}");
	platform_clear(&platform);
}

static void index_entry(
	struct buf *out, const char *name, struct words *words, struct merge_store *store)
{
	struct entry_reader entry;
	struct document manifest;

	entry_read(&entry, words);
	entry_manifest(&manifest, &entry);
	store_add(store, &manifest);
	buf_printf(out, "%s{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu",
		out->len ? "," : "", manifest.media_type, manifest.digest.text, manifest.json_len);
	if (manifest.artifact_type)
		buf_printf(out, ",\"artifactType\":\"%s\"", manifest.artifact_type);
	platform_write(out, name);
	members_write(out, &entry.descriptor);
	buf_append_text(out, "}");
	document_clear(&manifest);
	entry_clear(&entry);
}

static void index_word(struct buf *entries, struct members *members, struct words *words,
	struct merge_store *store)
{
	char *word = words->word;
	size_t len = strlen(word);
	char *value;

	if (len > 0 && word[len - 1] == '{') {
		char name[WORD_SIZE];

		snprintf(name, sizeof(name), "%.*s", (int)len - 1, word);
		return index_entry(entries, name, words, store);
	}
	value = value_cut(word);
	if (*word == '@')
		note_add(members, word + 1, value);
	else if (strcmp(word, "$type") == 0)
		buf_printf(&members->text, ",\"artifactType\":\"%s\"", value);
	else if (strcmp(word, "$x") == 0)
		buf_printf(&members->text, ",\"x\":[\"%s\"]", value);
	else if (strcmp(word, "nested") == 0) {
		buf_append_text(entries, entries->len ? "," : "");
		descriptor_write(entries, MEDIA_TYPE_INDEX, value, NULL);
	} else
		ck_abort_msg("\"%s\"", word);
}

static void index_parse(struct document *out, struct merge_store *store, struct words *words)
{
	cleanup_with(buf_free) struct buf entries = BUF_INIT(BUF_UNBOUNDED);
	cleanup_with(buf_free) struct buf text = BUF_INIT(BUF_UNBOUNDED);
	cleanup_with(members_clear) struct members members = MEMBERS_INIT;

	while (word_next(words))
		index_word(&entries, &members, words, store);
	buf_printf(&text,
		"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_INDEX "\",\"manifests\":[%s]",
		entries.len ? entries.data : "");
	members_write(&text, &members);
	buf_append_text(&text, "}");
	parse(out, &text);
}

void merge_text_parse(struct merge_text_tag *out, struct merge_store *store, const char *text)
{
	struct words words = {.at = text};
	struct entry_reader entry;

	*out = (struct merge_text_tag){.exists = strcmp(text, "-") != 0, .root = DOCUMENT_INIT};
	if (!out->exists)
		return;
	if (!after((char *)text, "{ "))
		return index_parse(&out->root, store, &words);
	word_next(&words);
	entry_read(&entry, &words);
	entry_manifest(&out->root, &entry);
	store_add(store, &out->root);
	entry_clear(&entry);
}

void merge_text_clear(struct merge_text_tag *tag)
{
	document_clear(&tag->root);
}

const struct document *merge_text_root(const struct merge_text_tag *tag)
{
	return tag->exists ? &tag->root : NULL;
}

/* The string that the member "data" or "x" of a descriptor or document is, or holds. */
static bool member_find(char out[static WORD_SIZE], const char *json, const char *name)
{
	cleanup_with(json_value_freep) struct json_value *tree =
		json_value_parse(json, strlen(json), NULL);
	const struct json_value *member = json_value_member(tree, name);
	const char *text = json_value_text(member);

	if (!text)
		text = json_value_text(json_value_first(member));
	if (!text)
		text = json_value_text(json_value_member(member, "v"));
	if (text)
		snprintf(out, WORD_SIZE, "%s", text);
	return text != NULL;
}

static void notes_format(
	struct buf *out, const struct annotations *notes, const char *part, bool is_layer)
{
	for (size_t i = 0; i < notes->count; i++)
		if (!is_layer || strcmp(notes->items[i].key, ANNOTATION_TITLE) != 0)
			buf_printf(
				out, "%s@%s=%s ", part, notes->items[i].key, notes->items[i].value);
}

static void layer_format(
	struct buf *out, const struct descriptor *layer, const struct merge_store *store)
{
	const char *title = annotations_get(&layer->annotations, ANNOTATION_TITLE);
	char content[WORD_SIZE];

	if (!member_find(content, layer->json, "data"))
		snprintf(content, WORD_SIZE, "%s", merge_store_content(store, &layer->digest));
	if (title)
		buf_printf(out, "%s%s=%s ", *title == '$' ? "'" : "", title, content);
	else
		buf_printf(out, ":%s ", content);
	notes_format(out, &layer->annotations, "", true);
}

static void manifest_format(
	struct buf *out, const struct document *manifest, const struct merge_store *store)
{
	char value[WORD_SIZE];

	for (size_t i = 0; i < manifest->count; i++)
		layer_format(out, &manifest->items[i], store);
	if (strcmp(manifest->config.media_type, MEDIA_TYPE_IMAGE_CONFIG) == 0)
		buf_append_text(out, "$image ");
	if (member_find(value, manifest->config.json, "data") && strcmp(value, EMPTY_JSON) != 0)
		buf_printf(out, "$config=%s ", value);
	if (manifest->artifact_type)
		buf_printf(out, "$type=%s ", manifest->artifact_type);
	if (manifest->has_subject && member_find(value, manifest->subject.json, "data"))
		buf_printf(out, "$subject=%s ", value);
	if (member_find(value, manifest->json, "x"))
		buf_printf(out, "$x=%s ", value);
	notes_format(out, &manifest->annotations, "$m", false);
	notes_format(out, &manifest->config.annotations, "$c", false);
}

static void entry_format(struct buf *out, const struct descriptor *entry,
	const struct document *manifest, const struct merge_store *store)
{
	char name[FOLDER_NAME_SIZE] = PLATFORM_ANY, value[WORD_SIZE];

	ck_assert_ptr_nonnull(manifest);
	ck_assert_str_eq(entry->media_type, manifest->media_type);
	ck_assert_int_eq(entry->size, (int64_t)manifest->json_len);
	ck_assert_str_eq(entry->artifact_type ? entry->artifact_type : "",
		manifest->artifact_type ? manifest->artifact_type : "");
	if (entry->has_platform)
		ck_assert(platform_name(name, &entry->platform));
	buf_printf(out, "%s{ ", name);
	manifest_format(out, manifest, store);
	if (member_find(value, entry->json, "x"))
		buf_printf(out, "$dx=%s ", value);
	notes_format(out, &entry->annotations, "$d", false);
	buf_append_text(out, "} ");
}

static void index_format(struct buf *out, const struct document *root, struct merge_store *store,
	const struct document *more, size_t more_count)
{
	char value[WORD_SIZE];

	for (size_t i = 0; i < root->count; i++) {
		const struct descriptor *entry = &root->items[i];
		const struct document *manifest =
			store_find(store->items, store->count, &entry->digest);

		if (media_type_is_index(entry->media_type)) {
			ck_assert(member_find(value, entry->json, "data"));
			buf_printf(out, "nested=%s ", value);
			continue;
		}
		if (!manifest)
			manifest = store_find(more, more_count, &entry->digest);
		entry_format(out, entry, manifest, store);
	}
	if (root->artifact_type)
		buf_printf(out, "$type=%s ", root->artifact_type);
	if (member_find(value, root->json, "x"))
		buf_printf(out, "$x=%s ", value);
	notes_format(out, &root->annotations, "", false);
}

char *merge_text_format(const struct document *root, struct merge_store *store,
	const struct document *more, size_t more_count)
{
	struct buf text = BUF_INIT(BUF_UNBOUNDED);

	if (!root->json)
		return strdup("-");
	if (root->kind == DOCUMENT_MANIFEST) {
		buf_append_text(&text, "{ ");
		manifest_format(&text, root, store);
		buf_append_text(&text, "} ");
	} else {
		index_format(&text, root, store, more, more_count);
	}
	if (text.len)
		text.data[text.len - 1] = '\0';
	return text.len ? buf_steal(&text) : strdup("");
}
