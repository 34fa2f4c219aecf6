#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/cmd/report.h"

static char *text;
static size_t text_len;
static FILE *to;
static struct json_value *status;

static void begin(const char *json)
{
	struct error err = ERROR_INIT;

	status = json_value_parse(json, strlen(json), &err);
	ck_assert_msg(status != NULL, "%s", err.message);
	to = open_memstream(&text, &text_len);
	ck_assert_ptr_nonnull(to);
}

static void end(const char *want)
{
	fclose(to);
	ck_assert_str_eq(text, want);
	free(text);
	json_value_free(status);
}

START_TEST(nothing_to_tell)
{
	begin("{\"pid\": 1, \"uncommitted\": [], \"errors\": [], \"next_commit\": null}");
	report_all(to, "/mnt/v1", "host/app:v1", status, 0);
	end("/mnt/v1: host/app:v1\n"
	    "  all is published\n");
}
END_TEST

START_TEST(everything_at_once)
{
	begin("{\"uncommitted\": [\".\", \"linux-amd64\", \"linux-amd64/app\", \"linux-arm64\"],"
	      "\"uploads\": [{\"path\": \"linux-amd64/app\", \"state\": \"uploading\","
	      "  \"sent\": 3145728, \"size\": 12582912},"
	      " {\"path\": \"linux-amd64/b\", \"state\": \"failed\", \"error\": \"refused\"},"
	      " {\"path\": \"linux-amd64/c\", \"state\": \"uploaded\"}],"
	      "\"drafts\": [{\"path\": \"annotations.json\", \"message\": \"line 3, column 5: "
	      "no\"}],"
	      "\"outside\": [\"stray\"],"
	      "\"conflicts\": [{\"path\": \"linux-amd64/app\", \"ours\": \"sha256:aa\","
	      "  \"theirs\": \"sha256:bb\"}],"
	      "\"commit\": \"idle\","
	      "\"next_commit\": {\"in_seconds\": 4, \"tries\": 2, \"error\": \"why\"},"
	      "\"errors\": [{\"number\": 2, \"time\": \"t2\", \"path\": \"/\", \"errno\": "
	      "\"EACCES\","
	      "  \"http\": 403, \"message\": \"no\\u001b[2J\"},"
	      " {\"number\": 1, \"time\": \"t1\", \"path\": \"p\", \"errno\": \"EIO\","
	      "  \"message\": \"broken\"}]}");
	report_all(to, "/mnt/v1", "host/app:v1", status, 8);
	end("/mnt/v1: host/app:v1\n"
	    "  not published:\n"
	    "    linux-amd64/app\n"
	    "    linux-arm64\n"
	    "  uploading:\n"
	    "    [##------]  25% of 12.0 MiB  linux-amd64/app\n"
	    "  the upload failed, and is tried again: linux-amd64/b\n"
	    "      refused\n"
	    "  to be mended: annotations.json: line 3, column 5: no\n"
	    "  in no platform folder, move it into one or remove it: stray\n"
	    "  changed here, and differently by somebody else:\n"
	    "    linux-amd64/app\n"
	    "      ours    sha256:aa\n"
	    "      theirs  sha256:bb\n"
	    "  indexfs commit --ours /mnt/v1/PATH publishes ours, --theirs gives it up\n"
	    "  tried again in 4 s (commit=idle)\n"
	    "  failed 2 times: why\n"
	    "  last errors:\n"
	    "    t1  p  (EIO)\n"
	    "      broken\n"
	    "    t2  /  (EACCES, HTTP 403)\n"
	    "      no?[2J\n");
}
END_TEST

START_TEST(what_a_commit_waits_for)
{
	begin("{\"commit\": \"idle\", \"uncommitted\": [\".\"],"
	      "\"next_commit\": {\"in_seconds\": null, \"tries\": 0, \"error\": \"stray is "
	      "there\"}}");
	report_all(to, "/m", "s", status, 0);
	end("/m: s\n"
	    "  not published:\n"
	    "    (the list of platforms, or the tag's annotations)\n"
	    "  tried again once something changes (commit=idle)\n"
	    "  waits: stray is there\n");
	begin("{\"commit\": \"close\", \"uncommitted\": [\"a\"],"
	      "\"next_commit\": {\"in_seconds\": null, \"tries\": 0, \"error\": null}}");
	report_all(to, "/m", "s", status, 0);
	end("/m: s\n"
	    "  not published:\n"
	    "    a\n"
	    "  published once a file isn't being written any more (commit=close)\n");
}
END_TEST

START_TEST(a_long_list_is_cut)
{
	char json[4096] = "{\"uncommitted\": [", want[1024] = "";
	size_t i;

	for (i = 0; i < 25; i++)
		sprintf(json + strlen(json), "%s\"f%zu\"", i ? "," : "", i);
	strcat(json, "]}");
	for (i = 0; i < 20; i++)
		sprintf(want + strlen(want), "    f%zu\n", i);
	strcat(want, "    ... and 5 more\n");
	begin(json);
	ck_assert_uint_eq(report_uncommitted(to, status), 25);
	end(want);
}
END_TEST

START_TEST(only_errors_of_this_commit)
{
	begin("{\"errors\": [{\"number\": 9, \"path\": \"c\"}, {\"number\": 8, \"path\": \"b\"},"
	      "{\"number\": 7, \"path\": \"a\"}]}");
	ck_assert_int_eq(report_last_error(status), 9);
	report_errors(to, status, 7, 20);
	end("      b  ()\n"
	    "      \n"
	    "      c  ()\n"
	    "      \n");
	begin("{}");
	ck_assert_int_eq(report_last_error(status), -1);
	report_errors(to, status, -1, 20);
	end("");
}
END_TEST

static void expect_size(int64_t bytes, const char *want)
{
	char got[REPORT_SIZE_LEN];

	report_size(got, bytes);
	ck_assert_str_eq(got, want);
}

START_TEST(sizes_and_bars)
{
	expect_size(0, "0 bytes");
	expect_size(1023, "1023 bytes");
	expect_size(1536, "1.5 KiB");
	expect_size((int64_t)3 << 40, "3.0 TiB");
	expect_size(INT64_MAX, "8388608.0 TiB");
	begin("{}");
	report_bar(to, 4, 0, 10);
	report_bar(to, 4, 5, 10);
	report_bar(to, 4, 20, 10);
	report_bar(to, 4, -1, 10);
	report_bar(to, 4, 5, 0);
	end("[----][##--][####][----][----]");
}
END_TEST

START_TEST(uploads_are_summed_up)
{
	struct report_sum sum;

	begin("{\"uploads\": [{\"state\": \"uploading\", \"sent\": 1, \"size\": 10},"
	      "{\"state\": \"staged\", \"sent\": 0, \"size\": 100},"
	      "{\"state\": \"uploading\", \"sent\": 2, \"size\": 20}]}");
	sum = report_uploads_sum(status);
	ck_assert_uint_eq(sum.files, 2);
	ck_assert_int_eq(sum.sent, 3);
	ck_assert_int_eq(sum.size, 30);
	end("");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("report");
	TCase *tcase = tcase_create("report");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, nothing_to_tell);
	tcase_add_test(tcase, everything_at_once);
	tcase_add_test(tcase, what_a_commit_waits_for);
	tcase_add_test(tcase, a_long_list_is_cut);
	tcase_add_test(tcase, only_errors_of_this_commit);
	tcase_add_test(tcase, sizes_and_bars);
	tcase_add_test(tcase, uploads_are_summed_up);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
