#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "registry/model/token_answer.h"

#define ISSUED 1700000000 /* 2023-11-14T22:13:20Z */

static const struct {
	const char *text;
	const char *token; /* NULL: refused */
	int64_t expires_in, issued_at;
} answers[] = {
	{"{\"token\":\"t\"}", "t", 60, -1},
	{"{\"access_token\":\"a\",\"expires_in\":300}", "a", 300, -1},
	{"{\"token\":\"t\",\"access_token\":\"a\"}", "t", 60, -1},
	{"{\"token\":\"\",\"access_token\":\"a\"}", "a", 60, -1},
	{"{\"token\":null,\"access_token\":\"a\",\"expires_in\":null}", "a", 60, -1},
	{" {\"more\":[{}],\"token\":\"a.b-c_d~e+f/g==\"}\n", "a.b-c_d~e+f/g==", 60, -1},
	{"{\"token\":\"t\",\"expires_in\":0}", "t", 0, -1},
	{"{\"token\":\"t\",\"expires_in\":-5}", "t", 0, -1},
	{"{\"token\":\"t\",\"expires_in\":2.9}", "t", 2, -1},
	{"{\"token\":\"t\",\"expires_in\":\"120\"}", "t", 120, -1},
	{"{\"token\":\"t\",\"expires_in\":\"soon\"}", "t", 60, -1},
	{"{\"token\":\"t\",\"expires_in\":true}", "t", 60, -1},
	{"{\"token\":\"t\",\"expires_in\":1e300}", "t", TOKEN_LIFE_MAX, -1},
	{"{\"token\":\"t\",\"issued_at\":\"2023-11-14T22:13:20Z\"}", "t", 60, ISSUED},
	{"{\"token\":\"t\",\"issued_at\":\"2023-11-14T22:13:20.123456789Z\"}", "t", 60, ISSUED},
	{"{\"token\":\"t\",\"issued_at\":\"2023-11-15T00:13:20+02:00\"}", "t", 60, ISSUED},
	{"{\"token\":\"t\",\"issued_at\":\"2023-11-14T16:43:20-05:30\"}", "t", 60, ISSUED},
	{"{\"token\":\"t\",\"issued_at\":\"yesterday\"}", "t", 60, -1},
	{"{\"token\":\"t\",\"issued_at\":\"2023-11-14T22:13:20\"}", "t", 60, -1},
	{"{\"token\":\"t\",\"issued_at\":7}", "t", 60, -1},
	{"", NULL, 0, 0},
	{"<html>", NULL, 0, 0},
	{"[\"t\"]", NULL, 0, 0},
	{"{}", NULL, 0, 0},
	{"{\"token\":\"\"}", NULL, 0, 0},
	{"{\"token\":7}", NULL, 0, 0},
	{"{\"token\":\"a b\"}", NULL, 0, 0},
	{"{\"token\":\"a\\r\\nX-Header: b\"}", NULL, 0, 0},
	{"{\"token\":\"a\\u0000b\"}", NULL, 0, 0},
	{"{\"token\":\"\xc3\xa9\"}", NULL, 0, 0},
	{"{\"token\":\"a\",\"token\":\"b\"}", NULL, 0, 0},
	{"{\"token\":\"sesame\"", NULL, 0, 0},
	{"{\"token\":\"sesame \"}", NULL, 0, 0},
};

START_TEST(answers_are_read_or_refused)
{
	const char *text = answers[_i].text;
	struct token_answer answer;
	struct error err = ERROR_INIT;
	int failed = token_answer_parse(&answer, text, strlen(text), &err);

	if (!answers[_i].token) {
		ck_assert_int_eq(failed, -1);
		ck_assert_int_eq(err.kind, ERROR_PROTOCOL);
		ck_assert_ptr_null(answer.token);
		ck_assert_ptr_null(strstr(err.message, "sesame"));
		return;
	}
	ck_assert_msg(!failed, "%s: %s", text, err.message);
	ck_assert_str_eq(answer.token, answers[_i].token);
	ck_assert_int_eq(answer.expires_in, answers[_i].expires_in);
	ck_assert_int_eq(answer.issued_at, answers[_i].issued_at);
	token_answer_clear(&answer);
	ck_assert_ptr_null(answer.token);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("token_answer");
	TCase *tcase = tcase_create("token_answer");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(
		tcase, answers_are_read_or_refused, 0, (int)(sizeof(answers) / sizeof(*answers)));
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
