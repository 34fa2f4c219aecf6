#include "fs/tree/given_kind.h"

#include <string.h>
#include <strings.h>

#include "cleanup.h"
#include "fs/tree/config_check.h"
#include "fs/tree/folder.h"
#include "fs/tree/give.h"
#include "fs/tree/history.h"
#include "fs/tree/tag.h"
#include "media_type.h"

const struct document *given_document_of(const struct node *owner)
{
	const struct node *single = owner->kind == NODE_TAG ? tag_single(owner) : owner;

	if (single)
		return single->folder->manifest;
	return version_exists(&owner->tag->base) ? &owner->tag->base.root : NULL;
}

static const char *text_artifact_type(const struct node *owner)
{
	const struct document *document = given_document_of(owner);

	return document ? document->artifact_type : NULL;
}

static const char *text_manifest(const struct node *owner)
{
	const struct document *document = given_document_of(owner);

	return document ? document->json : NULL;
}

/* What the registry has, as long as nothing was given. */
static const char *text_index(const struct node *owner)
{
	const struct node *single = tag_single(owner);
	const struct version *now = tag_now(owner->tag);

	if (owner->tag->given || (single && single->folder->given))
		return text_manifest(owner);
	return version_exists(now) ? now->root.json : NULL;
}

static const char *text_subject(const struct node *owner)
{
	const struct document *document = given_document_of(owner);

	return document && document->has_subject ? document->subject.digest.text : NULL;
}

static const char *text_descriptor(const struct node *owner)
{
	const struct folder *folder = owner->folder;

	if (folder->has_given_entry)
		return folder->given_entry.json;
	return folder->has_entry ? folder->entry.json : NULL;
}

/* A copy of what the owner stands on, to be changed; a new one where it has none yet. */
static int copy_document(
	struct document *out, const struct tree *tree, const struct node *owner, struct error *err)
{
	const struct document *document = given_document_of(owner);

	if (document)
		return document_copy(out, document, err);
	if (owner->kind == NODE_TAG)
		return document_create(out, DOCUMENT_INDEX, NULL, tree->options.style, err);
	return document_create(
		out, DOCUMENT_MANIFEST, tree->options.artifact_type, tree->options.style, err);
}

/* Gives a document of which a part was changed. */
static int give_part(struct tree *tree, struct node *owner, const struct given *given,
	struct document *document, struct error *err)
{
	const struct gift gift = {.name = given->kind->name};

	return give_document(tree, owner, document, &gift, err);
}

static bool has_empty_config(const struct document *document)
{
	return document->has_config && !strcasecmp(document->config.media_type, MEDIA_TYPE_EMPTY);
}

/* manifest.md, "artifactType": it must be there where the config is the empty one. */
static int check_artifact_type(const struct document *document, const char *type, struct error *err)
{
	if (!type && has_empty_config(document))
		return error_set(err, ERROR_INVALID,
			"it is empty, and a manifest with the empty config must have an "
			"artifactType");
	if (type && !media_type_valid(type))
		return error_set(err, ERROR_INVALID,
			"line 1, column 1: \"%.128s\" is not a media type", type);
	return 0;
}

static int take_artifact_type(struct tree *tree, struct node *owner, const char *text, size_t len,
	const struct given *given, struct error *err)
{
	cleanup_with(document_clear) struct document document = DOCUMENT_INIT;
	const char *type = len ? text : NULL;

	if (copy_document(&document, tree, owner, err) ||
		check_artifact_type(&document, type, err) ||
		document_set_artifact_type(&document, type, err))
		return -1;
	return give_part(tree, owner, given, &document, err);
}

static int take_subject(struct tree *tree, struct node *owner, const char *text, size_t len,
	const struct given *given, struct error *err)
{
	cleanup_with(document_clear) struct document document = DOCUMENT_INIT;

	(void)text;
	(void)len;
	if (copy_document(&document, tree, owner, err) ||
		document_set_subject(&document, given->has_subject ? &given->subject : NULL, err))
		return -1;
	return give_part(tree, owner, given, &document, err);
}

static int remove_line(
	struct tree *tree, struct node *owner, const struct given *given, struct error *err)
{
	return given->kind->take(tree, owner, "", 0, given, err);
}

