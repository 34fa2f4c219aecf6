#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "descriptor.h"

#define HEX "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define OTHER "0e7e738a321110bc395c82868cd93c6dbd0e4afa7b8931f08a6039ed59544249"
#define HEAD "\"mediaType\":\"a/b\",\"digest\":\"sha256:" HEX "\",\"size\":2"

static void parse(struct descriptor *out, const char *text)
{
	struct error err = ERROR_INIT;

	ck_assert_msg(
		descriptor_parse(out, text, strlen(text), &err) == 0, "%s: %s", text, err.message);
}

static void expect_bad(const char *text, const char *message)
{
	struct descriptor out;
	struct error err = ERROR_INIT;

	ck_assert_msg(descriptor_parse(&out, text, strlen(text), &err) == -1, "%s passed", text);
	ck_assert_int_eq(err.kind, ERROR_CORRUPT);
	ck_assert_msg(strstr(err.message, message) != NULL, "%s: %s", text, err.message);
	ck_assert_ptr_null(out.json);
	ck_assert_ptr_null(out.media_type);
}

START_TEST(reads_every_member)
{
	static const char text[] =
		"{" HEAD ",\"artifactType\":\"x/y\",\"unknown\":[1],\"platform\":{\"os\":\"linux\","
		"\"architecture\":\"arm\",\"variant\":\"v7\",\"os.version\":\"1\","
		"\"os.features\":[\"f\",\"g\"]},\"annotations\":{\"k\":\"\\u00e9\",\"e\":\"\"}}";
	struct descriptor d;

	parse(&d, text);
	ck_assert_str_eq(d.media_type, "a/b");
	ck_assert_str_eq(d.digest.text, "sha256:" HEX);
	ck_assert_int_eq(d.size, 2);
	ck_assert_str_eq(d.artifact_type, "x/y");
	ck_assert(d.has_platform);
	ck_assert_str_eq(d.platform.os, "linux");
	ck_assert_str_eq(d.platform.architecture, "arm");
	ck_assert_str_eq(d.platform.variant, "v7");
	ck_assert_str_eq(d.platform.os_version, "1");
	ck_assert_uint_eq(d.platform.os_feature_count, 2);
	ck_assert_str_eq(d.platform.os_features[1], "g");
	ck_assert_str_eq(annotations_get(&d.annotations, "k"), "\xc3\xa9");
	ck_assert_str_eq(annotations_get(&d.annotations, "e"), "");
	ck_assert_str_eq(d.json, text);
	ck_assert_uint_eq(d.json_len, strlen(text));
	descriptor_clear(&d);
}
END_TEST

START_TEST(takes_odd_but_readable_ones)
{
	struct descriptor d;

	parse(&d, "{\"size\":9007199254740992,\"digest\":\"blake3:abc=\",\"mediaType\":\"a\"}");
	ck_assert_int_eq(d.size, DESCRIPTOR_SIZE_MAX);
	ck_assert_str_eq(d.digest.text, "blake3:abc=");
	ck_assert(!d.has_platform);
	descriptor_clear(&d);
	parse(&d, "{" HEAD ",\"platform\":{\"os\":5,\"variant\":\"\",\"os.features\":null}}");
	ck_assert(d.has_platform);
	ck_assert_str_eq(d.platform.os, "");
	ck_assert_str_eq(d.platform.architecture, "");
	ck_assert_ptr_null(d.platform.variant);
	descriptor_clear(&d);
	parse(&d, "{" HEAD ",\"platform\":null,\"annotations\":null,\"artifactType\":null}");
	ck_assert(!d.has_platform);
	ck_assert_ptr_null(d.artifact_type);
	descriptor_clear(&d);
	parse(&d, " \n{\"mediaType\":\"a/b\",\"digest\":\"sha256:" HEX "\",\"size\":4294967297} ");
	ck_assert_int_eq(d.size, 4294967297);
	ck_assert_int_eq(d.json[0], '{');
	ck_assert_int_eq(d.json[d.json_len - 1], '}');
	descriptor_clear(&d);
}
END_TEST

