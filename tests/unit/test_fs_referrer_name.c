#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fs/tree/referrer_name.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char *published(const char *type, bool whole)
{
	static char name[FOLDER_NAME_SIZE];
	struct digest digest;

	ck_assert(digest_parse(&digest, "sha256:" HEX));
	referrer_name(name, type, &digest, whole);
	return name;
}

START_TEST(published_names)
{
	ck_assert_str_eq(
		published("application/spdx+json", false), "application.spdx+json~0123456789ab");
	ck_assert_str_eq(published("application/vnd.example.a.b", false),
		"application.vnd.example.a.b~0123456789ab");
	ck_assert_str_eq(published("a.b/c/d~%", false), "a%2Eb.c%2Fd%7E%25~0123456789ab");
	ck_assert_str_eq(published(NULL, false), "untyped~0123456789ab");
	ck_assert_str_eq(published("", false), "untyped~0123456789ab");
	ck_assert_str_eq(published("a/b", true), "a.b~" HEX);
}
END_TEST

START_TEST(names_have_room)
{
	char type[4096];

	for (int c = 1; c < 256; c++) {
		memset(type, c, sizeof type - 1);
		type[sizeof type - 1] = '\0';
		ck_assert_uint_lt(strlen(published(type, false)), FOLDER_NAME_SIZE);
		ck_assert_uint_lt(strlen(published(type, true)), FOLDER_NAME_SIZE);
		ck_assert_ptr_null(strchr(published(type, false), '/'));
	}
}
END_TEST

static const char *const types[] = {
	"application/spdx+json",
	"application/vnd.dev.cosign.artifact.sig.v1+json",
	"x.y/z",
	"application/a!#$&-^_.+b",
};

/* What is published under a name can be made under it too. */
START_TEST(types_come_back)
{
	char type[REFERRER_TYPE_SIZE], name[FOLDER_NAME_SIZE];
	struct error err = ERROR_INIT;

	strcpy(name, published(types[_i], false));
	ck_assert(referrer_name_is_published(name));
	*strchr(name, '~') = '\0';
	ck_assert_int_eq(referrer_type(type, name, &err), 0);
	ck_assert_str_eq(type, types[_i]);
}
END_TEST

static const char *const wrong[] = {
	"sbom",
	".spdx",
	"application.",
	"application.spdx+json~0123456789ab",
	"application.spdx json",
	"application%2Espdx",
	"application%2espdx.json",
	"application.%2E",
	"application.%",
	"application.%4",
	"application.%00",
	"application.%2F",
	"a%2Fb.c",
	"",
};

START_TEST(wrong_names)
{
	char type[REFERRER_TYPE_SIZE];
	struct error err = ERROR_INIT;

	ck_assert_int_eq(referrer_type(type, wrong[_i], &err), -1);
	ck_assert_int_eq(err.kind, ERROR_INVALID);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fs_referrer_name");
	TCase *names = tcase_create("names");
	SRunner *runner;
	int failed;

	tcase_add_test(names, published_names);
	tcase_add_test(names, names_have_room);
	tcase_add_loop_test(names, types_come_back, 0, sizeof types / sizeof types[0]);
	tcase_add_loop_test(names, wrong_names, 0, sizeof wrong / sizeof wrong[0]);
	suite_add_tcase(suite, names);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
