#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "media_type.h"
#include "registry/layout/layout.h"
#include "registry_process.h"

#define EMPTY_INDEX "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_INDEX "\",\"manifests\":[]}"

static char folder[64];
static struct store *store;

static void setup(void)
{
	const struct store_options options = STORE_OPTIONS_DEFAULT;
	struct reference reference = {.transport = REFERENCE_LAYOUT, .path = folder};
	struct error err = ERROR_INIT;

	strcpy(folder, "/tmp/indexfs-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_msg(
		layout_open(&store, &reference, &options, NULL, &err) == 0, "%s", err.message);
}

static void teardown(void)
{
	store_close(store);
	ck_assert(shell_run("rm -rf \"$1\"", folder));
}

static void put(struct document *out, const char *json, const char *tag)
{
	struct error err = ERROR_INIT;

	ck_assert_msg(document_parse(out, NULL, json, strlen(json), &err) == 0, "%s", err.message);
	ck_assert_msg(store->ops->document_put(store, out, tag, NULL, NULL, &err) == 0, "%s",
		err.message);
}

/* An artifact that refers to a document. */
static void put_artifact(const struct document *subject, const char *type, const char *tag)
{
	struct document artifact;
	char json[1024];

	snprintf(json, sizeof(json),
		"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_INDEX
		"\",\"artifactType\":\"%s\",\"manifests\":[],\"subject\":{\"mediaType\":\"%s\","
		"\"digest\":\"%s\",\"size\":%zu},\"annotations\":{\"k\":\"%s\"}}",
		type, subject->media_type, subject->digest.text, subject->json_len, type);
	put(&artifact, json, tag);
	document_clear(&artifact);
}

static size_t count_of(const struct document *subject, const char *type)
{
	struct document list = DOCUMENT_INIT;
	struct error err = ERROR_INIT;
	size_t count;

	ck_assert_msg(store->ops->referrers(store, &list, &subject->digest, type, NULL, &err) == 0,
		"%s", err.message);
	count = list.count;
	for (size_t i = 0; i < count; i++)
		ck_assert_str_eq(annotations_get(&list.items[i].annotations, "k"),
			list.items[i].artifact_type);
	document_clear(&list);
	return count;
}

START_TEST(referrers_are_found_by_reading)
{
	struct document subject;

	put(&subject, EMPTY_INDEX, "v1");
	ck_assert_uint_eq(count_of(&subject, NULL), 0);
	put_artifact(&subject, "a/b", NULL);
	put_artifact(&subject, "a/b", NULL);
	put_artifact(&subject, "c/d", "signed");
	ck_assert_uint_eq(count_of(&subject, NULL), 2);
	ck_assert_uint_eq(count_of(&subject, "a/b"), 1);
	ck_assert_uint_eq(count_of(&subject, "x/y"), 0);
	document_clear(&subject);
}
END_TEST

/* Below a nested index too, and past an entry of which nothing is there. */
START_TEST(nested_referrers_are_found)
{
	struct document subject, artifact, outer;
	char json[2048];

	put(&subject, EMPTY_INDEX, "v1");
	snprintf(json, sizeof(json),
		"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_INDEX
		"\",\"artifactType\":\"a/b\",\"manifests\":[],\"subject\":{\"mediaType\":\"%s\","
		"\"digest\":\"%s\",\"size\":%zu},\"annotations\":{\"k\":\"a/b\"}}",
		subject.media_type, subject.digest.text, subject.json_len);
	put(&artifact, json, "gone");
	snprintf(json, sizeof(json),
		"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_INDEX
		"\",\"manifests\":[{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu}]}",
		artifact.media_type, artifact.digest.text, artifact.json_len);
	put(&outer, json, "outer");
	document_clear(&outer);
	put(&outer, EMPTY_INDEX, "gone");
	ck_assert_uint_eq(count_of(&subject, NULL), 1);
	document_clear(&outer);
	snprintf(
		json, sizeof(json), "%s/blobs/sha256/%s", folder, digest_encoded(&artifact.digest));
	ck_assert_int_eq(remove(json), 0);
	ck_assert_uint_eq(count_of(&subject, NULL), 0);
	document_clear(&subject);
	document_clear(&artifact);
}
END_TEST

static int collect(void *context, const char *tag, struct error *err)
{
	if (strcmp(tag, "stop") == 0)
		return error_set(err, ERROR_INTERRUPTED, "stop");
	strcat(strcat(context, tag), " ");
	return 0;
}

START_TEST(tags_are_listed)
{
	struct error err = ERROR_INIT;
	struct document document;
	char tags[128] = "";

	ck_assert_int_eq(store->ops->tags(store, collect, tags, NULL, &err), 0);
	ck_assert_str_eq(tags, "");
	put(&document, EMPTY_INDEX, "v2");
	put_artifact(&document, "a/b", NULL);
	document_clear(&document);
	put(&document, EMPTY_INDEX, "v1");
	document_clear(&document);
	put(&document, EMPTY_INDEX, "not a tag");
	document_clear(&document);
	ck_assert_int_eq(store->ops->tags(store, collect, tags, NULL, &err), 0);
	ck_assert_str_eq(tags, "v1 v2 ");
	put(&document, EMPTY_INDEX, "stop");
	document_clear(&document);
	ck_assert_int_eq(store->ops->tags(store, collect, tags, NULL, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_INTERRUPTED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("layout_referrers");
	TCase *tcase = tcase_create("layout_referrers");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, referrers_are_found_by_reading);
	tcase_add_test(tcase, nested_referrers_are_found);
	tcase_add_test(tcase, tags_are_listed);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
