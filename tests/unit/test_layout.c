/* The layout store: what it makes, keeps, refuses. */
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

static void reopen(void)
{
	store_close(f.store);
	f.store = NULL;
	fixture_open(&f);
}

static const char some_layer[] = "a layer";

START_TEST(missing_folder_is_made_with_its_parents)
{
	struct store *store = NULL;
	struct error err = ERROR_INIT;
	char path[256];
	char *text;

	text = text_get(in_layout(&f, "oci-layout"));
	ck_assert_str_eq(text, "{\"imageLayoutVersion\":\"1.0.0\"}");
	free(text);
	text = text_get(in_layout(&f, "index.json"));
	ck_assert_ptr_nonnull(strstr(text, "\"manifests\":[]"));
	free(text);
	ck_assert_int_eq(names_count(f.path), 3);
	ck_assert(!f.store->read_only);

	snprintf(path, sizeof(path), "%s/a/b/c/", f.root);
	ck_assert_msg(open_at(&store, path, &err) == 0, "%s", err.message);
	store_close(store);
	ck_assert_int_eq(names_count(path), 3);
}
END_TEST

START_TEST(empty_and_half_made_folders_become_layouts)
{
	ck_assert_int_eq(run("rm -r '%s'/*", f.path), 0);
	reopen();
	ck_assert_int_eq(unlink(in_layout(&f, "oci-layout")), 0);
	image_put(f.store, some_layer, "kept");
	reopen();
	image_check(f.store, "kept", some_layer);
}
END_TEST

static enum error_kind open_outcome(const char *path)
{
	struct store *store = NULL;
	struct error err = ERROR_INIT;

	if (open_at(&store, path, &err) == 0) {
		store_close(store);
		return ERROR_NONE;
	}
	ck_assert_ptr_nonnull(strstr(err.message, path));
	return err.kind;
}

START_TEST(other_folders_are_refused_and_left_alone)
{
	char path[256];

	text_put(in_layout(&f, "../letter.txt"), "dear");
	ck_assert_int_eq(open_outcome(f.root), ERROR_INVALID);
	ck_assert_int_eq(names_count(f.root), 2);
	snprintf(path, sizeof(path), "%s/letter.txt", f.root);
	ck_assert_int_eq(open_outcome(path), ERROR_INVALID);
	snprintf(path, sizeof(path), "%s/letter.txt/sub", f.root);
	ck_assert_int_ne(open_outcome(path), ERROR_NONE);
}
END_TEST

START_TEST(mark_must_be_a_known_one)
{
	text_put(in_layout(&f, "oci-layout"), "{\"imageLayoutVersion\":\"2.0.0\"}");
	ck_assert_int_eq(open_outcome(f.path), ERROR_INVALID);
	text_put(in_layout(&f, "oci-layout"), "{}");
	ck_assert_int_eq(open_outcome(f.path), ERROR_INVALID);
	text_put(in_layout(&f, "oci-layout"), "");
	ck_assert_int_eq(open_outcome(f.path), ERROR_INVALID);
	ck_assert_int_eq(truncate(in_layout(&f, "oci-layout"), 1 << 20), 0);
	ck_assert_int_eq(open_outcome(f.path), ERROR_TOO_LARGE);
	ck_assert_int_eq(unlink(in_layout(&f, "oci-layout")), 0);
	ck_assert_int_eq(symlink("/etc/hostname", in_layout(&f, "oci-layout")), 0);
	ck_assert_int_eq(open_outcome(f.path), ERROR_CORRUPT);
}
END_TEST

/* As another user than root, whom nothing stops. The tests of this process end with it. */
static void become_nobody(void)
{
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(65534), 0);
}

