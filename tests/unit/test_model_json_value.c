#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "json_value.h"

static struct json_value *parse(const char *text)
{
	struct error err = ERROR_INIT;
	struct json_value *value = json_value_parse(text, strlen(text), &err);

	ck_assert_msg(value != NULL, "%s: %s", text, err.message);
	return value;
}

START_TEST(what_is_there_is_found)
{
	struct json_value *root =
		parse("{\"a\": {\"b\": [\"x\", 2, null, \"caf\\u00e9\"]}, \"n\": -1.5e3}");
	const struct json_value *list = json_value_member(json_value_member(root, "a"), "b");
	const struct json_value *item = json_value_first(list);

	ck_assert_str_eq(json_value_text(item), "x");
	item = json_value_next(item);
	ck_assert_int_eq(json_value_number(item, 7), 2);
	ck_assert_ptr_null(json_value_text(item));
	item = json_value_next(item);
	ck_assert_int_eq(json_value_number(item, 7), 7);
	item = json_value_next(item);
	ck_assert_str_eq(json_value_text(item), "caf\xc3\xa9");
	ck_assert_ptr_null(json_value_next(item));
	ck_assert_int_eq(json_value_number(json_value_member(root, "n"), 0), -1500);
	json_value_free(root);
}
END_TEST

START_TEST(what_is_not_there_is_null_all_the_way)
{
	struct json_value *root = parse("{\"a\": 1, \"o\": {\"x\": 1}}");
	const struct json_value *none = json_value_member(json_value_member(root, "no"), "such");

	ck_assert_ptr_null(none);
	ck_assert_ptr_null(json_value_first(none));
	ck_assert_ptr_null(json_value_next(none));
	ck_assert_ptr_null(json_value_text(none));
	ck_assert_int_eq(json_value_number(none, 3), 3);
	ck_assert_ptr_null(json_value_member(json_value_member(root, "a"), "x"));
	ck_assert_ptr_null(json_value_member(root, "A"));
	ck_assert_ptr_null(json_value_first(json_value_member(root, "o")));
	json_value_free(root);
	json_value_free(NULL);
}
END_TEST

START_TEST(numbers_stay_within_bounds)
{
	struct json_value *root = parse("[1e300, -1e300, 9223372036854775807]");
	const struct json_value *item = json_value_first(root);

	ck_assert(json_value_number(item, 0) == INT64_MAX);
	ck_assert(json_value_number(json_value_next(item), 0) == INT64_MIN);
	json_value_free(root);
}
END_TEST

START_TEST(what_is_not_json_is_refused)
{
	static const char *const texts[] = {"", "{", "{\"a\":}", "[1,]", "{} {}", "nul"};
	char deep[300];

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct error err = ERROR_INIT;

		ck_assert_ptr_null(json_value_parse(texts[i], strlen(texts[i]), &err));
		ck_assert_int_eq(err.kind, ERROR_INVALID);
	}
	memset(deep, '[', sizeof deep);
	ck_assert_ptr_null(json_value_parse(deep, sizeof deep - 1, NULL));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("json_value");
	TCase *tcase = tcase_create("json_value");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, what_is_there_is_found);
	tcase_add_test(tcase, what_is_not_there_is_null_all_the_way);
	tcase_add_test(tcase, numbers_stay_within_bounds);
	tcase_add_test(tcase, what_is_not_json_is_refused);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