START_TEST(refuses_what_breaks_a_must)
{
#define TYPE "\"mediaType\":\"a/b\""
#define DIGEST "\"digest\":\"sha256:" HEX "\""
	expect_bad("", "no JSON");
	expect_bad("[]", "must be an object");
	expect_bad("{" DIGEST ",\"size\":1}", "has no mediaType");
	expect_bad("{" TYPE ",\"size\":1}", "has no digest");
	expect_bad("{" TYPE "," DIGEST "}", "has no size");
	expect_bad("{\"mediaType\":1," DIGEST ",\"size\":1}", "must be a string");
	expect_bad("{\"mediaType\":\"\"," DIGEST ",\"size\":1}", "empty");
	expect_bad("{\"mediaType\":\"a\\r\\nb\"," DIGEST ",\"size\":1}", "control");
	expect_bad("{\"mediaType\":\"a\\u0000\"," DIGEST ",\"size\":1}", "control");
	expect_bad("{" TYPE ",\"digest\":\"sha256:abc\",\"size\":1}", "not a digest");
	expect_bad("{" TYPE ",\"digest\":\"sha256:" HEX "\\u0000\",\"size\":1}", "not a digest");
	expect_bad("{" TYPE ",\"digest\":\"../../etc/passwd\",\"size\":1}", "not a digest");
	expect_bad("{" TYPE ",\"digest\":null,\"size\":1}", "must be a string");
	expect_bad("{" TYPE "," DIGEST ",\"size\":-1}", "whole number");
	expect_bad("{" TYPE "," DIGEST ",\"size\":1.5}", "whole number");
	expect_bad("{" TYPE "," DIGEST ",\"size\":1e3}", "whole number");
	expect_bad("{" TYPE "," DIGEST ",\"size\":\"1\"}", "whole number");
	expect_bad("{" TYPE "," DIGEST ",\"size\":9007199254740993}", "is over");
	expect_bad("{" HEAD ",\"size\":2}", "twice");
	expect_bad("{" HEAD ",\"platform\":{\"os\":\"a\",\"os\":\"b\"}}", "twice");
	expect_bad("{" HEAD ",\"platform\":[]}", "must be an object");
	expect_bad("{" HEAD ",\"platform\":{\"os.features\":[1]}}", "must be a string");
	expect_bad("{" HEAD ",\"platform\":{\"os.features\":\"x\"}}", "must be an array");
	expect_bad("{" HEAD ",\"annotations\":{\"a\":1}}", "must be a string");
	expect_bad("{" HEAD ",\"annotations\":{\"a\":\"1\",\"\\u0061\":\"2\"}}", "twice");
	expect_bad("{" HEAD ",\"annotations\":[]}", "must be an object");
	expect_bad("{" HEAD ",\"artifactType\":5}", "must be a string");
	expect_bad("{" HEAD "} {}", "after the end");
}
END_TEST

START_TEST(reads_no_byte_beyond_the_end)
{
	static const char text[] = "{" HEAD ",";
	size_t len = strlen(text);
	cleanup_free char *exact = malloc(len);
	struct descriptor out;

	memcpy(exact, text, len);
	for (size_t i = 0; i <= len; i++)
		ck_assert_int_eq(descriptor_parse(&out, exact, i, NULL), -1);
}
END_TEST

START_TEST(creates)
{
	struct descriptor d, copy;
	struct digest digest;

	ck_assert(digest_parse(&digest, "sha256:" HEX));
	ck_assert_int_eq(descriptor_create(&d, "a/b", &digest, 5000000000, NULL), 0);
	ck_assert_str_eq(d.json,
		"{\"mediaType\":\"a/b\",\"digest\":\"sha256:" HEX "\",\"size\":5000000000}");
	ck_assert_int_eq(descriptor_copy(&copy, &d, NULL), 0);
	descriptor_clear(&d);
	ck_assert_str_eq(copy.media_type, "a/b");
	ck_assert_int_eq(copy.size, 5000000000);
	descriptor_clear(&copy);
	ck_assert_int_eq(descriptor_copy(&copy, &d, NULL), 0);
	ck_assert_ptr_null(copy.json);
}
END_TEST

