/* The layout store: index.json, by itself and together with skopeo and umoci. */
#include <pthread.h>
#include <sys/wait.h>

#include "tests/unit/layout_fixture.h"

#define ENTRY_A                                                                                    \
	"{\"mediaType\":\"" MEDIA_TYPE_MANIFEST "\",\"digest\":\"" EMPTY_JSON_DIGEST               \
	"\",\"size\": 2,\"annotations\":{\"x\":\"\\u0041\",\"org.opencontainers.image.ref.name\":" \
	"\"docker.io/library/x:v1\"}}"

static struct fixture f;

static void start(void)
{
	fixture_start(&f);
}

static void stop(void)
{
	fixture_stop(&f);
}

static void index_put(const char *text)
{
	text_put(in_layout(&f, "index.json"), text);
}

static char *index_get(void)
{
	return text_get(in_layout(&f, "index.json"));
}

static void assert_index(const char *want)
{
	char *text = index_get();

	ck_assert_str_eq(text, want);
	free(text);
}

static enum error_kind resolve_outcome(const char *tag, struct digest *digest)
{
	struct descriptor entry = DESCRIPTOR_INIT;
	struct error err = ERROR_INIT;

	if (f.store->ops->resolve(f.store, &entry, tag, NULL, &err) == 0)
		*digest = entry.digest;
	descriptor_clear(&entry);
	return err.kind;
}

START_TEST(tag_is_appended_and_found)
{
	struct document image = DOCUMENT_INIT;
	struct digest digest;
	char want[1024];

	ck_assert_int_eq(resolve_outcome("v1", &digest), ERROR_NOT_FOUND);
	index_put("{\n  \"schemaVersion\": 2,\n  \"x\": 1.0,\n  \"manifests\": [\n    " ENTRY_A
		  "\n  ]\n}\n");
	image_make(f.store, &image, "a layer");
	ck_assert_int_eq(document_put(f.store, &image, "v1", NULL), 0);
	snprintf(want, sizeof(want),
		"{\n  \"schemaVersion\": 2,\n  \"x\": 1.0,\n  \"manifests\": [\n    " ENTRY_A
		",\n    {\n      \"mediaType\": \"" MEDIA_TYPE_MANIFEST
		"\",\n      \"digest\": \"%s\",\n      \"size\": %zu,\n      \"annotations\": {\n"
		"        \"org.opencontainers.image.ref.name\": \"v1\"\n      }\n    }\n  ]\n}\n",
		image.digest.text, image.json_len);
	assert_index(want);
	ck_assert_int_eq(resolve_outcome("v1", &digest), ERROR_NONE);
	ck_assert(digest_equal(&digest, &image.digest));
	ck_assert_int_eq(resolve_outcome("docker.io/library/x:v1", &digest), ERROR_NONE);
	ck_assert_str_eq(digest.text, EMPTY_JSON_DIGEST);
	ck_assert_int_eq(resolve_outcome("x", &digest), ERROR_NOT_FOUND);
	image_check(f.store, "v1", "a layer");
	document_clear(&image);
}
END_TEST

START_TEST(tag_moves_in_its_place_and_its_twins_go)
{
	struct document image = DOCUMENT_INIT;
	char want[2048];

	image_make(f.store, &image, "a layer");
	index_put("{\"schemaVersion\":2,\"manifests\":["
		  "{\"mediaType\":\"" MEDIA_TYPE_INDEX "\",\"digest\":\"" EMPTY_JSON_DIGEST
		  "\",\"size\":2,\"platform\":{\"os\":\"linux\",\"architecture\":\"arm\"},"
		  "\"artifactType\":\"a/b\",\"future\":[1, 2],"
		  "\"annotations\":{\"org.opencontainers.image.ref.name\":\"v1\",\"k\":\"v\"}},"
		  " " ENTRY_A ",{\"mediaType\":\"" MEDIA_TYPE_INDEX
		  "\",\"digest\":\"" EMPTY_JSON_DIGEST "\",\"size\":2,"
		  "\"annotations\":{\"org.opencontainers.image.ref.name\":\"v1\"}}]}");
	ck_assert_int_eq(document_put(f.store, &image, "v1", NULL), 0);
	snprintf(want, sizeof(want),
		"{\"schemaVersion\":2,\"manifests\":["
		"{\"mediaType\":\"" MEDIA_TYPE_MANIFEST "\",\"digest\":\"%s\",\"size\":%zu,"
		"\"future\":[1, 2],"
		"\"annotations\":{\"org.opencontainers.image.ref.name\":\"v1\",\"k\":\"v\"}},"
		" " ENTRY_A "]}",
		image.digest.text, image.json_len);
	assert_index(want);
	document_clear(&image);
}
END_TEST

