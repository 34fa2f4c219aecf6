#include "registry/layout/tags.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "media_type.h"
#include "reference.h"
#include "registry/layout/files.h"
#include "registry/layout/folder.h"
#include "store.h"

int layout_index_read(int dir, struct document *out, struct error *err)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(DOCUMENT_SIZE_MAX);
	struct error why = ERROR_INIT;

	if (layout_file_read(dir, INDEX_FILE, &text, &why))
		return error_set(err, why.kind == ERROR_NOT_FOUND ? ERROR_CORRUPT : why.kind, "%s",
			why.message);
	if (document_parse(out, MEDIA_TYPE_INDEX, text.data ? text.data : "", text.len, err))
		return error_prefix(err, INDEX_FILE);
	if (out->kind != DOCUMENT_INDEX) {
		document_clear(out);
		return error_set(err, ERROR_CORRUPT, INDEX_FILE ": is not an index");
	}
	return 0;
}

static bool entry_is(const struct descriptor *entry, const char *tag)
{
	const char *name = annotations_get(&entry->annotations, ANNOTATION_REF_NAME);

	return name && !strcmp(name, tag);
}

/* NULL where there is no such tag. */
static const struct descriptor *entry_find(const struct document *index, const char *tag)
{
	for (size_t i = 0; i < index->count; i++) {
		if (entry_is(&index->items[i], tag))
			return &index->items[i];
	}
	return NULL;
}

int layout_tag_find(int dir, struct descriptor *out, const char *tag, struct error *err)
{
	cleanup_with(document_clear) struct document index = DOCUMENT_INIT;
	const struct descriptor *entry;

	if (layout_index_read(dir, &index, err))
		return -1;
	entry = entry_find(&index, tag);
	if (!entry)
		return error_set(err, ERROR_NOT_FOUND, "tag %s: not found", tag);
	return descriptor_copy(out, entry, err);
}

static int name_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int layout_tags_list(int dir, int (*take)(void *context, const char *tag, struct error *err),
	void *context, struct error *err)
{
	cleanup_with(document_clear) struct document index = DOCUMENT_INIT;
	cleanup_free const char **names = NULL;
	size_t count = 0;

	if (layout_index_read(dir, &index, err))
		return -1;
	names = calloc(index.count + 1, sizeof(*names));
	if (!names)
		return error_set_memory(err);
	for (size_t i = 0; i < index.count; i++) {
		const char *name =
			annotations_get(&index.items[i].annotations, ANNOTATION_REF_NAME);

		if (name && tag_valid(name))
			names[count++] = name;
	}
	qsort(names, count, sizeof(*names), name_compare);
	for (size_t i = 0; i < count; i++) {
		if ((i == 0 || strcmp(names[i], names[i - 1]) != 0) && take(context, names[i], err))
			return -1;
	}
	return 0;
}

/* A tag of NULL: an entry without a name. */
static int entry_create(
	struct descriptor *out, const char *tag, const struct document *document, struct error *err)
{
	cleanup_with(annotations_clear) struct annotations name = ANNOTATIONS_INIT;

	if ((tag && annotations_set(&name, ANNOTATION_REF_NAME, tag, err)) ||
		descriptor_create(out, document->media_type, &document->digest,
			(int64_t)document->json_len, err) ||
		descriptor_set_artifact_type(out, document->artifact_type, err) ||
		descriptor_set_annotations(out, &name, err))
		return -1;
	return 0;
}

/* What described the old content, and isn't known of the new, goes. */
static int entry_point(struct descriptor *entry, const struct document *document, struct error *err)
{
	if (digest_equal(&entry->digest, &document->digest))
		return 0;
	if (descriptor_set_content(entry, document->media_type, &document->digest,
		    (int64_t)document->json_len, err) ||
		descriptor_set_artifact_type(entry, document->artifact_type, err) ||
		descriptor_set_platform(entry, NULL, err))
		return -1;
	return 0;
}

/* The entry that the tag has, changed in its place, or a new one at the end. Further entries of
 * the same name go: readers disagree on which of them counts. */
