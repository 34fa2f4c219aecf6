#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "require.h"

/* The canonical names of what a text requires, with spaces between; or "" and why. */
static void expect(const char *text, const char *want)
{
	struct require require;
	struct error err = ERROR_INIT;
	char got[1024] = "", name[FOLDER_NAME_SIZE];

	if (require_parse(&require, text, &err) == 0)
		for (size_t i = 0; i < require.count; i++) {
			if (!require.items[i].os)
				strcpy(name, PLATFORM_ANY);
			else
				ck_assert(platform_name(name, &require.items[i]));
			snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", i ? " " : "",
				name);
		}
	ck_assert_msg(!strcmp(got, want), "%s: %s (%s)", text, got, err.message);
	require_clear(&require);
}

START_TEST(names_in_any_spelling)
{
	expect("linux-amd64", "linux-amd64");
	expect("linux-amd64+linux-arm64", "linux-amd64 linux-arm64");
	expect("linux_x86_64+macos-aarch64+linux-armv7", "linux-amd64 darwin-arm64 linux-arm-v7");
	expect("any+linux-386", "any linux-386");
	expect("darwin-arm64@macOS 12.6+linux-amd64", "darwin-arm64@macOS 12.6 linux-amd64");
	expect("windows-amd64@10.0.1+win32k+linux-amd64",
		"windows-amd64@10.0.1+win32k linux-amd64");
	expect("windows-amd64+win32k+other+any", "windows-amd64+win32k+other any");
}
END_TEST

static void expect_refused(const char *text, const char *named)
{
	struct require require;
	struct error err = ERROR_INIT;

	ck_assert_int_eq(require_parse(&require, text, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_INVALID);
	ck_assert_msg(strstr(err.message, named), "%s: %s", text, err.message);
	ck_assert_uint_eq(require.count, 0);
}

START_TEST(what_is_no_platform_is_named)
{
	expect_refused("", "");
	expect_refused("notes", "notes");
	expect_refused("linux-amd64+arm64", "arm64");
	expect_refused("linux-amd64+", "");
	expect_refused("linux-amd46", "linux-amd46");
	expect_refused("linux-amd64+plan10-amd64", "plan10-amd64");
	expect_refused("windows-amd64+linux-amd46", "linux-amd46");
}
END_TEST

static void check_document(const char *entries, const char *require_text, const char *missing)
{
	struct require require;
	struct document root;
	struct error err = ERROR_INIT;
	char json[4096];

	snprintf(json, sizeof json,
		"{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\","
		"\"manifests\":[%s]}",
		entries);
	ck_assert_msg(
		document_parse(&root, NULL, json, strlen(json), &err) == 0, "%s", err.message);
	ck_assert_int_eq(require_parse(&require, require_text, NULL), 0);
	if (!missing) {
		ck_assert_msg(require_check(&require, &root, NULL, &err) == 0, "%s", err.message);
	} else {
		ck_assert_int_eq(require_check(&require, &root, NULL, &err), -1);
		ck_assert_int_eq(err.kind, ERROR_INVALID);
		ck_assert_msg(strstr(err.message, missing), "%s", err.message);
	}
	require_clear(&require);
	document_clear(&root);
}

#define ENTRY(platform)                                                                            \
	"{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"sha256:"       \
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\",\"size\":2" platform   \
	"}"
#define PLATFORM(os, arch, more)                                                                   \
	",\"platform\":{\"os\":\"" os "\",\"architecture\":\"" arch "\"" more "}"

START_TEST(an_index_has_them_or_not)
{
	static const char two[] =
		ENTRY(PLATFORM("linux", "amd64", "")) "," ENTRY(PLATFORM("linux", "arm",
			","
			"\"variant\":\"v7\""));

	check_document(two, "linux-amd64", NULL);
	check_document(two, "linux-arm-v7+linux-amd64", NULL);
	check_document(two, "linux-arm", NULL);
	check_document(two, "linux-arm-v6", "no linux-arm-v6,");
	check_document(two, "linux-arm64+linux-amd64+any", "no linux-arm64, any,");
	check_document("", "linux-amd64", "no linux-amd64,");
	check_document(ENTRY(""), "any", NULL);
	check_document(ENTRY(""), "linux-amd64", "no linux-amd64,");
}
END_TEST

START_TEST(what_is_not_said_may_be_anything)
{
	static const char windows[] = ENTRY(PLATFORM("windows", "amd64",
		",\"os.version\":\"10.0.1\",\"os.features\":[\"a\",\"win32k\"]"));

	check_document(windows, "windows-amd64", NULL);
	check_document(windows, "windows-amd64@10.0.1", NULL);
	check_document(windows, "windows-amd64+win32k", NULL);
	check_document(windows, "windows-amd64@10.0.2", "no windows-amd64@10.0.2,");
	check_document(windows, "windows-amd64+b", "no windows-amd64+b,");
}
END_TEST

START_TEST(a_single_manifest_has_its_own)
{
	struct require require;
	struct document root;
	struct platform platform;

	ck_assert_int_eq(
		document_create(&root, DOCUMENT_MANIFEST, "application/x", DOCUMENT_COMPACT, NULL),
		0);
	ck_assert_int_eq(platform_parse(&platform, "linux-arm64-v8", NULL), 0);
	ck_assert_int_eq(require_parse(&require, "linux-arm64", NULL), 0);
	ck_assert_int_eq(require_check(&require, &root, &platform, NULL), 0);
	ck_assert_int_eq(require_check(&require, &root, NULL, NULL), -1);
	require_clear(&require);
	ck_assert_int_eq(require_parse(&require, "any", NULL), 0);
	ck_assert_int_eq(require_check(&require, &root, &platform, NULL), -1);
	ck_assert_int_eq(require_check(&require, &root, NULL, NULL), 0);
	require_clear(&require);
	ck_assert_int_eq(require_check(&require, &root, NULL, NULL), 0);
	platform_clear(&platform);
	document_clear(&root);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("require");
	TCase *tcase = tcase_create("require");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, names_in_any_spelling);
	tcase_add_test(tcase, what_is_no_platform_is_named);
	tcase_add_test(tcase, an_index_has_them_or_not);
	tcase_add_test(tcase, what_is_not_said_may_be_anything);
	tcase_add_test(tcase, a_single_manifest_has_its_own);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