START_TEST(content_changes_in_place)
{
	static const char text[] =
		"{ \"size\" :2,\"data\":\"e30=\",\"x\":1.0,\"digest\":\"sha256:" HEX
		"\",\"mediaType\": \"a\\/b\",\"urls\":[\"u\"]}";
	struct descriptor d;
	struct digest digest;

	parse(&d, text);
	digest = d.digest;
	ck_assert_int_eq(descriptor_set_content(&d, "a/b", &digest, 2, NULL), 0);
	ck_assert_str_eq(d.json, text);
	ck_assert(digest_parse(&digest, "sha256:" OTHER));
	ck_assert_int_eq(descriptor_set_content(&d, "a/b", &digest, 33, NULL), 0);
	ck_assert_str_eq(d.json, "{ \"size\" :33,\"x\":1.0,\"digest\":\"sha256:" OTHER
				 "\",\"mediaType\": \"a\\/b\"}");
	ck_assert_int_eq(d.size, 33);
	ck_assert_str_eq(d.digest.text, digest.text);
	descriptor_clear(&d);
}
END_TEST

START_TEST(artifact_type_comes_and_goes)
{
	struct descriptor d;

	parse(&d, "{" HEAD "}");
	ck_assert_int_eq(descriptor_set_artifact_type(&d, "x/y", NULL), 0);
	ck_assert_str_eq(d.json, "{" HEAD ",\"artifactType\":\"x/y\"}");
	ck_assert_int_eq(descriptor_set_artifact_type(&d, "x/z", NULL), 0);
	ck_assert_str_eq(d.artifact_type, "x/z");
	ck_assert_int_eq(descriptor_set_artifact_type(&d, NULL, NULL), 0);
	ck_assert_str_eq(d.json, "{" HEAD "}");
	ck_assert_ptr_null(d.artifact_type);
	descriptor_clear(&d);
}
END_TEST

START_TEST(platform_keeps_unknown_members)
{
	struct platform want = PLATFORM_INIT;
	struct descriptor d;

	parse(&d,
		"{" HEAD ",\"platform\":{\"features\":[\"sse4\"],\"os\":\"linux\",\"architecture\":"
		"\"arm\",\"variant\":\"v7\"},\"z\":0}");
	ck_assert_int_eq(platform_parse(&want, "windows-arm64@10.0+a+b", NULL), 0);
	ck_assert_int_eq(descriptor_set_platform(&d, &want, NULL), 0);
	ck_assert_str_eq(d.json,
		"{" HEAD
		",\"platform\":{\"features\":[\"sse4\"],\"os\":\"windows\",\"architecture\":"
		"\"arm64\",\"os.version\":\"10.0\",\"os.features\":[\"a\",\"b\"]},\"z\":0}");
	ck_assert(platform_equal(&d.platform, &want));
	ck_assert_int_eq(descriptor_set_platform(&d, NULL, NULL), 0);
	ck_assert_str_eq(d.json, "{" HEAD ",\"z\":0}");
	ck_assert(!d.has_platform);
	descriptor_clear(&d);
	platform_clear(&want);
}
END_TEST

START_TEST(a_new_platform_follows_the_style)
{
	struct platform want = PLATFORM_INIT;
	struct descriptor d;

	ck_assert_int_eq(platform_parse(&want, "linux-arm-v7+f", NULL), 0);
	parse(&d, "{\n      \"mediaType\": \"a/b\",\n      \"digest\": \"sha256:" HEX
		  "\",\n      \"size\": 2\n    }");
	ck_assert_int_eq(descriptor_set_platform(&d, &want, NULL), 0);
	ck_assert_str_eq(d.json, "{\n      \"mediaType\": \"a/b\",\n      \"digest\": \"sha256:" HEX
				 "\",\n      \"size\": 2,\n      \"platform\": {\n        "
				 "\"architecture\": \"arm\",\n"
				 "        \"os\": \"linux\",\n        \"os.features\": [\n         "
				 " \"f\"\n        ],\n"
				 "        \"variant\": \"v7\"\n      }\n    }");
	descriptor_clear(&d);
	platform_clear(&want);
}
END_TEST

