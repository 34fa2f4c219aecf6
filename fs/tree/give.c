#include "fs/tree/give.h"

#include <string.h>
#include <strings.h>

#include "cleanup.h"
#include "fs/tree/file.h"
#include "fs/tree/folder.h"
#include "fs/tree/history.h"
#include "fs/tree/notes.h"
#include "fs/tree/stale.h"
#include "fs/tree/tag.h"
#include "fs/tree/text.h"
#include "layer_path.h"

static void show_anew(void *context, struct node *file)
{
	(void)context;
	text_regenerate(file);
}

/* All that is shown of the owner follows. */
static void given_is_shown(struct tree *tree, struct node *owner)
{
	text_each(owner, show_anew, NULL);
	notes_settle(tree, owner);
	stale_attributes(tree, owner);
	stale_tell(tree);
}

/* A draft is the whole truth once it is mended, and would undo what is said of annotations here. */
static int draft_refuses(const struct node *node, struct error *err)
{
	const struct node *notes = node_child(node, ANNOTATIONS_NAME);

	if (!notes || notes->kind != NODE_FILE || !notes->file->draft)
		return 0;
	return error_set(
		err, ERROR_INVALID, "annotations.json isn't valid: mend it first, or remove it");
}

/* What was written to config.json is published with the manifest that names it, and with no other.
 * A draft becomes one that the manifest names, once it is mended. */
static int config_refuses(
	const struct node *node, const struct document *manifest, struct error *err)
{
	const struct node *control = node->children.control;
	const struct node *file = control ? node_child(control, "config.json") : NULL;
	const struct document *now = node->folder->manifest;

	if (!file || !node_is_document(file) || !file->file->changed || file->file->draft || !now ||
		digest_equal(&now->config.digest, &manifest->config.digest))
		return 0;
	return error_set(err, ERROR_INVALID,
		"config: config.json was changed and isn't committed, and this manifest names "
		"another one: sync it first, or remove it, or name %s",
		now->config.digest.text);
}

/* The notes say what the manifest says; what they say of the entry stays. */
static int load_notes(struct node *node, struct error *err)
{
	struct annotation_file *notes = &node->folder->notes;
	struct annotations entry = notes->descriptor;

	notes->descriptor = (struct annotations)ANNOTATIONS_INIT;
	if (notes_load(node, err)) {
		notes->descriptor = entry;
		return -1;
	}
	annotations_clear(&notes->descriptor);
	notes->descriptor = entry;
	annotation_file_clear(&node->folder->left);
	return 0;
}

/* Shows a manifest, which is taken over. */
static int show_manifest(struct tree *tree, struct node *node, struct document *manifest,
	const struct gift *gift, struct error *err)
{
	struct folder *folder = node->folder;
	bool kept = folder->kept;

	if (!gift->whole ? folder_set_manifest(folder, manifest, err)
			 : layers_give(tree, node, manifest, err) || load_notes(node, err))
		return -1;
	folder->kept = kept;
	folder->given = true;
	folder->whole |= gift->whole;
	return 0;
}

/* Whether all of it is what is shown already: what stands on the manifest may differ from it, and a
 * whole one says that it shall not. */
static bool is_shown(
	const struct node *node, const struct document *document, const struct gift *gift)
{
	const struct document *now = node->folder->manifest;

	return now && digest_equal(&now->digest, &document->digest) &&
	       !(gift->whole && folder_is_changed(node->folder));
}

/* owner: where it was written; the tag, where that is a single manifest. */
static int give_manifest(struct tree *tree, struct node *node, struct node *owner,
	const struct document *document, const struct gift *gift, struct error *err)
{
	static const struct seals none = {.items = NULL};
	cleanup_with(document_clear) struct document copy = DOCUMENT_INIT;

	/* the journal tells of the file that it was written to, and so of what that came to */
	if (is_shown(node, document, gift))
		return history_given(tree, owner, gift->name, document->json, gift->whole, err);
	if (gift->whole &&
		(draft_refuses(node, err) || config_refuses(node, document, err) ||
			layers_check(tree, node, document, gift->seals ? gift->seals : &none, err)))
		return -1;
	if (document_copy(&copy, document, err) ||
		history_given(tree, owner, gift->name, document->json, gift->whole, err) ||
		show_manifest(tree, node, &copy, gift, err))
		return -1;
	node_changed(node);
	given_is_shown(tree, node);
	return 0;
}

static int give_index_part(struct tree *tree, struct node *node, const struct document *document,
	const struct gift *gift, struct error *err)
{
	cleanup_with(version_clear) struct version to = VERSION_INIT;

	return document_copy(&to.root, document, err) ||
			       history_given(tree, node, gift->name, document->json, false, err) ||
			       tag_give(node->tag, &to, err)
		       ? -1
		       : 0;
}

static int give_index_whole(struct tree *tree, struct node *node, const struct document *document,
	const struct gift *gift, struct error *err)
{
	static const struct manifests none = {.items = NULL};
	const struct manifests *manifests = gift->manifests ? gift->manifests : &none;

	return draft_refuses(node, err) || index_check(tree, node, document, manifests, err) ||
			       history_given(tree, node, gift->name, document->json, true, err) ||
			       index_give(tree, node, document, manifests, err)
		       ? -1
		       : 0;
}

