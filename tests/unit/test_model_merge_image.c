/* Images that both sides have changed: the config is of the merged layers. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "cleanup.h"
#include "image_config.h"
#include "media_type.h"
#include "merge.h"

#define TEXT_SIZE 4096

/* A tag that is one image: its layers are letters, and so are what they hold, in upper case. */
struct image {
	struct document manifest;
	char config[TEXT_SIZE];
};

static struct image base, ours, theirs;
static const struct platform platform = {.os = (char *)"linux", .architecture = (char *)"amd64"};
static bool unreadable;
static enum merge_choice choice;
static unsigned asked;

static void digest_of_letter(struct digest *out, char letter)
{
	digest_of_bytes(out, &letter, 1);
}

/* more: members of the config after architecture and os. */
static void image_set(struct image *image, const char *layers, const char *more)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(BUF_UNBOUNDED);
	cleanup_with(buf_free) struct buf config = BUF_INIT(BUF_UNBOUNDED);
	struct digest digest;

	ck_assert_int_eq(buf_printf(&config,
				 "{\"architecture\":\"amd64\",\"os\":\"linux\",%s"
				 "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[",
				 more),
		0);
	for (const char *at = layers; *at; at++) {
		digest_of_letter(&digest, (char)(*at - 'a' + 'A'));
		ck_assert_int_eq(
			buf_printf(&config, "%s\"%s\"", at > layers ? "," : "", digest.text), 0);
	}
	ck_assert_int_eq(buf_append_text(&config, "]}}"), 0);
	snprintf(image->config, sizeof(image->config), "%s", config.data);
	digest_of_bytes(&digest, config.data, config.len);
	ck_assert_int_eq(buf_printf(&text,
				 "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_MANIFEST
				 "\",\"config\":{\"mediaType\":\"" MEDIA_TYPE_IMAGE_CONFIG
				 "\",\"digest\":\"%s\",\"size\":%zu},\"layers\":[",
				 digest.text, config.len),
		0);
	for (const char *at = layers; *at; at++) {
		digest_of_letter(&digest, *at);
		ck_assert_int_eq(
			buf_printf(&text,
				"%s{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\","
				"\"digest\":\"%s\",\"size\":1}",
				at > layers ? "," : "", digest.text),
			0);
	}
	ck_assert_int_eq(buf_append_text(&text, "]}"), 0);
	document_clear(&image->manifest);
	ck_assert_int_eq(document_parse(&image->manifest, NULL, text.data, text.len, NULL), 0);
}

static int give_config(
	void *context, char **out, size_t *len, const struct descriptor *config, struct error *err)
{
	const struct image *const sides[] = {&base, &ours, &theirs};

	(void)context;
	(void)err;
	asked++;
	*out = NULL;
	for (int i = 0; i < 3 && !unreadable; i++)
		if (!*out && digest_equal(&sides[i]->manifest.config.digest, &config->digest))
			*out = strdup(sides[i]->config);
	*len = *out ? strlen(*out) : 0;
	return 0;
}

static int no_manifest(
	void *context, struct document *out, const struct descriptor *entry, struct error *err)
{
	(void)context;
	(void)out;
	return error_set(err, ERROR_NOT_FOUND, "%s", entry->digest.text);
}

static enum merge_choice settle(void *context, const char *path)
{
	(void)context;
	ck_assert_str_eq(path, "linux-amd64/config");
	return choice;
}

static void setup(void)
{
	unreadable = false;
	choice = MERGE_UNSETTLED;
	asked = 0;
}

static void teardown(void)
{
	document_clear(&base.manifest);
	document_clear(&ours.manifest);
	document_clear(&theirs.manifest);
}

static void run(struct merge_result *out)
{
	const struct merge_input input = {
		.base = &base.manifest,
		.ours = &ours.manifest,
		.theirs = &theirs.manifest,
		.base_platform = &platform,
		.ours_platform = &platform,
		.theirs_platform = &platform,
		.manifest = no_manifest,
		.config = give_config,
		.settle = settle,
	};
	struct error err = ERROR_INIT;

	ck_assert_msg(merge(out, &input, &err) == 0, "%s", err.message);
}

/* The result is an image of these layers, and its config is this image's. */
static void assert_image(const char *layers, const char *more)
{
	cleanup_with(merge_result_clear) struct merge_result result = MERGE_RESULT_INIT;
	struct image want = {.manifest = DOCUMENT_INIT};

	run(&result);
	image_set(&want, layers, more);
	ck_assert_uint_eq(result.conflict_count, 0);
	ck_assert_str_eq(result.root.json, want.manifest.json);
	ck_assert_uint_eq(result.config_count, 1);
	ck_assert_str_eq(result.configs[0].json, want.config);
	ck_assert_uint_eq(result.configs[0].len, strlen(want.config));
	ck_assert(digest_equal(&result.configs[0].digest, &want.manifest.config.digest));
	document_clear(&want.manifest);
}

