/* Whole indexes of bottles, byte for byte what tests/integration/homebrew.py makes by itself. */
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "annotation_file.h"
#include "buf.h"
#include "cleanup.h"
#include "diff_id.h"
#include "document_check.h"
#include "homebrew.h"
#include "layer_path.h"
#include "media_type.h"
#include "registry_process.h"

#define FOLDERS 7
#define TEXT_SIZE 512

static char folder[32];

static void setup(void)
{
	strcpy(folder, "/tmp/test_homebrew.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert(shell_run("python3 tests/integration/homebrew.py \"$1\"", folder));
}

static void teardown(void)
{
	ck_assert(shell_run("rm -r \"$1\"", folder));
}

/* The file NAME/PATH that the generator has made. */
static void file_read(struct buf *out, const char *name, const char *path)
{
	char full[TEXT_SIZE], bytes[4096];
	FILE *file;
	size_t n;

	snprintf(full, sizeof(full), "%s/%s/%s", folder, name, path);
	file = fopen(full, "re");
	ck_assert_msg(file != NULL, "%s", full);
	while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
		ck_assert_int_eq(buf_append(out, bytes, n), 0);
	ck_assert_int_eq(fclose(file), 0);
	if (!out->data)
		ck_assert_int_eq(buf_append(out, "", 0), 0);
}

static void expect_file(const char *name, const char *path, const char *bytes, size_t len)
{
	cleanup_with(buf_free) struct buf want = BUF_INIT(DOCUMENT_SIZE_MAX);

	file_read(&want, name, path);
	ck_assert_msg(want.len == len && memcmp(want.data, bytes, len) == 0,
		"%s/%s: want\n%s\ngot\n%.*s", name, path, want.data, (int)len, bytes);
}

/* The one file in a folder beside annotations.json. */
static void bottle_find(char out[static TEXT_SIZE], const char *name, const char *place)
{
	char path[TEXT_SIZE];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%s/mount/%s", folder, name, place);
	dir = opendir(path);
	ck_assert_ptr_nonnull(dir);
	out[0] = '\0';
	while ((entry = readdir(dir)))
		if (*entry->d_name != '.' && strcmp(entry->d_name, ANNOTATIONS_NAME) != 0) {
			ck_assert_str_eq(out, "");
			strcpy(out, entry->d_name);
		}
	closedir(dir);
}

/* The layer that a commit would make of the file, and what it holds. */
static void layer_make(
	struct descriptor *out, struct digest *diff_id, const char *name, const char *place)
{
	cleanup_with(buf_free) struct buf bytes = BUF_INIT(DOCUMENT_SIZE_MAX);
	cleanup_with(annotations_clear) struct annotations title = ANNOTATIONS_INIT;
	char file[TEXT_SIZE], path[TEXT_SIZE + 512], full[TEXT_SIZE + 1024];
	cleanup_close int fd = -1;
	struct digest digest;

	bottle_find(file, name, place);
	snprintf(path, sizeof(path), "mount/%s/%s", place, file);
	file_read(&bytes, name, path);
	digest_of_bytes(&digest, bytes.data, bytes.len);
	ck_assert_int_eq(descriptor_create(out, media_type_for_name(file, MEDIA_TYPE_OCTETS),
				 &digest, (int64_t)bytes.len, NULL),
		0);
	ck_assert_int_eq(annotations_set(&title, ANNOTATION_TITLE, file, NULL), 0);
	ck_assert_int_eq(descriptor_set_annotations(out, &title, NULL), 0);
	snprintf(full, sizeof(full), "%s/%s/%s", folder, name, path);
	fd = open(full, O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(diff_id_of_fd(diff_id, fd, file, out->media_type, NULL, NULL), 0);
}

static void notes_read(struct annotation_file *out, const char *name, const char *place)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(DOCUMENT_SIZE_MAX);
	char path[TEXT_SIZE];

	snprintf(path, sizeof(path), "mount/%s/" ANNOTATIONS_NAME, place);
	file_read(&text, name, path);
	ck_assert_int_eq(annotation_file_parse(out, text.data, text.len, NULL), 0);
}

