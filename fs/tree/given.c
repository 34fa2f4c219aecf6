#include "fs/tree/given.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "document_check.h"
#include "fs/tree/file.h"
#include "fs/tree/folder.h"
#include "fs/tree/give.h"
#include "fs/tree/tag.h"
#include "layer_path.h"
#include "media_type.h"
#include "reference.h"

struct given_kind {
	const char *name;
	bool of_tag, of_folder;
	bool line; /* one line; else a document, or a descriptor */
	bool asks; /* the store has to be asked */
	bool whole; /* a document */
	const char *(*text)(const struct node *owner); /* NULL: nothing to show */
	int (*take)(struct tree *tree, struct node *owner, const char *text, size_t len,
		const struct given *given, struct error *err);
};

/* The document that an owner stands on; NULL where it has none. */
static const struct document *document_of(const struct node *owner)
{
	const struct node *single = owner->kind == NODE_TAG ? tag_single(owner) : owner;

	if (single)
		return single->folder->manifest;
	return version_exists(&owner->tag->base) ? &owner->tag->base.root : NULL;
}

static const char *text_artifact_type(const struct node *owner)
{
	const struct document *document = document_of(owner);

	return document ? document->artifact_type : NULL;
}

static const char *text_manifest(const struct node *owner)
{
	const struct document *document = document_of(owner);

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
	const struct document *document = document_of(owner);

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
	const struct document *document = document_of(owner);

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

/* A tag that is a single manifest may go on to be one, or become an index. */
static enum document_expected expected_of(const struct node *owner)
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

static const struct given_kind kinds[] = {
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
		.text = text_descriptor,
		.take = take_descriptor},
	{.name = "artifact-type",
		.of_tag = true,
		.of_folder = true,
		.line = true,
		.text = text_artifact_type,
		.take = take_artifact_type},
	{.name = "subject",
		.of_tag = true,
		.of_folder = true,
		.line = true,
		.asks = true,
		.text = text_subject,
		.take = take_subject},
};

static const struct given_kind *kind_find(const char *name)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

static bool kind_is_of(const struct given_kind *kind, const struct node *owner)
{
	return owner->kind == NODE_TAG ? kind->of_tag : kind->of_folder;
}

static const struct given_kind *kind_of(const struct node *file)
{
	const struct node *owner = file->parent->parent;
	const struct given_kind *kind = kind_find(file->name);

	return owner && kind && kind_is_of(kind, owner) ? kind : NULL;
}

bool node_is_document(const struct node *node)
{
	return node->kind == NODE_FILE && node->parent && node->parent->kind == NODE_CONTROL &&
	       kind_of(node);
}

const char *given_name(const struct node *owner, size_t number, bool *there)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (kind_is_of(&kinds[i], owner) && number-- == 0) {
			*there = kinds[i].text(owner) != NULL;
			return kinds[i].name;
		}
	return NULL;
}

bool given_has_name(const struct node *owner, const char *name)
{
	const struct given_kind *kind = kind_find(name);

	return kind && kind_is_of(kind, owner);
}

int given_allowed(const struct node *owner, const char *name)
{
	const struct given_kind *kind = kind_find(name);

	if (!kind)
		return 0;
	/* what a commit hasn't made yet can't be annotated by its digest */
	if (kind->text == text_descriptor)
		return owner->folder && text_descriptor(owner) ? 0 : EPERM;
	return kind_is_of(kind, owner) ? 0 : EPERM;
}

int given_text(struct node *file, struct buf *out, struct error *err)
{
	const struct given_kind *kind = kind_of(file);
	const char *text = kind->text(file->parent->parent);

	if (text && (buf_append_text(out, text) || (kind->line && buf_append_text(out, "\n"))))
		return error_set_memory(err);
	return 0;
}

/* The platform folder that a document of the owner may be about. */
static struct node *folder_of(struct node *owner)
{
	return owner->kind == NODE_TAG ? tag_single(owner) : owner;
}

void given_begin(struct given *given, const struct node *file)
{
	*given = (struct given){.kind = node_is_document(file) ? kind_of(file) : NULL};
	given->owner = given->kind ? file->parent->parent : NULL;
}

void given_clear(struct given *given)
{
	descriptor_clear(&given->subject);
	seals_clear(&given->seals);
	manifests_clear(&given->manifests);
}

/* The one line of a text, without white space around it; empty for an empty text. */
static int line_take(struct buf *out, const struct buf *text, struct error *err)
{
	static const char space[] = " \t\r\n";
	const char *start = text->len ? text->data : "";
	const char *end = start + text->len;

	while (start < end && strchr(space, *start) && *start)
		start++;
	while (end > start && strchr(space, end[-1]) && end[-1])
		end--;
	if (memchr(start, '\n', (size_t)(end - start)))
		return error_set(err, ERROR_INVALID, "line 2, column 1: it must be one line");
	if (memchr(start, '\0', (size_t)(end - start)))
		return error_set(err, ERROR_INVALID, "line 1: there is a NUL in it");
	return buf_append(out, start, (size_t)(end - start)) || buf_append_text(out, "")
		       ? error_set_memory(err)
		       : 0;
}

/* What a tag or digest of the repository names now. */
static int look_up(struct descriptor *out, struct tree *tree, const char *name, struct error *err)
{
	cleanup_with(document_clear) struct document document = DOCUMENT_INIT;
	struct digest digest;
	bool is_digest = digest_parse(&digest, name);

	if (!is_digest && !tag_valid(name))
		return error_set(err, ERROR_INVALID,
			"line 1, column 1: \"%.128s\" is neither a tag nor a digest", name);
	if (tree->store->ops->document_get(tree->store, &document, is_digest ? NULL : name,
		    is_digest ? &digest : NULL, NULL, NULL, err))
		return error_prefix(err, "the subject %.128s", name);
	return descriptor_create(
		out, document.media_type, &document.digest, (int64_t)document.json_len, err);
}

