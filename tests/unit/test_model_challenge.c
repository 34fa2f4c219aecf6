#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "registry/model/challenge.h"
#include "registry/model/scope.h"

#define VALUES_MAX 3

static const struct {
	const char *values[VALUES_MAX];
	enum challenge_scheme scheme;
	const char *realm, *service, *scope;
} challenges[] = {
	{{"Bearer realm=\"https://a/token\",service=\"s\",scope=\"repository:r:pull,push\""},
		CHALLENGE_BEARER, "https://a/token", "s", "repository:r:pull,push"},
	{{"bEaReR  REALM = \"https://a/\" ,, Service=s , SCOPE=\"\""}, CHALLENGE_BEARER,
		"https://a/", "s", ""},
	{{"Bearer realm=https://a/token?x=1,service=a:b"}, CHALLENGE_BEARER, "https://a/token?x=1",
		"a:b", NULL},
	{{"Basic realm=\"a \\\"b\\\", c\\\\\""}, CHALLENGE_BASIC, "a \"b\", c\\", NULL, NULL},
	{{"Basic"}, CHALLENGE_BASIC, NULL, NULL, NULL},
	{{"BASIC realm=\"x\", charset=\"UTF-8\""}, CHALLENGE_BASIC, "x", NULL, NULL},
	{{"Basic realm=\"x\", Bearer realm=\"https://a/\",service=\"s\""}, CHALLENGE_BEARER,
		"https://a/", "s", NULL},
	{{"Bearer realm=\"https://a/\",service=\"s\", Basic realm=\"x\""}, CHALLENGE_BEARER,
		"https://a/", "s", NULL},
	{{"Basic realm=\"x\"", "Bearer realm=\"https://a/\""}, CHALLENGE_BEARER, "https://a/", NULL,
		NULL},
	{{"Bearer realm=\"https://a/\"", "Bearer realm=\"https://b/\""}, CHALLENGE_BEARER,
		"https://a/", NULL, NULL},
	{{"Bearer realm=\"https://a/\",realm=\"https://b/\""}, CHALLENGE_BEARER, "https://a/", NULL,
		NULL},
	{{"Negotiate YWJjZA==, Basic realm=\"x\""}, CHALLENGE_BASIC, "x", NULL, NULL},
	{{"Negotiate YWJj=, Digest nonce=\"Bearer realm=1\", Basic realm=\"x\""}, CHALLENGE_BASIC,
		"x", NULL, NULL},
	{{"NTLM", "Negotiate"}, CHALLENGE_NONE, NULL, NULL, NULL},
	{{"Bearer service=\"s\""}, CHALLENGE_NONE, NULL, NULL, NULL},
	{{"Bearer realm=\"\"", "Basic realm=\"x\""}, CHALLENGE_BASIC, "x", NULL, NULL},
	{{"Bearer realm=\"https://a/"}, CHALLENGE_BEARER, "https://a/", NULL, NULL},
	{{"Bearer realm=\"https://a/\\"}, CHALLENGE_BEARER, "https://a/\\", NULL, NULL},
	{{""}, CHALLENGE_NONE, NULL, NULL, NULL},
	{{" ,=\"\\;;(\" realm=\"x\""}, CHALLENGE_NONE, NULL, NULL, NULL},
	{{"realm=\"https://a/\""}, CHALLENGE_NONE, NULL, NULL, NULL},
	{{"Bearer error=\"insufficient_scope\",realm=\"https://a/\",scope=\"a b\""},
		CHALLENGE_BEARER, "https://a/", NULL, "a b"},
};

static void assert_text(const char *got, const char *expected)
{
	if (!expected)
		ck_assert_msg(!got, "%s", got);
	else
		ck_assert_pstr_eq(got, expected);
}

START_TEST(challenges_are_read)
{
	struct challenge challenge = CHALLENGE_INIT;
	struct error err = ERROR_INIT;

	for (int i = 0; i < VALUES_MAX && challenges[_i].values[i]; i++)
		ck_assert_int_eq(challenge_read(&challenge, challenges[_i].values[i], &err), 0);
	ck_assert_int_eq(challenge.scheme, challenges[_i].scheme);
	assert_text(challenge.realm, challenges[_i].realm);
	assert_text(challenge.service, challenges[_i].service);
	assert_text(challenge.scope, challenges[_i].scope);
	challenge_clear(&challenge);
}
END_TEST