static void assert_conflict(void)
{
	cleanup_with(merge_result_clear) struct merge_result result = MERGE_RESULT_INIT;

	run(&result);
	ck_assert_uint_eq(result.conflict_count, 1);
	ck_assert_str_eq(result.conflicts[0].path, "linux-amd64/config");
	ck_assert_uint_eq(result.config_count, 0);
}

START_TEST(both_add_a_layer)
{
	image_set(&base, "a", "\"x\":[1.0],");
	image_set(&ours, "ab", "\"x\":[1.0],");
	image_set(&theirs, "ac", "\"x\":[1.0],");
	assert_image("acb", "\"x\":[1.0],");
}
END_TEST

START_TEST(one_adds_and_one_removes)
{
	image_set(&base, "abc", "");
	image_set(&ours, "abcd", "");
	image_set(&theirs, "ac", "");
	assert_image("acd", "");
}
END_TEST

/* History tells of each layer: it goes where their number changes. */
START_TEST(what_else_theirs_has_changed_stays)
{
	image_set(&base, "a", "\"history\":[{}],");
	image_set(&ours, "ab", "");
	image_set(&theirs, "a", "\"config\":{\"Cmd\":[\"x\"]},\"history\":[{}],");
	assert_image("ab", "\"config\":{\"Cmd\":[\"x\"]},");
}
END_TEST

START_TEST(what_else_ours_has_changed_stays)
{
	image_set(&base, "a", "");
	image_set(&ours, "a", "\"config\":{\"Cmd\":[\"x\"]},");
	image_set(&theirs, "ab", "");
	assert_image("ab", "\"config\":{\"Cmd\":[\"x\"]},");
}
END_TEST

START_TEST(both_have_changed_more)
{
	image_set(&base, "a", "");
	image_set(&ours, "ab", "\"config\":{\"Cmd\":[\"x\"]},");
	image_set(&theirs, "ac", "\"config\":{\"Cmd\":[\"y\"]},");
	assert_conflict();
	choice = MERGE_OURS;
	assert_image("acb", "\"config\":{\"Cmd\":[\"x\"]},");
	choice = MERGE_THEIRS;
	assert_image("acb", "\"config\":{\"Cmd\":[\"y\"]},");
}
END_TEST

START_TEST(a_config_that_cannot_be_read)
{
	image_set(&base, "a", "");
	image_set(&ours, "ab", "");
	image_set(&theirs, "ac", "");
	unreadable = true;
	assert_conflict();
	ck_assert_uint_gt(asked, 0);
}
END_TEST

START_TEST(a_config_with_too_few_diff_ids)
{
	image_set(&base, "a", "");
	image_set(&ours, "ab", "");
	image_set(&theirs, "ac", "");
	strcpy(strchr(theirs.config, '['), "[]}}");
	assert_conflict();
}
END_TEST

START_TEST(layers_of_one_side_need_no_config)
{
	cleanup_with(merge_result_clear) struct merge_result result = MERGE_RESULT_INIT;
	struct annotations notes = ANNOTATIONS_INIT;

	image_set(&base, "a", "");
	image_set(&ours, "ab", "");
	image_set(&theirs, "a", "");
	ck_assert_int_eq(annotations_set(&notes, "k", "v", NULL), 0);
	ck_assert_int_eq(document_set_annotations(&theirs.manifest, &notes, NULL), 0);
	annotations_clear(&notes);
	run(&result);
	ck_assert_uint_eq(asked, 0);
	ck_assert_uint_eq(result.config_count, 0);
	ck_assert(digest_equal(&result.root.config.digest, &ours.manifest.config.digest));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("merge of images");
	TCase *cases = tcase_create("images");

	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_test(cases, both_add_a_layer);
	tcase_add_test(cases, one_adds_and_one_removes);
	tcase_add_test(cases, what_else_theirs_has_changed_stays);
	tcase_add_test(cases, what_else_ours_has_changed_stays);
	tcase_add_test(cases, both_have_changed_more);
	tcase_add_test(cases, a_config_that_cannot_be_read);
	tcase_add_test(cases, a_config_with_too_few_diff_ids);
	tcase_add_test(cases, layers_of_one_side_need_no_config);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
