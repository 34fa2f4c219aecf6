#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "image_config.h"
#include "media_type.h"

#define A "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define B "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define LAYER "application/vnd.oci.image.layer.v1.tar+gzip"

static const struct digest ids[] = {{A}, {B}};

static void platform_of(struct platform *out, const char *name)
{
	struct error err = ERROR_INIT;

	ck_assert_msg(platform_parse(out, name, &err) == 0, "%s", err.message);
}

static void expect_created(
	const char *name, size_t count, enum document_style style, const char *want)
{
	cleanup_with(buf_free) struct buf out = BUF_INIT(4096);
	cleanup_with(platform_clear) struct platform platform = PLATFORM_INIT;
	struct error err = ERROR_INIT;

	platform_of(&platform, name);
	ck_assert_msg(image_config_create(&out, &platform, ids, count, style, &err) == 0, "%s",
		err.message);
	ck_assert_str_eq(out.data, want);
}

START_TEST(creates_in_the_order_of_the_contract)
{
	expect_created("linux-amd64", 2, DOCUMENT_COMPACT,
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\","
		"\"diff_ids\":[\"" A "\",\"" B "\"]}}");
	expect_created("windows-arm-v7@10.0+win32k+other", 1, DOCUMENT_COMPACT,
		"{\"architecture\":\"arm\",\"os\":\"windows\",\"os.version\":\"10.0\","
		"\"variant\":\"v7\",\"os.features\":[\"win32k\",\"other\"],"
		"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" A "\"]}}");
	expect_created("linux-amd64", 0, DOCUMENT_COMPACT,
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\","
		"\"diff_ids\":[]}}");
	expect_created("darwin-arm64@macOS 12.6+a", 2, DOCUMENT_PRETTY,
		"{\n"
		"  \"architecture\": \"arm64\",\n"
		"  \"os\": \"darwin\",\n"
		"  \"os.version\": \"macOS 12.6\",\n"
		"  \"os.features\": [\n"
		"    \"a\"\n"
		"  ],\n"
		"  \"rootfs\": {\n"
		"    \"type\": \"layers\",\n"
		"    \"diff_ids\": [\n"
		"      \"" A "\",\n"
		"      \"" B "\"\n"
		"    ]\n"
		"  }\n"
		"}");
}
END_TEST

START_TEST(appends_to_the_buffer)
{
	cleanup_with(buf_free) struct buf out = BUF_INIT(4096);
	cleanup_with(platform_clear) struct platform platform = PLATFORM_INIT;

	platform_of(&platform, "linux-amd64");
	ck_assert_int_eq(buf_append_text(&out, "before "), 0);
	ck_assert_int_eq(image_config_create(&out, &platform, ids, 0, DOCUMENT_COMPACT, NULL), 0);
	ck_assert_msg(strncmp(out.data, "before {", 8) == 0, "%s", out.data);
}
END_TEST