START_TEST(artifact_type_follows_the_document)
{
	struct document artifact = DOCUMENT_INIT;
	struct digest empty;
	char *text;

	blob_must_put(f.store, EMPTY_JSON, &empty);
	ck_assert_int_eq(document_create(&artifact, DOCUMENT_MANIFEST, "application/x.thing",
				 DOCUMENT_COMPACT, NULL),
		0);
	ck_assert_int_eq(document_put(f.store, &artifact, "v1", NULL), 0);
	text = index_get();
	ck_assert_ptr_nonnull(strstr(text, "\"artifactType\":\"application/x.thing\""));
	free(text);
	image_put(f.store, "a layer", "v1");
	text = index_get();
	ck_assert_ptr_null(strstr(text, "artifactType"));
	free(text);
	document_clear(&artifact);
}
END_TEST

/* The outcome of moving v1 to an image of this seed, where the tag is expected at a digest. */
static enum error_kind move_outcome(const char *seed, const struct digest *expected)
{
	struct document image = DOCUMENT_INIT;
	struct error err = ERROR_INIT;

	image_make(f.store, &image, seed);
	f.store->ops->document_put(f.store, &image, "v1", expected, NULL, &err);
	document_clear(&image);
	return err.kind;
}

START_TEST(tag_moves_only_from_where_it_is_expected)
{
	const struct digest none = DIGEST_NONE;
	struct digest first, second;

	ck_assert(f.store->atomic_tags);
	digest_of_bytes(&second, "elsewhere", 9);
	ck_assert_int_eq(move_outcome("one", &second), ERROR_CONFLICT);
	ck_assert_int_eq(move_outcome("one", &none), ERROR_NONE);
	ck_assert_int_eq(resolve_outcome("v1", &first), ERROR_NONE);
	ck_assert_int_eq(move_outcome("two", &none), ERROR_CONFLICT);
	ck_assert_int_eq(move_outcome("two", &second), ERROR_CONFLICT);
	image_check(f.store, "v1", "one");
	/* where it is already there is nothing to expect */
	ck_assert_int_eq(move_outcome("one", &none), ERROR_NONE);
	ck_assert_int_eq(move_outcome("two", &first), ERROR_NONE);
	ck_assert_int_eq(move_outcome("three", &first), ERROR_CONFLICT);
	image_check(f.store, "v1", "two");
	ck_assert_int_eq(move_outcome("three", NULL), ERROR_NONE);
	image_check(f.store, "v1", "three");
}
END_TEST

START_TEST(same_tag_again_writes_nothing)
{
	struct stat first;
	struct stat second;
	const char *path = in_layout(&f, "index.json");

	image_put(f.store, "a layer", "v1");
	ck_assert_int_eq(stat(path, &first), 0);
	image_put(f.store, "a layer", "v1");
	ck_assert_int_eq(stat(path, &second), 0);
	ck_assert_uint_eq(first.st_ino, second.st_ino);
	ck_assert_int_eq(chmod(path, 0640), 0);
	image_put(f.store, "another", "v1");
	ck_assert_int_eq(stat(path, &second), 0);
	ck_assert_uint_ne(first.st_ino, second.st_ino);
	ck_assert_int_eq(second.st_mode & 0777, 0640);
	ck_assert_int_eq(names_count(f.path), 3);
}
END_TEST

START_TEST(broken_index_is_an_error_and_kept)
{
	struct document image = DOCUMENT_INIT;
	struct error err = ERROR_INIT;
	struct digest digest;

	image_make(f.store, &image, "a layer");
	index_put("{\"schemaVersion\":2,\"manifests\":[");
	ck_assert_int_eq(resolve_outcome("v1", &digest), ERROR_CORRUPT);
	ck_assert_int_eq(document_put(f.store, &image, "v1", &err), -1);
	ck_assert_int_eq(err.kind, ERROR_CORRUPT);
	ck_assert_ptr_nonnull(strstr(err.message, f.path));
	assert_index("{\"schemaVersion\":2,\"manifests\":[");
	ck_assert_int_eq(truncate(in_layout(&f, "index.json"), 5 << 20), 0);
	ck_assert_int_eq(resolve_outcome("v1", &digest), ERROR_TOO_LARGE);
	ck_assert_int_eq(unlink(in_layout(&f, "index.json")), 0);
	ck_assert_int_eq(resolve_outcome("v1", &digest), ERROR_CORRUPT);
	text_put(in_layout(&f, "../elsewhere.json"), "{\"schemaVersion\":2,\"manifests\":[]}");
	ck_assert_int_eq(symlink("../elsewhere.json", in_layout(&f, "index.json")), 0);
	ck_assert_int_eq(resolve_outcome("v1", &digest), ERROR_CORRUPT);
	document_clear(&image);
}
END_TEST