START_TEST(equal_annotations_change_no_byte)
{
	static const char *const texts[] = {"{" HEAD "}", "{" HEAD ",\"annotations\":{}}",
		"{" HEAD ",\"annotations\":null}",
		"{ \"annotations\" : {\"b\" :\"\\u0041\\/\" ,\n\"a\":\"\\u0000\"}," HEAD "}"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct annotations want;
		struct descriptor d;

		parse(&d, texts[i]);
		ck_assert_int_eq(annotations_copy(&want, &d.annotations, NULL), 0);
		ck_assert_int_eq(descriptor_set_annotations(&d, &want, NULL), 0);
		ck_assert_str_eq(d.json, texts[i]);
		annotations_clear(&want);
		descriptor_clear(&d);
	}
}
END_TEST

START_TEST(the_order_that_is_wanted_moves_nothing)
{
	static const char text[] = "{" HEAD ",\"annotations\":{\"a\":\"1\",\"b\":\"2\"}}";
	struct annotations want = ANNOTATIONS_INIT;
	struct descriptor d;

	parse(&d, text);
	annotations_set(&want, "b", "2", NULL);
	annotations_set(&want, "a", "1", NULL);
	ck_assert_int_eq(descriptor_set_annotations(&d, &want, NULL), 0);
	ck_assert_str_eq(d.json, text);
	descriptor_clear(&d);
	annotations_clear(&want);
}
END_TEST

START_TEST(annotations_become_what_is_wanted)
{
	struct annotations want = ANNOTATIONS_INIT;
	struct descriptor d;

	parse(&d, "{\"annotations\":{\"x\":\"1\", \"y\":\"2\", \"z\":\"\\u0033\"}," HEAD "}");
	annotations_set(&want, "new", "line\n", NULL);
	annotations_set(&want, "z", "3", NULL);
	annotations_set(&want, "y", "", NULL);
	annotations_set(&want, "new2", "\"", NULL);
	ck_assert_int_eq(descriptor_set_annotations(&d, &want, NULL), 0);
	ck_assert_str_eq(d.json,
		"{\"annotations\":{\"y\":\"\", \"z\":\"\\u0033\", \"new\":\"line\\n\", "
		"\"new2\":\"\\\"\"}," HEAD "}");
	ck_assert_uint_eq(d.annotations.count, 4);
	annotations_clear(&want);
	ck_assert_int_eq(descriptor_set_annotations(&d, &want, NULL), 0);
	ck_assert_str_eq(d.json, "{" HEAD "}");
	annotations_set(&want, "k", "v", NULL);
	ck_assert_int_eq(descriptor_set_annotations(&d, &want, NULL), 0);
	ck_assert_str_eq(d.json, "{" HEAD ",\"annotations\":{\"k\":\"v\"}}");
	annotations_clear(&want);
	descriptor_clear(&d);
}
END_TEST

START_TEST(what_is_not_utf8_is_refused_and_changes_nothing)
{
	struct annotations want = ANNOTATIONS_INIT;
	struct error err = ERROR_INIT;
	struct descriptor d;

	parse(&d, "{" HEAD "}");
	annotations_set(&want, "k", "caf\xe9", NULL);
	ck_assert_int_eq(descriptor_set_annotations(&d, &want, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_INVALID);
	ck_assert_str_eq(d.json, "{" HEAD "}");
	annotations_clear(&want);
	descriptor_clear(&d);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("descriptor");
	TCase *read = tcase_create("read"), *edit = tcase_create("edit");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(read, reads_every_member);
	tcase_add_test(read, takes_odd_but_readable_ones);
	tcase_add_test(read, refuses_what_breaks_a_must);
	tcase_add_test(read, reads_no_byte_beyond_the_end);
	tcase_add_test(edit, creates);
	tcase_add_test(edit, content_changes_in_place);
	tcase_add_test(edit, artifact_type_comes_and_goes);
	tcase_add_test(edit, platform_keeps_unknown_members);
	tcase_add_test(edit, a_new_platform_follows_the_style);
	tcase_add_test(edit, equal_annotations_change_no_byte);
	tcase_add_test(edit, the_order_that_is_wanted_moves_nothing);
	tcase_add_test(edit, annotations_become_what_is_wanted);
	tcase_add_test(edit, what_is_not_utf8_is_refused_and_changes_nothing);
	suite_add_tcase(suite, read);
	suite_add_tcase(suite, edit);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
