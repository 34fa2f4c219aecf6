#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "json_respell.h"
#include "registry/model/json_equal.h"

static bool equal(const char *a, const char *b)
{
	struct json_text first = {a, strlen(a), ERROR_INVALID};
	struct json_text second = {b, strlen(b), ERROR_INVALID};
	struct error err = ERROR_INIT;
	bool same = false;

	ck_assert_msg(json_check(&first, &err) == 0, "%s: %s", a, err.message);
	ck_assert_msg(json_check(&second, &err) == 0, "%s: %s", b, err.message);
	ck_assert_int_eq(
		json_equal(&same, &first, json_root(&first), &second, json_root(&second), &err), 0);
	return same;
}

struct pair {
	const char *a, *b;
};

static const struct pair alike[] = {
	{"{}", " { } "},
	{"[]", "[\n]"},
	{"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}"},
	{"{\"a\":{\"x\":1,\"y\":[{\"p\":1,\"q\":2}]}}",
		"{\"a\":{\"y\":[{\"q\":2,\"p\":1}],\"x\":1}}"},
	{"\"a/b\"", "\"a\\/b\""},
	{"\"\xc3\xa9\"", "\"\\u00e9\""},
	{"\"\xc3\xa9\"", "\"\\u00E9\""},
	{"\"\xf0\x9f\x98\x80\"", "\"\\ud83d\\ude00\""},
	{"\"\\b\\f\\n\\r\\t\\\"\\\\\"", "\"\\u0008\\u000c\\u000a\\u000d\\u0009\\u0022\\u005c\""},
	{"{\"a\":1}", "{\"\\u0061\":1}"},
	{"{\"\\u0000\":1,\"b\":2}", "{\"b\":2,\"\\u0000\":1}"},
	{"1", "1.0"},
	{"100", "1e2"},
	{"100", "1E+02"},
	{"0.001", "1e-3"},
	{"-12.50", "-1.25e1"},
	{"0", "0.0e7"},
	{"9007199254740993", "9007199254740993.0"},
	{"true", "true "},
};

static const struct pair different[] = {
	{"{}", "[]"},
	{"{}", "{\"a\":null}"},
	{"{\"a\":1}", "{\"b\":1}"},
	{"{\"a\":1,\"b\":2}", "{\"a\":2,\"b\":1}"},
	{"{\"a\":1}", "{\"a\":1,\"b\":1}"},
	{"[1,2]", "[2,1]"},
	{"[1]", "[1,1]"},
	{"[[]]", "[[[]]]"},
	{"\"1\"", "1"},
	{"\"a\"", "\"A\""},
	{"\"a\"", "\"aa\""},
	{"\"\"", "\"a\""},
	{"\"\\u0000\"", "\"\\u0001\""},
	{"\"\\\\u0041\"", "\"A\""},
	{"\"\\n\"", "\"n\""},
	{"\"\xc3\xa9\"", "\"e\\u0301\""},
	{"9007199254740993", "9007199254740992"},
	{"0.1", "0.10000000000000001"},
	{"1", "-1"},
	{"1", "10"},
	{"0", "-0"},
	{"12", "1.2"},
	{"1e1000000000000", "1e1000000000001"},
	{"true", "false"},
	{"null", "false"},
	{"null", "0"},
	/* Which of two members of one name counts, readers don't agree on. */
	{"{\"a\":{\"x\":1,\"x\":2}}", "{\"a\":{\"x\":2,\"x\":1}}"},
};

START_TEST(the_same_however_it_is_written)
{
	for (size_t i = 0; i < sizeof(alike) / sizeof(*alike); i++) {
		ck_assert_msg(equal(alike[i].a, alike[i].b), "%s, %s", alike[i].a, alike[i].b);
		ck_assert_msg(equal(alike[i].b, alike[i].a), "%s, %s", alike[i].b, alike[i].a);
	}
}
END_TEST

START_TEST(what_differs_is_different)
{
	for (size_t i = 0; i < sizeof(different) / sizeof(*different); i++) {
		const struct pair *pair = &different[i];

		ck_assert_msg(!equal(pair->a, pair->b), "%s, %s", pair->a, pair->b);
		ck_assert_msg(!equal(pair->b, pair->a), "%s, %s", pair->b, pair->a);
	}
}
END_TEST

static char *nested(const char *core)
{
	char *text = calloc((size_t)JSON_DEPTH_MAX, 6 + strlen(core) + 1), *at = text;

	for (int i = 0; i < JSON_DEPTH_MAX - 1; i++)
		at += sprintf(at, "{\"a\":");
	at += sprintf(at, "%s", core);
	memset(at, '}', JSON_DEPTH_MAX - 1);
	return text;
}

START_TEST(down_to_the_deepest_level)
{
	cleanup_free char *one = nested("{\"x\":1,\"y\":2}"), *same = nested("{\"y\":2,\"x\":1}");
	cleanup_free char *other = nested("{\"y\":2,\"x\":3}");

	ck_assert(equal(one, same));
	ck_assert(!equal(one, other));
}
END_TEST

START_TEST(any_spelling)
{
	static const char text[] =
		"{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"sha256:ab\",\"size\":1,"
		"\"annotations\":{\"a\\\"\\u00e9\":\"\xf0\x9f\x98\x80/\\n\",\"b\":\"\"}},{}],"
		"\"x\":[1.50,true,null,[{\"y\":[],\"z\":-0}]]}";
	size_t unlike = 0;

	for (uint64_t seed = 0; seed < 300; seed++) {
		cleanup_free char *one = json_respell(text, seed), *two = json_respell(one, ~seed);

		ck_assert_msg(equal(text, one), "seed %d: %s", (int)seed, one);
		ck_assert_msg(equal(one, two), "seed %d: %s", (int)seed, two);
		unlike += strcmp(one, two) != 0;
	}
	ck_assert_uint_gt(unlike, 290);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("json equal");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, all);
	tcase_add_test(all, the_same_however_it_is_written);
	tcase_add_test(all, what_differs_is_different);
	tcase_add_test(all, down_to_the_deepest_level);
	tcase_add_test(all, any_spelling);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
