#include "tests/unit/layout_fixture.h"

static struct fixture f;

static void start(void)
{
	fixture_start(&f);
}

static void stop(void)
{
	fixture_stop(&f);
}

static void index_make(struct document *out, const struct document *const *manifests, size_t count)
{
	struct descriptor entries[4] = {DESCRIPTOR_INIT};
	struct error err = ERROR_INIT;

	ck_assert_int_eq(document_create(out, DOCUMENT_INDEX, NULL, DOCUMENT_COMPACT, &err), 0);
	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(
			descriptor_create(&entries[i], manifests[i]->media_type,
				&manifests[i]->digest, (int64_t)manifests[i]->json_len, &err),
			0);
	ck_assert_int_eq(document_set_items(out, entries, count, &err), 0);
	for (size_t i = 0; i < count; i++)
		descriptor_clear(&entries[i]);
}

static void blob_remove(const struct digest *digest)
{
	ck_assert_int_eq(unlink(in_layout(&f, "blobs/sha256/%s", digest_encoded(digest))), 0);
}

/* As a copy of one platform leaves it: the other entries' manifests aren't there. */
START_TEST(sparse_index_can_be_changed)
{
	struct document images[4] = {DOCUMENT_INIT, DOCUMENT_INIT, DOCUMENT_INIT, DOCUMENT_INIT};
	struct document index = DOCUMENT_INIT;
	const struct document *const before[] = {&images[0], &images[1]};
	const struct document *const grown[] = {&images[1], &images[2], &images[0]};
	const struct document *const missing[] = {&images[0], &images[1], &images[3]};
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < 4; i++) {
		image_make(f.store, &images[i], (const char *const[]){"a", "b", "c", "d"}[i]);
		ck_assert_int_eq(document_put(f.store, &images[i], NULL, &err), 0);
	}
	blob_remove(&images[3].digest);
	index_make(&index, before, 2);
	ck_assert_int_eq(document_put(f.store, &index, "v1", &err), 0);
	document_clear(&index);
	blob_remove(&images[1].digest);

	index_make(&index, grown, 3);
	ck_assert_msg(document_put(f.store, &index, "v1", &err) == 0, "%s", err.message);
	/* Where the tag names nothing, all of it is new. */
	ck_assert_int_eq(document_put(f.store, &index, "v2", &err), -1);
	ck_assert_int_eq(err.kind, ERROR_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(err.message, images[1].digest.text));
	error_clear(&err);
	document_clear(&index);
	index_make(&index, missing, 3);
	ck_assert_int_eq(document_put(f.store, &index, "v1", &err), -1);
	ck_assert_int_eq(err.kind, ERROR_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(err.message, images[3].digest.text));
	document_clear(&index);
	for (size_t i = 0; i < 4; i++)
		document_clear(&images[i]);
}
END_TEST

/* The same for a manifest whose layer and config aren't there. */
START_TEST(sparse_manifest_can_be_changed)
{
	struct document image = DOCUMENT_INIT;
	struct annotations annotations = ANNOTATIONS_INIT;
	struct error err = ERROR_INIT;

	image_make(f.store, &image, "a");
	ck_assert_int_eq(document_put(f.store, &image, "v1", &err), 0);
	blob_remove(&image.items[0].digest);
	blob_remove(&image.config.digest);
	ck_assert_int_eq(annotations_set(&annotations, "k", "v", &err), 0);
	ck_assert_int_eq(document_set_annotations(&image, &annotations, &err), 0);
	ck_assert_msg(document_put(f.store, &image, "v1", &err) == 0, "%s", err.message);
	annotations_clear(&annotations);
	document_clear(&image);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("layout sparse");
	TCase *tests = tcase_create("sparse");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, start, stop);
	tcase_add_test(tests, sparse_index_can_be_changed);
	tcase_add_test(tests, sparse_manifest_can_be_changed);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