/* What a document as a whole needs of the store, and of the files that it may name. */
static int ask_whole(
	struct given *given, struct tree *tree, const char *text, size_t len, struct error *err)
{
	cleanup_with(document_clear) struct document document = DOCUMENT_INIT;
	struct node *folder;

	/* what is wrong with it is told when it is taken */
	if (!given->kind->whole || document_parse(&document, NULL, text, len, NULL))
		return 0;
	if (document.kind == DOCUMENT_INDEX)
		return given->owner->kind == NODE_TAG ? manifests_fetch(&given->manifests, tree,
								given->owner, &document, err)
						      : 0;
	pthread_mutex_lock(&tree->lock);
	folder = folder_of(given->owner);
	pthread_mutex_unlock(&tree->lock);
	return folder ? seals_make(&given->seals, tree, folder, err) : 0;
}

static int ask_subject(
	struct given *given, struct tree *tree, const struct buf *text, struct error *err)
{
	cleanup_with(buf_free) struct buf line = BUF_INIT(BUF_UNBOUNDED);

	if (line_take(&line, text, err))
		return -1;
	if (!line.len)
		return 0;
	given->has_subject = true;
	return look_up(&given->subject, tree, line.data, err);
}

int given_ask(struct given *given, struct tree *tree, const struct buf *text, struct error *err)
{
	if (given->kind && given->kind->asks)
		return ask_subject(given, tree, text, err);
	if (given->kind && given->kind->whole)
		return ask_whole(given, tree, text->len ? text->data : "", text->len, err);
	return 0;
}

/* What a commit is made from doesn't change while it runs. */
static bool is_committing(struct node *owner)
{
	const struct node *tag = node_tag(owner);

	return tag && tag->tag->running;
}

/* What is wrong with a text by itself. */
static int check_text(const struct given_kind *kind, const struct node *owner, const char *text,
	size_t len, struct error *err)
{
	if (kind->whole)
		return document_check(text, len, expected_of(owner), err);
	return kind->line ? 0 : descriptor_check(text, len, err);
}

int given_take(struct tree *tree, struct node *file, const struct buf *text,
	const struct given *given, bool *later, struct error *err)
{
	cleanup_with(buf_free) struct buf line = BUF_INIT(BUF_UNBOUNDED);
	const struct given_kind *kind = kind_of(file);
	struct node *owner = file->parent->parent;
	const char *taken = text->len ? text->data : "";
	size_t len = text->len;

	if (check_text(kind, owner, taken, len, err) || (kind->line && line_take(&line, text, err)))
		return -1;
	*later = is_committing(owner) && !given->by_commit;
	if (*later)
		return 0;
	if (kind->line) {
		taken = line.data;
		len = line.len;
	}
	return kind->take(tree, owner, taken, len, given, err);
}

int given_removed(struct tree *tree, struct node *file, struct error *err)
{
	const struct given_kind *kind = kind_of(file);
	const struct given given = {.kind = kind};
	struct node *owner = file->parent->parent;

	if (!kind->line || !kind->text(owner))
		return 0;
	if (is_committing(owner))
		return error_set_errno(err, EBUSY, "a commit is under way");
	return kind->take(tree, owner, "", 0, &given, err);
}

/* The draft, as long as there is one, was this. */
static void forget_draft(struct node *owner, const char *name)
{
	struct node *file =
		owner->children.control ? node_child(owner->children.control, name) : NULL;

	if (!file || file->kind != NODE_FILE)
		return;
	if (file->file->staged)
		staged_put_back(steal_ptr(file->file->staged));
	file->file->changed = file->file->lost = false;
}

static int again(struct tree *tree, struct node *owner, const char *name, const char *text,
	const struct gift *gift, struct error *err)
{
	cleanup_with(document_clear) struct document document = DOCUMENT_INIT;
	cleanup_with(descriptor_clear) struct descriptor entry = DESCRIPTOR_INIT;
	size_t len = strlen(text);

	if (!strcmp(name, "descriptor.json"))
		return descriptor_parse(&entry, text, len, err)
			       ? -1
			       : give_entry(tree, owner, &entry, err);
	if (document_parse(&document, NULL, text, len, err))
		return -1;
	return give_document(tree, owner, &document, gift, err);
}

int given_again(struct tree *tree, struct node *owner, const char *name, const char *text,
	bool whole, struct error *err)
{
	const struct given_kind *kind = kind_find(name);
	cleanup_with(given_clear) struct given given = {.kind = kind, .owner = owner};
	const struct gift gift = {
		.name = name, .seals = &given.seals, .manifests = &given.manifests, .whole = whole};
	int result;

	if (!kind || !(owner->kind == NODE_TAG || owner->kind == NODE_FOLDER) ||
		!kind_is_of(kind, owner))
		return error_set(
			err, ERROR_CORRUPT, "the journal tells of %.64s, which isn't there", name);
	if (whole && ask_whole(&given, tree, text, strlen(text), err))
		return -1;
	pthread_mutex_lock(&tree->lock);
	result = again(tree, owner, name, text, &gift, err);
	if (!result)
		forget_draft(owner, name);
	pthread_mutex_unlock(&tree->lock);
	return result;
}