START_TEST(what_is_no_utf8_is_refused)
{
	cleanup_with(buf_free) struct buf out = BUF_INIT(4096);
	struct platform platform = {.os = "linux", .architecture = "\xff"};
	struct error err = ERROR_INIT;

	ck_assert_int_eq(image_config_create(&out, &platform, ids, 1, DOCUMENT_COMPACT, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_INVALID);
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

START_TEST(reads_diff_ids)
{
	static const struct {
		const char *json;
		size_t count;
	} cases[] = {
		{"{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" A "\",\"" B "\"]}}", 2},
		{"{\"rootfs\": {\"diff_ids\": [ \"" A "\" ]}, \"os\": 1}", 1},
		{"{\"rootfs\":{\"diff_ids\":[]}}", 0},
		{"{\"rootfs\":{\"type\":\"layers\"}}", 0},
		{"{\"rootfs\":{\"diff_ids\":null}}", 0},
		{"{\"architecture\":\"amd64\"}", 0},
		{"{\"rootfs\":null}", 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		cleanup_free struct digest *found = NULL;
		struct error err = ERROR_INIT;
		size_t count = 9;

		ck_assert_msg(image_config_diff_ids(&found, &count, cases[i].json,
				      strlen(cases[i].json), &err) == 0,
			"%s: %s", cases[i].json, err.message);
		ck_assert_uint_eq(count, cases[i].count);
		for (size_t k = 0; k < count; k++)
			ck_assert(digest_equal(&found[k], &ids[k]));
	}
}
END_TEST

START_TEST(refuses_what_is_no_config)
{
	static const struct {
		const char *json, *message;
	} cases[] = {
		{"", "no JSON"},
		{"[]", "an image config must be an object"},
		{"{\"rootfs\":[]}", "rootfs must be an object"},
		{"{\"rootfs\":{\"diff_ids\":{}}}", "diff_ids must be an array"},
		{"{\"rootfs\":{\"diff_ids\":[1]}}", "a diff_id must be a string"},
		{"{\"rootfs\":{\"diff_ids\":[\"sha256:1\"]}}", "\"sha256:1\" is not a digest"},
		{"{\"rootfs\":{},\"rootfs\":{}}", "stands twice"},
		{"{\"rootfs\":{}} x", "not JSON"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct digest *found = NULL;
		struct error err = ERROR_INIT;
		size_t count, len = strlen(cases[i].json);

		ck_assert_msg(image_config_diff_ids(&found, &count, cases[i].json, len, &err) == -1,
			"%s passed", cases[i].json);
		ck_assert_int_eq(err.kind, ERROR_CORRUPT);
		ck_assert_msg(strstr(err.message, cases[i].message) != NULL, "%s: %s",
			cases[i].json, err.message);
		ck_assert_ptr_null(found);
		ck_assert_uint_eq(count, 0);
	}
}
END_TEST

START_TEST(reads_the_platform)
{
	static const struct {
		const char *json, *want; /* NULL: there is none */
	} cases[] = {
		{"{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"v7\"}", "linux-arm-v7"},
		{"{\"architecture\":\"arm64\",\"os\":\"darwin\",\"os.version\":\"macOS 12.6\"}",
			"darwin-arm64@macOS 12.6"},
		{"{\"os\":\"windows\",\"architecture\":\"amd64\",\"os.features\":[\"win32k\"]}",
			"windows-amd64+win32k"},
		{"{\"os\":\"linux\",\"architecture\":\"\"}", NULL},
		{"{\"os\":\"linux\"}", NULL},
		{"{}", NULL},
		{"[1]", NULL},
		{"", NULL},
		{"{\"os\":\"linux\",\"architecture\":\"amd64\"", NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct platform found, want;
		bool is = image_config_platform(&found, cases[i].json, strlen(cases[i].json));

		ck_assert_msg(is == (cases[i].want != NULL), "%s", cases[i].json);
		if (!is) {
			ck_assert_ptr_null(found.os);
			continue;
		}
		platform_of(&want, cases[i].want);
		ck_assert_msg(platform_equal(&found, &want), "%s", cases[i].json);
		platform_clear(&want);
		platform_clear(&found);
	}
}
END_TEST

static void expect_edited(const char *json, const char *name, size_t count, const char *want)
{
	cleanup_with(buf_free) struct buf out = BUF_INIT(4096);
	cleanup_with(platform_clear) struct platform platform = PLATFORM_INIT;
	struct error err = ERROR_INIT;

	platform_of(&platform, name);
	ck_assert_msg(image_config_edit(&out, json, strlen(json), &platform, ids, count, &err) == 0,
		"%s", err.message);
	ck_assert_str_eq(out.data, want);
}

#define BASE                                                                                       \
	"{ \"created\":\"now\",\"os\":\"linux\", \"config\":{\"Env\":[ ]},\"architecture\":"       \
	"\"\\u0061md64\",\"rootfs\":{\"diff_ids\" : [ \"" A "\" ],\"type\":\"layers\"},"
#define HISTORY "\"history\":[{\"created_by\":\"me\"}]"

START_TEST(an_edit_keeps_what_it_does_not_concern)
{
	/* nothing new */
	expect_edited(BASE HISTORY "}\n", "linux-amd64", 1, BASE HISTORY "}\n");
	/* another platform */
	expect_edited("{\"os\":\"linux\",\"variant\":\"v7\",\"architecture\":\"arm\",\"x\":1,"
		      "\"rootfs\":{\"diff_ids\":[\"" A "\"]}}",
		"windows-amd64@10", 1,
		"{\"os\":\"windows\",\"architecture\":\"amd64\",\"x\":1,"
		"\"rootfs\":{\"diff_ids\":[\"" A "\"]},\"os.version\":\"10\"}");
	/* as many layers, one of them new */
	expect_edited(
		"{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"type\":\"layers\","
		"\"diff_ids\":[\"" B "\"]}," HISTORY "}",
		"linux-amd64", 1,
		"{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"type\":\"layers\","
		"\"diff_ids\":[\"" A "\"]}," HISTORY "}");
	/* one layer more: history doesn't fit any more */
	expect_edited("{\"os\":\"linux\",\"architecture\":\"amd64\"," HISTORY
		      ",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" A "\"]}}",
		"linux-amd64", 2,
		"{\"os\":\"linux\",\"architecture\":\"amd64\","
		"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" A "\",\"" B "\"]}}");
	/* what ORAS writes has no rootfs */
	/* half of a platform is none */
	expect_edited("{\"os\":\"linux\",\"variant\":\"v7\",\"x\":1}", "linux-amd64", 0,
		"{\"os\":\"linux\",\"x\":1,\"architecture\":\"amd64\",\"rootfs\":{\"type\":"
		"\"layers\","
		"\"diff_ids\":[]}}");
	expect_edited("{\"os\":\"linux\",\"architecture\":\"amd64\"}", "linux-amd64", 0,
		"{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"type\":\"layers\","
		"\"diff_ids\":[]}}");
	expect_edited("{\n  \"os\": \"linux\",\n  \"architecture\": \"amd64\"\n}", "linux-amd64", 1,
		"{\n  \"os\": \"linux\",\n  \"architecture\": \"amd64\",\n  \"rootfs\": {\n"
		"    \"type\": \"layers\",\n    \"diff_ids\": [\n      \"" A "\"\n    ]\n  }\n}");
}
END_TEST

START_TEST(an_edit_refuses_what_is_no_config)
{
	cleanup_with(buf_free) struct buf out = BUF_INIT(4096);
	cleanup_with(platform_clear) struct platform platform = PLATFORM_INIT;
	struct error err = ERROR_INIT;

	platform_of(&platform, "linux-amd64");
	ck_assert_int_eq(image_config_edit(&out, "[]", 2, &platform, ids, 1, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_CORRUPT);
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

/* What umoci and skopeo take for an image: a config, tar layers, and no artifactType. */
START_TEST(a_manifest_of_an_image)
{
	cleanup_with(document_clear) struct document manifest = DOCUMENT_INIT;
	cleanup_with(descriptor_clear) struct descriptor config = DESCRIPTOR_INIT;
	cleanup_with(descriptor_clear) struct descriptor layer = DESCRIPTOR_INIT;
	static const char want[] =
		"{\n  \"schemaVersion\": 2,\n  \"mediaType\": \"" MEDIA_TYPE_MANIFEST "\",\n"
		"  \"config\": {\n    \"mediaType\": \"" MEDIA_TYPE_IMAGE_CONFIG "\",\n"
		"    \"digest\": \"" A "\",\n    \"size\": 7\n  },\n  \"layers\": [\n    {\n"
		"      \"mediaType\": \"" LAYER "\",\n      \"digest\": \"" B "\",\n"
		"      \"size\": 9\n    }\n  ]\n}";

	ck_assert_int_eq(descriptor_create(&config, MEDIA_TYPE_IMAGE_CONFIG, &ids[0], 7, NULL), 0);
	ck_assert_int_eq(descriptor_create(&layer, LAYER, &ids[1], 9, NULL), 0);
	ck_assert_int_eq(document_create_image(&manifest, &config, NULL, DOCUMENT_PRETTY, NULL), 0);
	ck_assert_int_eq(document_set_items(&manifest, &layer, 1, NULL), 0);
	ck_assert_str_eq(manifest.json, want);
	ck_assert_int_eq(manifest.kind, DOCUMENT_MANIFEST);
	ck_assert_str_eq(manifest.config.media_type, MEDIA_TYPE_IMAGE_CONFIG);
	ck_assert_ptr_null(manifest.artifact_type);
	document_clear(&manifest);
	ck_assert_int_eq(
		document_create_image(&manifest, &config, "a/b", DOCUMENT_COMPACT, NULL), 0);
	ck_assert_str_eq(manifest.artifact_type, "a/b");
	ck_assert_msg(
		strstr(manifest.json, "+json\",\"artifactType\":\"a/b\",\"config\":{") != NULL,
		"%s", manifest.json);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("image_config");
	TCase *cases = tcase_create("image_config");

	tcase_add_test(cases, creates_in_the_order_of_the_contract);
	tcase_add_test(cases, appends_to_the_buffer);
	tcase_add_test(cases, what_is_no_utf8_is_refused);
	tcase_add_test(cases, reads_diff_ids);
	tcase_add_test(cases, refuses_what_is_no_config);
	tcase_add_test(cases, reads_the_platform);
	tcase_add_test(cases, an_edit_keeps_what_it_does_not_concern);
	tcase_add_test(cases, an_edit_refuses_what_is_no_config);
	tcase_add_test(cases, a_manifest_of_an_image);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