START_TEST(tag_must_agree_with_what_it_names)
{
	struct document image = DOCUMENT_INIT;
	struct document got = DOCUMENT_INIT;
	struct error err = ERROR_INIT;
	char text[1024];

	image_make(f.store, &image, "a layer");
	ck_assert_int_eq(document_put(f.store, &image, NULL, NULL), 0);
	snprintf(text, sizeof(text),
		"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" MEDIA_TYPE_MANIFEST
		"\",\"digest\":\"%s\",\"size\":%zu,\"annotations\":{"
		"\"org.opencontainers.image.ref.name\":\"v1\"}}]}",
		image.digest.text, image.json_len + 1);
	index_put(text);
	ck_assert_int_eq(
		f.store->ops->document_get(f.store, &got, "v1", NULL, NULL, NULL, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_CORRUPT);
	ck_assert_ptr_null(got.json);
	document_clear(&image);
}
END_TEST

START_TEST(publishing_notices_a_moved_tag)
{
	struct document first = DOCUMENT_INIT;
	struct document second = DOCUMENT_INIT;
	struct publication publication = {.tag = "v1", .root = &first};
	struct digest found;
	struct error err = ERROR_INIT;

	image_make(f.store, &first, "first");
	image_make(f.store, &second, "second");
	ck_assert_int_eq(publish(f.store, &publication, &found, NULL, &err), 0);
	publication.root = &second;
	ck_assert_int_eq(publish(f.store, &publication, &found, NULL, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_CONFLICT);
	publication.base = first.digest;
	ck_assert_int_eq(publish(f.store, &publication, &found, NULL, NULL), 0);
	image_check(f.store, "v1", "second");
	document_clear(&first);
	document_clear(&second);
}
END_TEST

#define WRITERS 3
#define TAGS 20

static void tags_put(struct store *store, int writer)
{
	char tag[32];

	for (int i = 0; i < TAGS; i++) {
		snprintf(tag, sizeof(tag), "w%d.%d", writer, i);
		image_put(store, tag, tag);
	}
}

struct writer {
	struct store *store;
	int number;
};

static void *writer_run(void *context)
{
	const struct writer *writer = context;

	tags_put(writer->store, writer->number);
	return NULL;
}

/* Two threads of one store in each of WRITERS processes. */
static void writer_process(int number)
{
	struct writer writers[2] = {{f.store, number}, {f.store, number + 100}};
	pthread_t thread;

	store_close(f.store);
	fixture_open(&f);
	writers[0].store = writers[1].store = f.store;
	ck_assert_int_eq(pthread_create(&thread, NULL, writer_run, &writers[1]), 0);
	writer_run(&writers[0]);
	pthread_join(thread, NULL);
	store_close(f.store);
	_exit(0);
}

START_TEST(writers_at_once_lose_nothing)
{
	char tag[32];

	for (int i = 0; i < WRITERS; i++) {
		if (fork() == 0)
			writer_process(i);
	}
	for (int i = 0; i < WRITERS; i++) {
		int status;

		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
	for (int i = 0; i < TAGS; i++) {
		for (int writer = 0; writer < WRITERS; writer++) {
			snprintf(tag, sizeof(tag), "w%d.%d", writer, i);
			image_check(f.store, tag, tag);
			snprintf(tag, sizeof(tag), "w%d.%d", writer + 100, i);
			image_check(f.store, tag, tag);
		}
	}
	ck_assert_int_eq(names_count(f.path), 3);
}
END_TEST

static bool tool_missing(const char *tool)
{
	if (run("command -v %s >/dev/null", tool) == 0)
		return false;
	fprintf(stderr, "skipped: %s isn't installed\n", tool);
	return true;
}

START_TEST(skopeo_reads_what_we_write)
{
	struct document image = DOCUMENT_INIT;
	char *text;

	if (tool_missing("skopeo"))
		return;
	image_make(f.store, &image, "a layer");
	ck_assert_int_eq(document_put(f.store, &image, "v1", NULL), 0);
	image_put(f.store, "another", "v2");
	ck_assert_int_eq(run("cd '%s' && skopeo inspect --raw oci:layout:v1 >raw.json", f.root), 0);
	text = text_get(in_layout(&f, "../raw.json"));
	ck_assert_str_eq(text, image.json);
	free(text);
	ck_assert_int_eq(run("cd '%s' && skopeo --insecure-policy copy -q oci:layout:v1 dir:out && "
			     "cmp out/manifest.json raw.json && cmp out/%s layout/blobs/sha256/%s",
				 f.root, digest_encoded(&image.items[0].digest),
				 digest_encoded(&image.items[0].digest)),
		0);
	document_clear(&image);
}
END_TEST

/* What begins like this skopeo takes for gzip and copies as it is. */
#define ZIPPED "\x1f\x8b\x08 a layer"

START_TEST(we_read_and_go_on_with_what_skopeo_writes)
{
	if (tool_missing("skopeo"))
		return;
	image_put(f.store, ZIPPED, "v1");
	ck_assert_int_eq(
		run("cd '%s' && skopeo --insecure-policy copy -q oci:layout:v1 oci:copy:c1",
			f.root),
		0);
	store_close(f.store);
	snprintf(f.path, sizeof(f.path), "%s/copy", f.root);
	fixture_open(&f);
	image_check(f.store, "c1", ZIPPED);
	image_put(f.store, ZIPPED " 2", "c2");
	ck_assert_int_eq(
		run("cd '%s' && skopeo --insecure-policy copy -q oci:copy:c2 oci:copy:c3", f.root),
		0);
	image_check(f.store, "c1", ZIPPED);
	image_check(f.store, "c2", ZIPPED " 2");
	image_check(f.store, "c3", ZIPPED " 2");
}
END_TEST

START_TEST(umoci_reads_what_we_write)
{
	if (tool_missing("umoci"))
		return;
	image_put(f.store, "a layer", "v1");
	image_put(f.store, "another", "v2");
	ck_assert_int_eq(
		run("cd '%s' && test \"$(umoci ls --layout layout | sort | tr '\\n' ' ')\" "
		    "= 'v1 v2 ' && umoci stat --image layout:v1 >/dev/null",
			f.root),
		0);
}
END_TEST

START_TEST(we_go_on_with_what_umoci_makes)
{
	if (tool_missing("umoci"))
		return;
	ck_assert_int_eq(run("cd '%s' && umoci init --layout made", f.root), 0);
	store_close(f.store);
	snprintf(f.path, sizeof(f.path), "%s/made", f.root);
	fixture_open(&f);
	image_put(f.store, "a layer", "v1");
	image_check(f.store, "v1", "a layer");
	ck_assert_int_eq(run("cd '%s' && umoci new --image made:u1 && "
			     "test \"$(umoci ls --layout made | sort | tr '\\n' ' ')\" = 'u1 v1 '",
				 f.root),
		0);
	image_check(f.store, "v1", "a layer");
	image_put(f.store, "another", "u1");
	image_check(f.store, "u1", "another");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("layout tags");
	TCase *tags = tcase_create("index.json");
	TCase *tools = tcase_create("other tools");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tags, start, stop);
	tcase_set_timeout(tags, 60);
	tcase_add_test(tags, tag_is_appended_and_found);
	tcase_add_test(tags, tag_moves_in_its_place_and_its_twins_go);
	tcase_add_test(tags, artifact_type_follows_the_document);
	tcase_add_test(tags, tag_moves_only_from_where_it_is_expected);
	tcase_add_test(tags, same_tag_again_writes_nothing);
	tcase_add_test(tags, broken_index_is_an_error_and_kept);
	tcase_add_test(tags, tag_must_agree_with_what_it_names);
	tcase_add_test(tags, publishing_notices_a_moved_tag);
	tcase_add_test(tags, writers_at_once_lose_nothing);
	tcase_add_checked_fixture(tools, start, stop);
	tcase_set_timeout(tools, 60);
	tcase_add_test(tools, skopeo_reads_what_we_write);
	tcase_add_test(tools, we_read_and_go_on_with_what_skopeo_writes);
	tcase_add_test(tools, umoci_reads_what_we_write);
	tcase_add_test(tools, we_go_on_with_what_umoci_makes);
	suite_add_tcase(suite, tags);
	suite_add_tcase(suite, tools);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