static int tag_edit(
	struct document *index, const char *tag, const struct document *document, struct error *err)
{
	cleanup_with(descriptor_clear) struct descriptor entry = DESCRIPTOR_INIT;
	/* Borrows all from the index but the entry. */
	cleanup_free struct descriptor *items = calloc(index->count + 1, sizeof(*items));
	size_t count = 0;
	size_t place = SIZE_MAX;

	if (!items)
		return error_set_memory(err);
	for (size_t i = 0; i < index->count; i++) {
		bool ours = entry_is(&index->items[i], tag);

		if (ours && place != SIZE_MAX)
			continue;
		if (ours) {
			place = count;
			if (descriptor_copy(&entry, &index->items[i], err) ||
				entry_point(&entry, document, err))
				return -1;
		}
		items[count++] = index->items[i];
	}
	if (place == SIZE_MAX) {
		place = count++;
		if (entry_create(&entry, tag, document, err))
			return -1;
	}
	items[place] = entry;
	return document_set_items(index, items, count, err);
}

/* Others who may read or write index.json still may, where the file system has modes. */
static void mode_keep(int dir, int fd)
{
	struct stat st;

	if (fstatat(dir, INDEX_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0)
		fchmod(fd, st.st_mode & 0666);
}

static int index_write(int dir, const struct document *index, struct error *err)
{
	cleanup_with(layout_temp_close) struct temp_file temp = TEMP_FILE_INIT;

	if (index->json_len > DOCUMENT_SIZE_MAX)
		return error_set(
			err, ERROR_TOO_LARGE, INDEX_FILE ": over %zu bytes", DOCUMENT_SIZE_MAX);
	if (layout_temp_create(&temp, dir, err))
		return -1;
	mode_keep(dir, temp.fd);
	if (layout_file_write(temp.fd, index->json, index->json_len))
		return error_set_errno(err, errno, INDEX_FILE);
	return layout_temp_commit(&temp, INDEX_FILE, err);
}

/* Whether the tag may be moved to the document. */
static int tag_expect(const struct document *index, const char *tag,
	const struct document *document, const struct digest *expected, struct error *err)
{
	const struct descriptor *entry = entry_find(index, tag);
	struct digest found = entry ? entry->digest : (struct digest)DIGEST_NONE;

	if (!expected || digest_equal(&found, expected) || digest_equal(&found, &document->digest))
		return 0;
	return store_tag_moved(err, tag, expected, &found);
}

int layout_tag_point(int dir, const char *tag, const struct document *document,
	const struct digest *expected, int timeout, struct cancel *cancel, struct error *err)
{
	cleanup_with(document_clear) struct document index = DOCUMENT_INIT;
	struct digest before;
	cleanup_close int lock = layout_folder_lock(dir, timeout, cancel, err);

	if (lock < 0 || layout_index_read(dir, &index, err))
		return -1;
	before = index.digest;
	if (tag_expect(&index, tag, document, expected, err) ||
		tag_edit(&index, tag, document, err))
		return -1;
	return digest_equal(&before, &index.digest) ? 0 : index_write(dir, &index, err);
}

int layout_entry_keep(int dir, const struct document *document, int timeout, struct cancel *cancel,
	struct error *err)
{
	cleanup_with(document_clear) struct document index = DOCUMENT_INIT;
	cleanup_with(descriptor_clear) struct descriptor entry = DESCRIPTOR_INIT;
	/* Borrows all but the last. */
	cleanup_free struct descriptor *items = NULL;
	cleanup_close int lock = layout_folder_lock(dir, timeout, cancel, err);

	if (lock < 0 || layout_index_read(dir, &index, err))
		return -1;
	items = calloc(index.count + 1, sizeof(*items));
	if (!items)
		return error_set_memory(err);
	for (size_t i = 0; i < index.count; i++) {
		if (digest_equal(&index.items[i].digest, &document->digest))
			return 0;
		items[i] = index.items[i];
	}
	if (entry_create(&entry, NULL, document, err))
		return -1;
	items[index.count] = entry;
	if (document_set_items(&index, items, index.count + 1, err))
		return -1;
	return index_write(dir, &index, err);
}
