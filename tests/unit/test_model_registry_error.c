#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "registry/model/registry_error.h"

static const struct registry_error *parsed(struct registry_error *out, const char *body)
{
	registry_error_parse(out, body, strlen(body));
	return out;
}

START_TEST(parse_quotes_codes_and_messages)
{
	struct registry_error said;

	parsed(&said, "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"not you\",\"detail\":{}}]}");
	ck_assert_str_eq(said.code, "DENIED");
	ck_assert_str_eq(said.text, "DENIED: not you");
	parsed(&said, "{\"errors\":[{\"code\":\"A\"},{\"message\":\"b\"},{},7,{\"code\":\"C\"}]}");
	ck_assert_str_eq(said.code, "A");
	ck_assert_str_eq(said.text, "A; b; C");
}
END_TEST

START_TEST(parse_quotes_any_other_body)
{
	struct registry_error said;

	registry_error_parse(&said, NULL, 0);
	ck_assert_str_eq(said.text, "");
	ck_assert_str_eq(said.code, "");
	ck_assert_str_eq(parsed(&said, "  upstream\r\n\tis down \n")->text, "upstream is down");
	ck_assert_str_eq(parsed(&said, "{\"errors\":[]}")->text, "{\"errors\":[]}");
	ck_assert_str_eq(parsed(&said, "{\"errors\":\"no\"}")->text, "{\"errors\":\"no\"}");
	ck_assert_str_eq(parsed(&said, "[1,2]")->text, "[1,2]");
	registry_error_parse(&said, "a\0b", 3);
	ck_assert_str_eq(said.text, "ab");
}
END_TEST

START_TEST(parse_drops_what_drives_a_terminal)
{
	struct registry_error said;

	parsed(&said, "{\"errors\":[{\"code\":\"X\",\"message\":\"a\\u001b["
		      "31mb\\u0007\\u009bc\\u007fd\"}]}");
	ck_assert_str_eq(said.text, "X: a[31mbcd");
	ck_assert_str_eq(parsed(&said, "\xc3\xa9t\xc3\xa9")->text, "\xc3\xa9t\xc3\xa9");
}
END_TEST

START_TEST(parse_cuts_on_a_character)
{
	static char body[REGISTRY_ERROR_TEXT_MAX * 4];
	struct registry_error said;

	memset(body, 'x', sizeof(body) - 1);
	ck_assert_uint_eq(strlen(parsed(&said, body)->text), REGISTRY_ERROR_TEXT_MAX);
	memcpy(body + REGISTRY_ERROR_TEXT_MAX - 2, "\xe2\x82\xac", 3);
	ck_assert_uint_eq(strlen(parsed(&said, body)->text), REGISTRY_ERROR_TEXT_MAX - 2);
	memcpy(body + REGISTRY_ERROR_TEXT_MAX - 3, "\xe2\x82\xac", 3);
	ck_assert_uint_eq(strlen(parsed(&said, body)->text), REGISTRY_ERROR_TEXT_MAX);
}
END_TEST

static const struct {
	int status;
	const char *body;
	enum error_kind kind;
} kinds[] = {
	{401, "", ERROR_DENIED},
	{403, "", ERROR_DENIED},
	{403, "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"Quota exceeded\"}]}", ERROR_QUOTA},
	{404, "", ERROR_NOT_FOUND},
	{404, "{\"errors\":[{\"code\":\"TAG_INVALID\"}]}", ERROR_NOT_FOUND},
	{400, "{\"errors\":[{\"code\":\"NAME_UNKNOWN\"}]}", ERROR_NOT_FOUND},
	{400, "{\"errors\":[{\"code\":\"TAG_INVALID\",\"message\":\"exists\"}]}", ERROR_IMMUTABLE},
	{412, "", ERROR_CONFLICT},
	{412, "{\"errors\":[{\"code\":\"P\",\"message\":\"tag is Immutable\"}]}", ERROR_IMMUTABLE},
	{405, "tag v1 cannot be overwritten", ERROR_IMMUTABLE},
	{409, "", ERROR_IMMUTABLE},
	{405, "{\"errors\":[{\"code\":\"UNSUPPORTED\"}]}", ERROR_READ_ONLY},
	{400, "{\"errors\":[{\"code\":\"DIGEST_INVALID\"}]}", ERROR_CORRUPT},
	{400, "{\"errors\":[{\"code\":\"MANIFEST_INVALID\"}]}", ERROR_CORRUPT},
	{400, "", ERROR_PROTOCOL},
	{408, "", ERROR_TIMEOUT},
	{413, "", ERROR_TOO_LARGE},
	{416, "", ERROR_PROTOCOL},
	{429, "quota exceeded", ERROR_THROTTLED},
	{403, "{\"errors\":[{\"code\":\"TOOMANYREQUESTS\"}]}", ERROR_THROTTLED},
	{500, "immutable", ERROR_SERVER},
	{503, "", ERROR_SERVER},
	{507, "", ERROR_QUOTA},
	{307, "", ERROR_PROTOCOL},
};

START_TEST(kind_follows_status_and_words)
{
	struct registry_error said;

	parsed(&said, kinds[_i].body);
	ck_assert_msg(registry_error_kind(kinds[_i].status, &said) == kinds[_i].kind,
		"HTTP %d %s is not %d", kinds[_i].status, kinds[_i].body, kinds[_i].kind);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("registry_error");
	TCase *tcase = tcase_create("registry_error");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, parse_quotes_codes_and_messages);
	tcase_add_test(tcase, parse_quotes_any_other_body);
	tcase_add_test(tcase, parse_drops_what_drives_a_terminal);
	tcase_add_test(tcase, parse_cuts_on_a_character);
	tcase_add_loop_test(
		tcase, kind_follows_status_and_words, 0, (int)(sizeof(kinds) / sizeof(kinds[0])));
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
