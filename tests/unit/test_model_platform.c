#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "platform.h"

static void expect_name(const char *text, const char *want)
{
	struct platform platform;
	struct error err = ERROR_INIT;
	char name[FOLDER_NAME_SIZE];

	ck_assert_msg(platform_parse(&platform, text, &err) == 0, "%s: %s", text, err.message);
	ck_assert(platform_name(name, &platform));
	ck_assert_str_eq(name, want);
	platform_clear(&platform);
}

START_TEST(canonical_names_stay)
{
	static const char *const names[] = {"linux-amd64", "linux-arm-v7", "linux-arm64",
		"linux-arm64-v8", "linux-386", "linux-arm-7", "windows-amd64@10.0.17763.1",
		"darwin-arm64@macOS 12.6", "darwin-arm64@macOS 12.6+a b+c", "linux-amd64+x",
		"linux-amd64@%2F%25%40%2B%2D%0A%7F", "linux-%C2%9B31m", "linux-ppc64le-power9",
		"foo-bar", "unknown-unknown", "foo-a_b", "plan9-amd64p32-x%2Dy",
		"linux-amd64@caf\xc3\xa9", "linux-x86%2D64", "linux-amd64-v2+win32k", "any-any",
		"linux_gnu-amd64", "linux-amd64~0123456789ab"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		expect_name(names[i], names[i]);
}
END_TEST

START_TEST(other_spellings_are_known)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"linux-x86_64", "linux-amd64"},
		{"linux-x86-64", "linux-amd64"},
		{"linux-x86%5F64", "linux-amd64"},
		{"linux_x86_64", "linux-amd64"},
		{"Linux-x86_64", "linux-amd64"},
		{"LINUX_AMD64", "linux-amd64"},
		{"linux-x64", "linux-amd64"},
		{"linux_amd64", "linux-amd64"},
		{"linux_amd64_v1", "linux-amd64-v1"},
		{"linux-x86_64-v3", "linux-amd64-v3"},
		{"linux-x86-64-v3", "linux-amd64-v3"},
		{"linux_arm64_v8", "linux-arm64-v8"},
		{"linux-arm64_v8", "linux-arm64-v8"},
		{"linux_arm64-v8", "linux-arm64-v8"},
		{"linux-arm64v8", "linux-arm64-v8"},
		{"linux-armv8", "linux-arm64-v8"},
		{"linux-aarch64", "linux-arm64"},
		{"macos-aarch64", "darwin-arm64"},
		{"macOS-arm64", "darwin-arm64"},
		{"Darwin-x86_64", "darwin-amd64"},
		{"osx-x64", "darwin-amd64"},
		{"mac-arm64@macOS 12.6+f", "darwin-arm64@macOS 12.6+f"},
		{"win32-x64", "windows-amd64"},
		{"win-arm64", "windows-arm64"},
		{"win64-amd64", "windows-amd64"},
		{"linux-i386", "linux-386"},
		{"linux-i686", "linux-386"},
		{"linux-x86", "linux-386"},
		{"linux-armv5", "linux-arm-v5"},
		{"linux-armel", "linux-arm-v5"},
		{"linux-armv6", "linux-arm-v6"},
		{"linux-armv6l", "linux-arm-v6"},
		{"linux-armv7", "linux-arm-v7"},
		{"linux-armv7l", "linux-arm-v7"},
		{"linux_armhf", "linux-arm-v7"},
		{"linux_arm_v7", "linux-arm-v7"},
		{"linux-ppc64el", "linux-ppc64le"},
		{"linux-loongarch64", "linux-loong64"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		expect_name(cases[i].text, cases[i].want);
}
END_TEST

START_TEST(fields_are_decoded)
{
	struct platform platform;

	ck_assert_int_eq(
		platform_parse(&platform, "a%2db-c%2Fd-e%25@1.2 x-y+f%2B+\xc3\xa9", NULL), 0);
	ck_assert_str_eq(platform.os, "a-b");
	ck_assert_str_eq(platform.architecture, "c/d");
	ck_assert_str_eq(platform.variant, "e%");
	ck_assert_str_eq(platform.os_version, "1.2 x-y");
	ck_assert_uint_eq(platform.os_feature_count, 2);
	ck_assert_str_eq(platform.os_features[0], "f+");
	ck_assert_str_eq(platform.os_features[1], "\xc3\xa9");
	platform_clear(&platform);
	platform_clear(&platform);

	ck_assert_int_eq(platform_parse(&platform, "linux-amd64", NULL), 0);
	ck_assert_ptr_null(platform.variant);
	ck_assert_ptr_null(platform.os_version);
	ck_assert_uint_eq(platform.os_feature_count, 0);
	platform_clear(&platform);
}
END_TEST

