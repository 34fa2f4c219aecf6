#include "fs/tree/given.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "fs/tree/file.h"
#include "fs/tree/folder.h"
#include "fs/tree/give.h"
#include "fs/tree/given_kind.h"
#include "fs/tree/tag.h"
#include "layer_path.h"
#include "reference.h"

static const struct given_kind *kind_of(const struct node *file)
{
	const struct node *owner = file->parent->parent;
	const struct given_kind *kind = given_kind_find(file->name);

	return owner && kind && given_kind_is_of(kind, owner) ? kind : NULL;
}

bool node_is_document(const struct node *node)
{
	return node->kind == NODE_FILE && node->parent && node->parent->kind == NODE_CONTROL &&
	       kind_of(node);
}

const char *given_name(const struct node *owner, size_t number, bool *there)
{
	const struct given_kind *kind;

	for (size_t i = 0; (kind = given_kind_at(i)); i++)
		if (given_kind_is_of(kind, owner) && number-- == 0) {
			*there = kind->text(owner) != NULL;
			return kind->name;
		}
	return NULL;
}

bool given_has_name(const struct node *owner, const char *name)
{
	const struct given_kind *kind = given_kind_find(name);

	return kind && given_kind_is_of(kind, owner);
}

int given_allowed(const struct node *owner, const char *name)
{
	const struct given_kind *kind = given_kind_find(name);

	if (!kind)
		return 0;
	/* what a commit hasn't made yet can't be annotated by its digest */
	if (!given_kind_is_of(kind, owner))
		return EPERM;
	return kind->made_first && !kind->text(owner) ? EPERM : 0;
}

bool given_is_kept(const struct node *file)
{
	return kind_of(file)->blob;
}

const struct descriptor *given_blob(const struct node *file)
{
	const struct given_kind *kind = kind_of(file);

	return kind->blob && kind->text(file->parent->parent)
		       ? &given_document_of(file->parent->parent)->config
		       : NULL;
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

/* The digest of what was written; from the cache it is read like any other config. */
static int ask_blob(struct given *given, struct tree *tree, struct error *err)
{
	if (staged_seal(given->staged, &given->digest, &given->size, NULL, err))
		return -1;
	cache_adopt(tree->cache, &given->digest, given->size, staged_fd(given->staged));
	return 0;
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
	if (given->kind && given->kind->blob)
		return ask_blob(given, tree, err);
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
		return document_check(text, len, given_expected_of(owner), err);
	return kind->line || kind->blob ? 0 : descriptor_check(text, len, err);
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

	if (!kind->remove || !kind->text(owner))
		return 0;
	if (is_committing(owner))
		return error_set_errno(err, EBUSY, "a commit is under way");
	return kind->remove(tree, owner, &given, err);
}

/* The draft, as long as there is one, was this. */
static void forget_draft(struct node *owner, const char *name)
{
	struct node *file =
		owner->children.control ? node_child(owner->children.control, name) : NULL;

	if (!file || !node_is_document(file) || given_is_kept(file))
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
	const struct given_kind *kind = given_kind_find(name);
	cleanup_with(given_clear) struct given given = {.kind = kind, .owner = owner};
	const struct gift gift = {
		.name = name, .seals = &given.seals, .manifests = &given.manifests, .whole = whole};
	int result;

	if (!kind || !(owner->kind == NODE_TAG || owner->kind == NODE_FOLDER) ||
		!given_kind_is_of(kind, owner))
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