START_TEST(unwritable_layout_is_read_only)
{
	struct document image = DOCUMENT_INIT;
	struct error err = ERROR_INIT;
	struct digest digest;
	char empty[256];

	image_put(f.store, some_layer, "v1");
	image_make(f.store, &image, "other");
	snprintf(empty, sizeof(empty), "%s/empty", f.root);
	ck_assert_int_eq(mkdir(empty, 0555), 0);
	ck_assert_int_eq(chmod(f.root, 0755), 0);
	ck_assert_int_eq(chmod(f.path, 0555), 0);
	become_nobody();
	reopen();
	ck_assert(f.store->read_only);
	image_check(f.store, "v1", some_layer);
	ck_assert_int_eq(document_put(f.store, &image, "v2", &err), -1);
	ck_assert_int_eq(err.kind, ERROR_READ_ONLY);
	error_clear(&err);
	digest_of_bytes(&digest, "new", 3);
	ck_assert_int_eq(blob_put(f.store, &digest, "new", 3, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_READ_ONLY);
	ck_assert_int_eq(open_outcome(empty), ERROR_INVALID);
	document_clear(&image);
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(chmod(f.path, 0755), 0);
}
END_TEST

struct received {
	char bytes[64];
	size_t len;
	uint64_t first;
	int fail;
};

static int receive(void *context, uint64_t offset, const void *bytes, size_t len, struct error *err)
{
	struct received *received = context;

	if (received->fail)
		return error_set(err, ERROR_QUOTA, "enough");
	if (received->len == 0)
		received->first = offset;
	ck_assert_uint_eq(offset, received->first + received->len);
	ck_assert_uint_le(received->len + len, sizeof(received->bytes));
	memcpy(received->bytes + received->len, bytes, len);
	received->len += len;
	return 0;
}

static enum error_kind get(struct received *received, const struct digest *digest, int64_t size,
	uint64_t offset, uint64_t length)
{
	const struct store_sink sink = {.write = receive, .context = received};
	struct error err = ERROR_INIT;

	received->len = 0;
	f.store->ops->blob_get(f.store, digest, size, offset, length, &sink, NULL, &err);
	return err.kind;
}

START_TEST(blob_goes_in_and_comes_out)
{
	struct received received = {.len = 0};
	struct error err = ERROR_INIT;
	struct digest digest;
	bool there = true;
	int fd;

	digest_of_bytes(&digest, "0123456789", 10);
	ck_assert_int_eq(get(&received, &digest, 10, 0, 10), ERROR_NOT_FOUND);
	ck_assert_int_eq(f.store->ops->blob_exists(f.store, &there, &digest, 10, NULL, &err), 0);
	ck_assert(!there);
	blob_must_put(f.store, "0123456789", &digest);
	ck_assert_int_eq(f.store->ops->blob_exists(f.store, &there, &digest, 10, NULL, &err), 0);
	ck_assert(there);
	ck_assert_int_eq(get(&received, &digest, 10, 0, 10), ERROR_NONE);
	ck_assert_mem_eq(received.bytes, "0123456789", 10);
	ck_assert_int_eq(get(&received, &digest, 10, 3, 4), ERROR_NONE);
	ck_assert_uint_eq(received.len, 4);
	ck_assert_mem_eq(received.bytes, "3456", 4);
	ck_assert_int_eq(get(&received, &digest, 10, 10, 0), ERROR_NONE);
	ck_assert_int_eq(get(&received, &digest, 10, 8, 3), ERROR_INVALID);
	ck_assert_int_eq(get(&received, &digest, 10, 11, UINT64_MAX), ERROR_INVALID);
	ck_assert_int_eq(get(&received, &digest, 9, 0, 9), ERROR_CORRUPT);
	received.fail = 1;
	ck_assert_int_eq(get(&received, &digest, 10, 0, 10), ERROR_QUOTA);
	fd = f.store->ops->blob_open(f.store, &digest, 10, &err);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(f.store->ops->blob_open(f.store, &digest, 11, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_CORRUPT);
}
END_TEST

/* A fixed sequence that no compression or sparseness hides. */
static void noise_fill(unsigned char *bytes, size_t len)
{
	uint32_t state = 1;

	for (size_t i = 0; i < len; i++) {
		state = state * 1664525 + 1013904223;
		bytes[i] = (unsigned char)(state >> 24);
	}
}

static void progress_note(void *context, int64_t sent)
{
	*(int64_t *)context = sent;
}

START_TEST(large_blob_is_copied_and_its_source_left_alone)
{
	const size_t len = ((size_t)3 << 20) + 7;
	unsigned char *bytes = malloc(len);
	int64_t sent = 0;
	struct digest digest;
	struct error err = ERROR_INIT;
	cleanup_close int fd = -1;
	struct stat st;

	noise_fill(bytes, len);
	digest_of_bytes(&digest, bytes, len);
	fd = bytes_fd(bytes, len);
	ck_assert_int_eq(lseek(fd, 5, SEEK_SET), 5);
	ck_assert_int_eq(f.store->ops->blob_put(f.store, &digest,
				 &(struct store_source){.fd = fd,
					 .size = (int64_t)len,
					 .progress = progress_note,
					 .context = &sent},
				 NULL, &err),
		0);
	ck_assert_int_eq(sent, (int64_t)len);
	ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 5);
	ck_assert_int_eq(stat(in_layout(&f, "blobs/sha256/%s", digest_encoded(&digest)), &st), 0);
	ck_assert_int_eq(st.st_size, (off_t)len);
	ck_assert_int_eq(
		run("cd '%s/blobs/sha256' && sha256sum * | awk '$1 != $2 {exit 1}'", f.path), 0);
	free(bytes);
}
END_TEST

START_TEST(wrong_sources_leave_nothing)
{
	struct error err = ERROR_INIT;
	struct digest digest;
	struct cancel cancel;
	cleanup_close int fd = bytes_fd("abc", 3);

	digest_of_bytes(&digest, "abd", 3);
	ck_assert_int_eq(blob_put(f.store, &digest, "abc", 3, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_CORRUPT);
	ck_assert_ptr_nonnull(strstr(err.message, digest.text));
	error_clear(&err);
	digest_of_bytes(&digest, "abc", 3);
	ck_assert_int_eq(f.store->ops->blob_put(f.store, &digest,
				 &(struct store_source){.fd = fd, .size = 4}, NULL, &err),
		-1);
	ck_assert_int_eq(err.kind, ERROR_CORRUPT);
	error_clear(&err);
	cancel_init(&cancel);
	cancel_fire(&cancel);
	ck_assert_int_eq(f.store->ops->blob_put(f.store, &digest,
				 &(struct store_source){.fd = fd, .size = 3}, &cancel, &err),
		-1);
	ck_assert_int_eq(err.kind, ERROR_INTERRUPTED);
	cancel_destroy(&cancel);
	ck_assert_int_eq(names_count(in_layout(&f, "blobs/sha256")), 0);
}
END_TEST

/* Stops the copy in its middle. */
static void progress_cancel(void *context, int64_t sent)
{
	(void)sent;
	cancel_fire(context);
}

START_TEST(copy_ends_soon_after_cancel)
{
	const size_t len = (size_t)8 << 20;
	char *bytes = calloc(1, len);
	struct error err = ERROR_INIT;
	struct cancel cancel;
	struct digest digest;
	cleanup_close int fd = bytes_fd(bytes, len);
	struct store_source source = {
		.fd = fd, .size = (int64_t)len, .progress = progress_cancel, .context = &cancel};

	cancel_init(&cancel);
	digest_of_bytes(&digest, bytes, len);
	ck_assert_int_eq(f.store->ops->blob_put(f.store, &digest, &source, &cancel, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_INTERRUPTED);
	ck_assert_int_eq(names_count(in_layout(&f, "blobs/sha256")), 0);
	cancel_destroy(&cancel);
	free(bytes);
}
END_TEST

START_TEST(blob_there_is_trusted_by_its_size)
{
	struct digest digest;
	struct stat first;
	struct stat second;
	char path[PATH_MAX];

	blob_must_put(f.store, "abc", &digest);
	snprintf(path, sizeof(path), "%s",
		in_layout(&f, "blobs/sha256/%s", digest_encoded(&digest)));
	ck_assert_int_eq(stat(path, &first), 0);
	blob_must_put(f.store, "abc", &digest);
	ck_assert_int_eq(stat(path, &second), 0);
	ck_assert_uint_eq(first.st_ino, second.st_ino);
	text_put(path, "ab");
	blob_must_put(f.store, "abc", &digest);
	ck_assert_int_eq(stat(path, &second), 0);
	ck_assert_int_eq(second.st_size, 3);
	ck_assert_int_eq(names_count(in_layout(&f, "blobs/sha256")), 1);
}
END_TEST

START_TEST(sha512_is_verified_too)
{
	struct hasher *hasher;
	struct received received = {.len = 0};
	struct error err = ERROR_INIT;
	struct digest digest;
	char like[DIGEST_TEXT_SIZE] = "sha512:";

	memset(like + 7, '0', 128);
	ck_assert(digest_parse(&digest, like));
	hasher = hasher_new(&digest);
	ck_assert_int_eq(blob_put(f.store, &digest, "abc", 3, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_CORRUPT);
	hasher_update(hasher, "abc", 3);
	hasher_digest(hasher, &digest);
	hasher_free(hasher);
	error_clear(&err);
	ck_assert_msg(blob_put(f.store, &digest, "abc", 3, &err) == 0, "%s", err.message);
	ck_assert_int_eq(
		access(in_layout(&f, "blobs/sha512/%s", digest_encoded(&digest)), R_OK), 0);
	ck_assert_int_eq(get(&received, &digest, 3, 0, 3), ERROR_NONE);
}
END_TEST

static void link_make(const char *path)
{
	ck_assert_int_eq(symlink("/etc/passwd", path), 0);
}

static void dangling_make(const char *path)
{
	ck_assert_int_eq(symlink("missing", path), 0);
}

static void pipe_make(const char *path)
{
	ck_assert_int_eq(mkfifo(path, 0600), 0);
}

START_TEST(what_is_no_blob_is_corrupt_and_can_be_replaced)
{
	void (*const make[])(const char *) = {link_make, dangling_make, pipe_make};
	struct received received = {.len = 0};
	struct digest digest;

	digest_of_bytes(&digest, "abc", 3);
	for (size_t i = 0; i < sizeof(make) / sizeof(*make); i++) {
		const char *path = in_layout(&f, "blobs/sha256/%s", digest_encoded(&digest));

		make[i](path);
		ck_assert_int_eq(get(&received, &digest, 3, 0, 3), ERROR_CORRUPT);
		blob_must_put(f.store, "abc", &digest);
		ck_assert_int_eq(get(&received, &digest, 3, 0, 3), ERROR_NONE);
		ck_assert_int_eq(unlink(path), 0);
	}
	ck_assert_int_eq(names_count(in_layout(&f, "blobs/sha256")), 0);
}
END_TEST

START_TEST(no_digest_leads_out_of_the_folder)
{
	struct digest hostile = {.text = "sha256:../../../secret"};
	struct received received = {.len = 0};
	struct digest unknown;

	text_put(in_layout(&f, "../secret"), "abc");
	ck_assert_int_eq(get(&received, &hostile, 3, 0, 3), ERROR_CORRUPT);
	ck_assert(digest_parse(&unknown, "blake9:abc"));
	ck_assert_int_eq(get(&received, &unknown, 3, 0, 3), ERROR_CORRUPT);
	ck_assert_int_eq(blob_put(f.store, &unknown, "abc", 3, NULL), -1);
	ck_assert_int_eq(names_count(in_layout(&f, "blobs")), 1);
	blob_must_put(f.store, "abc", &unknown);
	ck_assert_int_eq(
		run("cd '%s' && mv blobs ../elsewhere && ln -s ../elsewhere blobs", f.path), 0);
	ck_assert_int_eq(get(&received, &unknown, 3, 0, 3), ERROR_CORRUPT);
}
END_TEST

START_TEST(document_is_checked)
{
	struct document image = DOCUMENT_INIT;
	struct document got = DOCUMENT_INIT;
	struct error err = ERROR_INIT;
	const struct store_ops *ops = f.store->ops;
	const char *path;

	image_make(f.store, &image, some_layer);
	ck_assert_int_eq(
		ops->document_get(f.store, &got, NULL, &image.digest, NULL, NULL, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_NOT_FOUND);
	error_clear(&err);
	ck_assert_int_eq(document_put(f.store, &image, NULL, &err), 0);
	ck_assert_int_eq(
		ops->document_get(f.store, &got, NULL, &image.digest, NULL, NULL, &err), 0);
	ck_assert_str_eq(got.json, image.json);
	document_clear(&got);
	path = in_layout(&f, "blobs/sha256/%s", digest_encoded(&image.digest));
	text_put(path, "{}");
	ck_assert_int_eq(
		ops->document_get(f.store, &got, NULL, &image.digest, NULL, NULL, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_CORRUPT);
	error_clear(&err);
	ck_assert_int_eq(truncate(path, (5 << 20)), 0);
	ck_assert_int_eq(
		ops->document_get(f.store, &got, NULL, &image.digest, NULL, NULL, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_TOO_LARGE);
	ck_assert_int_eq(document_put(f.store, &image, NULL, NULL), 0);
	ck_assert_int_eq(
		ops->document_get(f.store, &got, NULL, &image.digest, NULL, NULL, NULL), 0);
	document_clear(&got);
	document_clear(&image);
}
END_TEST

START_TEST(document_needs_what_it_names)
{
	struct document image = DOCUMENT_INIT;
	struct error err = ERROR_INIT;

	image_make(f.store, &image, some_layer);
	ck_assert_int_eq(
		unlink(in_layout(&f, "blobs/sha256/%s", digest_encoded(&image.items[0].digest))),
		0);
	ck_assert_int_eq(document_put(f.store, &image, "v1", &err), -1);
	ck_assert_int_eq(err.kind, ERROR_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(err.message, image.items[0].digest.text));
	document_clear(&image);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("layout");
	TCase *folder = tcase_create("folder");
	TCase *blobs = tcase_create("blobs and documents");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(folder, start, stop);
	tcase_add_test(folder, missing_folder_is_made_with_its_parents);
	tcase_add_test(folder, empty_and_half_made_folders_become_layouts);
	tcase_add_test(folder, other_folders_are_refused_and_left_alone);
	tcase_add_test(folder, mark_must_be_a_known_one);
	tcase_add_test(folder, unwritable_layout_is_read_only);
	tcase_add_checked_fixture(blobs, start, stop);
	tcase_add_test(blobs, blob_goes_in_and_comes_out);
	tcase_add_test(blobs, large_blob_is_copied_and_its_source_left_alone);
	tcase_add_test(blobs, wrong_sources_leave_nothing);
	tcase_add_test(blobs, copy_ends_soon_after_cancel);
	tcase_add_test(blobs, blob_there_is_trusted_by_its_size);
	tcase_add_test(blobs, sha512_is_verified_too);
	tcase_add_test(blobs, what_is_no_blob_is_corrupt_and_can_be_replaced);
	tcase_add_test(blobs, no_digest_leads_out_of_the_folder);
	tcase_add_test(blobs, document_is_checked);
	tcase_add_test(blobs, document_needs_what_it_names);
	suite_add_tcase(suite, folder);
	suite_add_tcase(suite, blobs);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