/* Of the challenge that is kept, and not of what is remembered of it. */
START_TEST(challenges_say_whether_what_was_shown_is_enough)
{
	static const struct {
		const char *value;
		bool insufficient;
	} cases[] = {
		{"Bearer realm=\"https://a/\",error=\"insufficient_scope\"", true},
		{"Bearer realm=\"https://a/\",error=\"invalid_token\"", false},
		{"Bearer realm=\"https://a/\"", false},
		{"Basic error=insufficient_scope, Bearer realm=\"https://a/\"", false},
	};
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct challenge challenge = CHALLENGE_INIT, copy;

		ck_assert_int_eq(challenge_read(&challenge, cases[i].value, &err), 0);
		ck_assert_int_eq(challenge.insufficient, cases[i].insufficient);
		ck_assert_int_eq(challenge_copy(&copy, &challenge, &err), 0);
		ck_assert(!copy.insufficient);
		challenge_clear(&copy);
		challenge_clear(&challenge);
	}
}
END_TEST

START_TEST(challenges_compare_without_scope)
{
	struct challenge a = CHALLENGE_INIT, b = CHALLENGE_INIT, c = CHALLENGE_INIT;
	struct error err = ERROR_INIT;

	ck_assert_int_eq(challenge_read(&a, "Bearer realm=\"r\",scope=\"x\"", &err), 0);
	ck_assert_int_eq(challenge_read(&b, "Bearer realm=\"r\",scope=\"y\"", &err), 0);
	ck_assert(challenge_equal(&a, &b));
	ck_assert_int_eq(challenge_copy(&c, &b, &err), 0);
	ck_assert(challenge_equal(&c, &b));
	ck_assert_str_eq(c.scope, "y");
	challenge_clear(&c);
	ck_assert_int_eq(challenge_read(&c, "Bearer realm=\"r\",service=\"s\"", &err), 0);
	ck_assert(!challenge_equal(&c, &b));
	challenge_clear(&a);
	challenge_clear(&b);
	challenge_clear(&c);
}
END_TEST

static const struct {
	const char *a, *b, *merged;
} scopes[] = {
	{NULL, NULL, ""},
	{"", " ", ""},
	{"repository:r:pull", NULL, "repository:r:pull"},
	{NULL, "repository:r:push,pull", "repository:r:pull,push"},
	{"repository:r:pull", "repository:r:push,pull,pull", "repository:r:pull,push"},
	{"repository:r:pull,push", "repository:r:delete", "repository:r:delete,pull,push"},
	{"repository:r:pull", "repository:q:pull repository:r:push",
		"repository:r:pull,push repository:q:pull"},
	{"repository:h:5000/r:pull", "repository:h:5000/r:push", "repository:h:5000/r:pull,push"},
	{"registry:catalog:*", "aws", "registry:catalog:* aws"},
	{"a:b", "a:b a:c", "a:b a:c"},
	{"repository:h:5000/r:", "a:b:,", ""},
	{"repository:r:", "  repository:r:,pull,, ", "repository:r:pull"},
};

START_TEST(scopes_are_merged)
{
	struct error err = ERROR_INIT;
	char *merged;

	ck_assert_int_eq(scope_merge(&merged, scopes[_i].a, scopes[_i].b, &err), 0);
	ck_assert_str_eq(merged, scopes[_i].merged);
	free(merged);
}
END_TEST

START_TEST(scopes_are_bounded)
{
	char text[SCOPE_TEXT_MAX + 64];
	struct error err = ERROR_INIT;
	char *merged;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(scope_merge(&merged, NULL, text, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_PROTOCOL);
	ck_assert_ptr_null(merged);
	for (size_t i = 0; i + 3 < sizeof(text); i += 3)
		memcpy(text + i, (char[]){(char)('a' + i / 3 % 26), (char)('a' + i / 78 % 26), ' '},
			3);
	error_clear(&err);
	ck_assert_int_eq(scope_merge(&merged, NULL, text, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_PROTOCOL);
	error_clear(&err);
	ck_assert_int_eq(scope_merge(&merged, "a", "repository:r:p\"ull", &err), -1);
	ck_assert_int_eq(err.kind, ERROR_PROTOCOL);
	ck_assert_int_eq(scope_merge(&merged, "a", "b\nc", NULL), -1);
	ck_assert_int_eq(scope_merge(&merged, "a", "b\xff", NULL), -1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("challenge");
	TCase *tcase = tcase_create("challenge");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(
		tcase, challenges_are_read, 0, (int)(sizeof(challenges) / sizeof(*challenges)));
	tcase_add_test(tcase, challenges_say_whether_what_was_shown_is_enough);
	tcase_add_test(tcase, challenges_compare_without_scope);
	tcase_add_loop_test(tcase, scopes_are_merged, 0, (int)(sizeof(scopes) / sizeof(*scopes)));
	tcase_add_test(tcase, scopes_are_bounded);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