/* Makes the entry of a folder, as a mount would, and compares its documents. */
static void entry_make(struct homebrew_entry *out, const struct homebrew_formula *formula,
	const char *name, const char *place)
{
	cleanup_with(annotation_file_clear) struct annotation_file notes = ANNOTATION_FILE_INIT;
	cleanup_with(descriptor_clear) struct descriptor layer = DESCRIPTOR_INIT;
	cleanup_with(platform_clear) struct platform platform = PLATFORM_INIT;
	bool any = strcmp(place, PLATFORM_ANY) == 0;
	struct homebrew_bottle bottle = {.layers = &layer, .layer_count = 1};
	struct error err = ERROR_INIT;
	char path[TEXT_SIZE];
	struct digest diff_id;

	layer_make(&layer, &diff_id, name, place);
	notes_read(&notes, name, place);
	if (!any)
		ck_assert_int_eq(platform_parse(&platform, place, NULL), 0);
	bottle.platform = any ? NULL : &platform;
	bottle.diff_id = &diff_id;
	bottle.descriptor = &notes.descriptor;
	bottle.manifest = &notes.manifest;
	ck_assert_msg(homebrew_entry_make(out, formula, &bottle, &err) == 0, "%s/%s: %s", name,
		place, err.message);
	snprintf(path, sizeof(path), "want/%s/config.json", place);
	expect_file(name, path, out->config, out->config_len);
	snprintf(path, sizeof(path), "want/%s/manifest.json", place);
	expect_file(name, path, out->manifest.json, out->manifest.json_len);
	ck_assert_msg(document_check(out->manifest.json, out->manifest.json_len,
			      DOCUMENT_ONLY_MANIFEST, &err) == 0,
		"%s", err.message);
}

/* The folders of the order file from number first on: a new entry for each. */
static size_t entries_make(struct descriptor *out, const struct homebrew_formula *formula,
	const char *name, size_t first)
{
	cleanup_with(buf_free) struct buf order = BUF_INIT(4096);
	char *rest = NULL;
	size_t count = 0;

	file_read(&order, name, "order");
	for (char *place = strtok_r(order.data, "\n", &rest); place;
		place = strtok_r(NULL, "\n", &rest)) {
		cleanup_with(homebrew_entry_clear) struct homebrew_entry entry =
			HOMEBREW_ENTRY_INIT;

		ck_assert_uint_lt(count, FOLDERS);
		if (count++ < first)
			continue;
		entry_make(&entry, formula, name, place);
		ck_assert_int_eq(descriptor_copy(&out[count - 1], &entry.descriptor, NULL), 0);
	}
	return count;
}

static void formula_read(struct homebrew_formula *out, const char *name)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(DOCUMENT_SIZE_MAX);
	cleanup_with(buf_free) struct buf tag = BUF_INIT(256);
	cleanup_with(annotations_clear) struct annotations given = ANNOTATIONS_INIT;
	struct error err = ERROR_INIT;

	file_read(&text, name, "mount/" ANNOTATIONS_NAME);
	file_read(&tag, name, "tag");
	ck_assert_int_eq(index_annotations_parse(&given, text.data, text.len, NULL), 0);
	ck_assert_msg(homebrew_formula_read(out, &given, tag.data, &err) == 0, "%s", err.message);
}

static void expect_index(const char *name, const struct document *base)
{
	cleanup_with(homebrew_formula_clear) struct homebrew_formula formula =
		HOMEBREW_FORMULA_INIT;
	cleanup_with(document_clear) struct document index = DOCUMENT_INIT;
	struct descriptor entries[FOLDERS] = {DESCRIPTOR_INIT};
	size_t old = base ? base->count : 0;
	struct error err = ERROR_INIT;

	formula_read(&formula, name);
	for (size_t i = 0; i < old; i++)
		ck_assert_int_eq(descriptor_copy(&entries[i], &base->items[i], NULL), 0);
	ck_assert_uint_eq(entries_make(entries, &formula, name, old), FOLDERS);
	ck_assert_msg(homebrew_index_make(&index, base, &formula, entries, FOLDERS, &err) == 0,
		"%s", err.message);
	expect_file(name, "want/index.json", index.json, index.json_len);
	ck_assert_msg(document_check(index.json, index.json_len, DOCUMENT_ONLY_INDEX, &err) == 0,
		"%s", err.message);
	for (size_t i = 0; i < FOLDERS; i++)
		descriptor_clear(&entries[i]);
}

START_TEST(a_core_formula)
{
	expect_index("core", NULL);
}
END_TEST

START_TEST(a_formula_of_a_tap)
{
	expect_index("tap", NULL);
}
END_TEST

/* What is there keeps every byte, but for what the new entries are put behind. */
START_TEST(bottles_that_are_added)
{
	cleanup_with(document_clear) struct document base = DOCUMENT_INIT;
	cleanup_with(buf_free) struct buf text = BUF_INIT(DOCUMENT_SIZE_MAX);

	file_read(&text, "added", "base.json");
	ck_assert_int_eq(document_parse(&base, NULL, text.data, text.len, NULL), 0);
	ck_assert_uint_eq(base.count, 3);
	expect_index("added", &base);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("homebrew");
	TCase *cases = tcase_create("homebrew");

	tcase_add_unchecked_fixture(cases, setup, teardown);
	tcase_set_timeout(cases, 20);
	tcase_add_test(cases, a_core_formula);
	tcase_add_test(cases, a_formula_of_a_tap);
	tcase_add_test(cases, bottles_that_are_added);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