/* Where there must be one it stays, and is shown again: only a draft is given up. */
static int remove_artifact_type(
	struct tree *tree, struct node *owner, const struct given *given, struct error *err)
{
	return has_empty_config(given_document_of(owner)) ? 0
							  : remove_line(tree, owner, given, err);
}

/* A tag that is a single manifest may go on to be one, or become an index. */
enum document_expected given_expected_of(const struct node *owner)
{
	if (owner->kind != NODE_TAG)
		return DOCUMENT_ONLY_MANIFEST;
	return tag_single(owner) ? DOCUMENT_EITHER : DOCUMENT_ONLY_INDEX;
}

static int take_whole(struct tree *tree, struct node *owner, const char *text, size_t len,
	const struct given *given, struct error *err)
{
	cleanup_with(document_clear) struct document document = DOCUMENT_INIT;
	const struct gift gift = {.name = given->kind->name,
		.seals = &given->seals,
		.manifests = &given->manifests,
		.whole = true};

	if (document_parse(&document, NULL, text, len, err))
		return -1;
	return give_document(tree, owner, &document, &gift, err);
}

static int take_descriptor(struct tree *tree, struct node *owner, const char *text, size_t len,
	const struct given *given, struct error *err)
{
	cleanup_with(descriptor_clear) struct descriptor entry = DESCRIPTOR_INIT;

	(void)given;
	if (descriptor_parse(&entry, text, len, err))
		return -1;
	return give_entry(tree, owner, &entry, err);
}

/* The config's content, of which the text isn't at hand. */
static const char *text_config(const struct node *owner)
{
	const struct document *document = given_document_of(owner);

	return document && document->has_config ? "" : NULL;
}

static int take_config(struct tree *tree, struct node *owner, const char *text, size_t len,
	const struct given *given, struct error *err)
{
	cleanup_with(document_clear) struct document document = DOCUMENT_INIT;
	cleanup_with(descriptor_clear) struct descriptor config = DESCRIPTOR_INIT;

	if (copy_document(&document, tree, owner, err) || config_check(&document, text, len, err) ||
		descriptor_copy(&config, &document.config, err) ||
		descriptor_set_content(
			&config, config.media_type, &given->digest, given->size, err) ||
		document_set_config(&document, &config, err))
		return -1;
	return give_part(tree, owner, given, &document, err);
}

/* The manifest names the config that the registry's does; one that was written as a whole is left
 * as it was written. */
static int remove_config(
	struct tree *tree, struct node *owner, const struct given *given, struct error *err)
{
	cleanup_with(document_clear) struct document base = DOCUMENT_INIT, document = DOCUMENT_INIT;
	const struct folder *folder = owner->folder;

	if (!folder->given || folder->whole || !folder->has_entry)
		return 0;
	if (history_document(tree->history, &base, &folder->entry.digest, err) ||
		copy_document(&document, tree, owner, err) ||
		document_set_config(&document, &base.config, err))
		return -1;
	return give_part(tree, owner, given, &document, err);
}

static const struct given_kind kinds[] = {
	{.name = "config.json",
		.of_folder = true,
		.blob = true,
		.text = text_config,
		.take = take_config,
		.remove = remove_config},
	{.name = "manifest.json",
		.of_folder = true,
		.whole = true,
		.text = text_manifest,
		.take = take_whole},
	{.name = "index.json",
		.of_tag = true,
		.whole = true,
		.text = text_index,
		.take = take_whole},
	{.name = "descriptor.json",
		.of_folder = true,
		.made_first = true,
		.text = text_descriptor,
		.take = take_descriptor},
	{.name = "artifact-type",
		.of_tag = true,
		.of_folder = true,
		.line = true,
		.text = text_artifact_type,
		.take = take_artifact_type,
		.remove = remove_artifact_type},
	{.name = "subject",
		.of_tag = true,
		.of_folder = true,
		.line = true,
		.asks = true,
		.text = text_subject,
		.take = take_subject,
		.remove = remove_line},
};

const struct given_kind *given_kind_find(const char *name)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

bool given_kind_is_of(const struct given_kind *kind, const struct node *owner)
{
	return owner->kind == NODE_TAG ? kind->of_tag : kind->of_folder;
}

const struct given_kind *given_kind_at(size_t number)
{
	return number < sizeof kinds / sizeof kinds[0] ? &kinds[number] : NULL;
}