static int give_index(struct tree *tree, struct node *node, const struct document *document,
	const struct gift *gift, struct error *err)
{
	const struct version *base = &node->tag->base;

	if (version_exists(base) && digest_equal(&base->root.digest, &document->digest) &&
		!(gift->whole && tag_is_changed(node)))
		return history_given(tree, node, gift->name, document->json, gift->whole, err);
	if (gift->whole ? give_index_whole(tree, node, document, gift, err)
			: give_index_part(tree, node, document, gift, err))
		return -1;
	node_changed(node);
	given_is_shown(tree, node);
	return 0;
}

static bool same_platform(const struct folder *folder, const struct descriptor *entry)
{
	return folder->has_platform == entry->has_platform &&
	       (!entry->has_platform || platform_equal(&folder->platform, &entry->platform));
}

/* A single manifest is published as it is where nothing else is to be published with it. */
static int single_refuses(const struct node *tag, const struct node *node, struct error *err)
{
	const struct folder *folder = node->folder;

	if (index_check_changes(tag, node, err))
		return -1;
	if (same_platform(folder, &folder->entry) && !folder->has_given_entry &&
		!folder->notes.descriptor.count && !tag->tag->annotations.count)
		return 0;
	return error_set(err, ERROR_INVALID,
		"%.300s has changes that aren't committed and make an index of the tag: "
		"remove this document, commit them, and write it again",
		node->name);
}

int give_document(struct tree *tree, struct node *owner, const struct document *document,
	const struct gift *gift, struct error *err)
{
	struct node *node = owner->kind == NODE_TAG ? tag_single(owner) : owner;
	int result;

	if (!node || document->kind == DOCUMENT_INDEX)
		return give_index(tree, owner, document, gift, err);
	if (node != owner && gift->whole && single_refuses(owner, node, err))
		return -1;
	result = give_manifest(tree, node, owner, document, gift, err);
	if (!result && node != owner)
		text_each(owner, show_anew, NULL);
	return result;
}

/* What an entry names is another thing than what it says of it. */
static int check_content(
	const struct folder *folder, const struct descriptor *entry, struct error *err)
{
	const struct descriptor *now = &folder->entry;

	if (strcasecmp(now->media_type, entry->media_type) != 0)
		return error_set(err, ERROR_INVALID,
			"mediaType: it can't be changed here: it is %s; manifest.json makes "
			"another",
			now->media_type);
	if (!digest_equal(&now->digest, &entry->digest))
		return error_set(err, ERROR_INVALID,
			"digest: it can't be changed here: it is %s; manifest.json makes another",
			now->digest.text);
	if (now->size != entry->size)
		return error_set(err, ERROR_INVALID,
			"size: it can't be changed here: it is %lld; manifest.json makes another",
			(long long)now->size);
	return 0;
}

/* The name of the folder by its new platform. */
static int name_for(char out[static FOLDER_NAME_SIZE], const struct node *node,
	const struct descriptor *entry, struct error *err)
{
	const struct node *other;

	if (same_platform(node->folder, entry)) {
		strcpy(out, node->name);
		return 0;
	}
	if (!entry->has_platform)
		strcpy(out, PLATFORM_ANY);
	else if (!platform_name(out, &entry->platform))
		return error_set(err, ERROR_INVALID, "platform: it is too long for a folder");
	other = node_child(node->parent, out);
	if (other && other != node)
		return error_set(err, ERROR_INVALID,
			"platform: there is another entry of this platform, %s", out);
	return 0;
}

static int move_folder(
	struct tree *tree, struct node *node, const char *name, struct platform *platform)
{
	struct node *tag = node->parent;

	platform_clear(&node->folder->platform);
	node->folder->platform = *platform;
	node->folder->has_platform = platform->os != NULL;
	*platform = (struct platform)PLATFORM_INIT;
	if (!strcmp(node->name, name))
		return 0;
	stale_name(tree, tag, node->name);
	node_changed(tag);
	return node_move(&tree->inodes, node, tag, name, NULL);
}

int give_entry(
	struct tree *tree, struct node *node, const struct descriptor *entry, struct error *err)
{
	cleanup_with(descriptor_clear) struct descriptor copy = DESCRIPTOR_INIT;
	cleanup_with(platform_clear) struct platform platform = PLATFORM_INIT;
	cleanup_with(annotations_clear) struct annotations notes = ANNOTATIONS_INIT;
	struct folder *folder = node->folder;
	char name[FOLDER_NAME_SIZE];

	if (check_content(folder, entry, err) || name_for(name, node, entry, err) ||
		draft_refuses(node, err) || descriptor_copy(&copy, entry, err) ||
		annotations_copy(&notes, &entry->annotations, err) ||
		(entry->has_platform && platform_copy(&platform, &entry->platform, err)) ||
		history_given(tree, node, "descriptor.json", entry->json, true, err))
		return -1;
	descriptor_clear(&folder->given_entry);
	folder->given_entry = copy;
	folder->has_given_entry = true;
	copy = (struct descriptor)DESCRIPTOR_INIT;
	annotations_clear(&folder->notes.descriptor);
	folder->notes.descriptor = notes;
	notes = (struct annotations)ANNOTATIONS_INIT;
	node_changed(node);
	if (move_folder(tree, node, name, &platform))
		return error_set_memory(err);
	given_is_shown(tree, node);
	return 0;
}
