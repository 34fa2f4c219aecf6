#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/cmd/mounts.h"

static const char text[] =
	"22 27 0:20 / /sys rw,nosuid shared:7 - sysfs sysfs rw\n"
	"36 35 0:45 / /mnt/v1 rw,nosuid,nodev shared:12 master:1 - fuse.indexfs host/app:v1 rw\n"
	"37 35 0:46 / /mnt/v1/linux-amd64 rw - fuse.indexfs oci:/a:b rw\n"
	"38 35 0:47 / /mnt/a\\040b\\011c\\134d rw - fuse.indexfs oci:/x\\040y:z rw,user_id=0\n"
	"39 35 0:48 / /mnt/v10 rw - fuse.indexfs host/app:v10 rw\n"
	"40 35 0:49 / /mnt/ssh rw - fuse.sshfs host:/mnt rw\n"
	"41 35 0:50 / /mnt/v10 rw - fuse.indexfs host/app:later rw\n"
	"42 35 0:51 / /mnt/odd rw -\n"
	"broken\n"
	"\n"
	"43 35 0:52 / /mnt/last rw - fuse.indexfs host/last rw";

static struct mounts mounts;

static void setup(void)
{
	ck_assert_int_eq(mounts_parse(&mounts, text, NULL), 0);
}

static void teardown(void)
{
	mounts_clear(&mounts);
}

START_TEST(only_our_mounts_count)
{
	ck_assert_uint_eq(mounts.count, 6);
	ck_assert_str_eq(mounts.items[0].mountpoint, "/mnt/v1");
	ck_assert_str_eq(mounts.items[0].source, "host/app:v1");
	ck_assert_str_eq(mounts.items[5].mountpoint, "/mnt/last");
}
END_TEST

START_TEST(escapes_are_undone)
{
	ck_assert_str_eq(mounts.items[2].mountpoint, "/mnt/a b\tc\\d");
	ck_assert_str_eq(mounts.items[2].source, "oci:/x y:z");
}
END_TEST

START_TEST(the_later_of_two_is_what_is_seen)
{
	ck_assert_str_eq(mounts_at(&mounts, "/mnt/v10")->source, "host/app:later");
	ck_assert_str_eq(mounts_of(&mounts, "/mnt/v10/x")->source, "host/app:later");
	ck_assert_ptr_null(mounts_at(&mounts, "/mnt"));
	ck_assert_ptr_null(mounts_at(&mounts, "/mnt/ssh"));
}
END_TEST

START_TEST(a_path_lies_in_the_nearest)
{
	ck_assert_str_eq(mounts_of(&mounts, "/mnt/v1")->source, "host/app:v1");
	ck_assert_str_eq(mounts_of(&mounts, "/mnt/v1/any/file")->source, "host/app:v1");
	ck_assert_str_eq(mounts_of(&mounts, "/mnt/v1/linux-amd64/file")->source, "oci:/a:b");
	ck_assert_str_eq(mounts_of(&mounts, "/mnt/v1/linux-amd64-v2")->source, "host/app:v1");
	ck_assert_ptr_null(mounts_of(&mounts, "/mnt/v11"));
	ck_assert_ptr_null(mounts_of(&mounts, "/"));
}
END_TEST

START_TEST(nothing_is_no_mount)
{
	struct mounts none;

	ck_assert_int_eq(mounts_parse(&none, "", NULL), 0);
	ck_assert_uint_eq(none.count, 0);
	mounts_clear(&none);
}
END_TEST

static void expect_path(const char *path, const char *want)
{
	struct error err = ERROR_INIT;
	char *got = path_resolve(path, &err);

	if (want)
		ck_assert_msg(
			got && !strcmp(got, want), "%s: %s %s", path, got ? got : "", err.message);
	else
		ck_assert_ptr_null(got);
	free(got);
}

START_TEST(a_path_need_not_be_there)
{
	char dir[] = "/tmp/test-mounts.XXXXXX", link[64], want[64];

	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
	ck_assert_int_eq(symlink(".", "here"), 0);
	snprintf(link, sizeof link, "%s/here/no/such//file/", dir);
	snprintf(want, sizeof want, "%s/no/such/file", dir);
	expect_path(link, want);
	expect_path("here/no/such/file", want);
	expect_path("no/such/file", want);
	snprintf(want, sizeof want, "%s/no", dir);
	expect_path("no", want);
	expect_path("here/../no/..", NULL);
	expect_path("", NULL);
	expect_path("/no-such-folder", "/no-such-folder");
	expect_path("/", "/");
	ck_assert_int_eq(unlink("here"), 0);
	ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mounts");
	TCase *tcase = tcase_create("mounts");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, only_our_mounts_count);
	tcase_add_test(tcase, escapes_are_undone);
	tcase_add_test(tcase, the_later_of_two_is_what_is_seen);
	tcase_add_test(tcase, a_path_lies_in_the_nearest);
	tcase_add_test(tcase, nothing_is_no_mount);
	tcase_add_test(tcase, a_path_need_not_be_there);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