START_TEST(other_names_are_refused)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{"", "no \"-\""},
		{"notes", "no \"-\""},
		{"any", "no \"-\""},
		{"New Folder", "no \"-\""},
		{"my_file", "no \"-\""},
		{"linux", "no \"-\""},
		{"linux_amd64_backup", "no \"-\""},
		{"linux_amd64_", "no \"-\""},
		{"linux_arm_7", "no \"-\""},
		{"linux%5Famd64", "no \"-\""},
		{"@-+", "no \"-\""},
		{"-", "empty"},
		{"-amd64", "empty"},
		{"linux-", "empty"},
		{"linux--amd64", "empty"},
		{"linux-arm-", "empty"},
		{"linux-amd64@", "empty"},
		{"linux-amd64+", "empty"},
		{"linux-amd64@+x", "empty"},
		{"linux-amd64+a++b", "empty"},
		{"a-b-c-d", "too many"},
		{"linux-amd64-v1-x", "too many"},
		{"linux-amd64%", "hex"},
		{"linux-amd64%4", "hex"},
		{"linux-amd64%4g", "hex"},
		{"linux-amd64@%zz", "hex"},
		{"linux-amd64@%00", "hex"},
		{"a/b-c", "control character"},
		{"linux-amd64\n", "control character"},
		{"linux-amd64@a@b", "control character"},
		{"linux-amd64+a@b", "control character"},
		{"linux-amd64@\xff", "UTF-8"},
		{"linux-amd64@%FF", "UTF-8"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct platform platform;
		struct error err = ERROR_INIT;

		ck_assert_msg(
			platform_parse(&platform, cases[i].text, &err) == -1, "%s", cases[i].text);
		ck_assert_int_eq(err.kind, ERROR_INVALID);
		ck_assert_msg(
			strstr(err.message, cases[i].why), "%s: %s", cases[i].text, err.message);
		ck_assert_ptr_nonnull(strstr(err.message, "linux-amd64"));
		ck_assert_ptr_nonnull(strstr(err.message, "darwin-arm64@macOS 12.6"));
		ck_assert_ptr_null(platform.os);
	}
}
END_TEST

START_TEST(length_ends_at_name_max)
{
	char text[FOLDER_NAME_SIZE + 1];
	struct platform platform;
	struct error err = ERROR_INIT;

	memset(text, 'x', sizeof(text));
	memcpy(text, "a-", 2);
	text[FOLDER_NAME_SIZE - 1] = '\0';
	expect_name(text, text);

	/* The other spelling fits, the canonical one doesn't. */
	memcpy(text, "win-x64@", 8);
	ck_assert_int_eq(platform_parse(&platform, text, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_INVALID);
	error_clear(&err);

	text[FOLDER_NAME_SIZE - 1] = 'x';
	text[FOLDER_NAME_SIZE] = '\0';
	ck_assert_int_eq(platform_parse(&platform, text, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_INVALID);
}
END_TEST

START_TEST(some_platforms_have_no_name)
{
	char long_text[FOLDER_NAME_SIZE];
	char os[] = "linux", arch[] = "amd64", empty[] = "", bad[] = "\xff";
	char *features[] = {empty};
	char name[FOLDER_NAME_SIZE];
	memset(long_text, '/', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = '\0';
	const struct platform cases[] = {
		{.os = empty, .architecture = arch},
		{.os = os, .architecture = empty},
		{.os = os, .architecture = arch, .variant = empty},
		{.os = os, .architecture = arch, .os_version = empty},
		{.os = os, .architecture = arch, .os_features = features, .os_feature_count = 1},
		{.os = os, .architecture = arch, .os_version = bad},
		{.os = os, .architecture = arch, .os_version = long_text},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		ck_assert_msg(!platform_name(name, &cases[i]), "case %zu", i);
		ck_assert_str_eq(name, "");
	}
}
END_TEST

START_TEST(copies_are_equal)
{
	static const char *const names[] = {"linux-amd64", "linux-amd64-v1", "linux-arm-v1",
		"windows-amd64", "linux-amd64@1", "linux-amd64@2", "linux-amd64+a",
		"linux-amd64+a+b", "linux-amd64+b+a"};
	const size_t count = sizeof(names) / sizeof(*names);
	struct platform a, b, copy;

	for (size_t i = 0; i < count; i++) {
		ck_assert_int_eq(platform_parse(&a, names[i], NULL), 0);
		ck_assert_int_eq(platform_copy(&copy, &a, NULL), 0);
		for (size_t j = 0; j < count; j++) {
			ck_assert_int_eq(platform_parse(&b, names[j], NULL), 0);
			ck_assert_int_eq(platform_equal(&copy, &b), i == j);
			platform_clear(&b);
		}
		platform_clear(&a);
		platform_clear(&copy);
	}
}
END_TEST

START_TEST(usual_platforms)
{
	static const struct {
		const char *name;
		bool usual;
	} cases[] = {{"linux-amd64", true}, {"wasip1-wasm", true}, {"linux-riscv64", true},
		{"linux-foo", false}, {"foo-amd64", false}, {"unknown-unknown", false}};
	struct platform platform;
	char os[] = "macos", upper[] = "Linux", arch[] = "amd64", other[] = "x86_64";

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		ck_assert_int_eq(platform_parse(&platform, cases[i].name, NULL), 0);
		ck_assert_int_eq(platform_usual(&platform), cases[i].usual);
		platform_clear(&platform);
	}
	ck_assert(!platform_usual(&(struct platform){.os = os, .architecture = arch}));
	ck_assert(!platform_usual(&(struct platform){.os = upper, .architecture = arch}));
	ck_assert(!platform_usual(&(struct platform){.os = os, .architecture = other}));
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("platform");
	TCase *tests = tcase_create("all");

	tcase_add_test(tests, canonical_names_stay);
	tcase_add_test(tests, other_spellings_are_known);
	tcase_add_test(tests, fields_are_decoded);
	tcase_add_test(tests, other_names_are_refused);
	tcase_add_test(tests, length_ends_at_name_max);
	tcase_add_test(tests, some_platforms_have_no_name);
	tcase_add_test(tests, copies_are_equal);
	tcase_add_test(tests, usual_platforms);
	suite_add_tcase(suite, tests);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(make_suite());

	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
