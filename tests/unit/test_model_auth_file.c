#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "registry/model/auth_file.h"
#include "registry/model/base64.h"
#include "registry/model/helper_message.h"

/* base64 of USER:PASSWORD */
#define ANN "YW5uOmE=" /* ann:a */
#define BOB "Ym9iOmI=" /* bob:b */
#define CAT "Y2F0OmM=" /* cat:c */

#define ENTRY(key, auth) "\"" key "\":{\"auth\":\"" auth "\"}"
#define AUTHS(entries) "{\"auths\":{" entries "}}"

static void find(struct auth_entry *out, const char *text, enum auth_file_form form,
	const char *host, const char *repository)
{
	struct error err = ERROR_INIT;

	ck_assert_msg(auth_file_find(out, text, strlen(text), form, host, repository, &err) == 0,
		"%s: %s", text, err.message);
}

/* Who host and repository are for a file: a username, or "" for nobody. */
static void expect_user(
	const char *text, const char *host, const char *repository, const char *username)
{
	struct auth_entry entry;

	find(&entry, text, AUTH_FILE_AUTHS, host, repository);
	ck_assert_msg(strcmp(entry.username ? entry.username : "", username) == 0,
		"%s %s in %s: %s, not %s", host, repository, text, entry.username, username);
	auth_entry_clear(&entry);
}

START_TEST(the_longest_path_matches)
{
	const char *text = AUTHS(ENTRY("r.example/me/app", ANN) "," ENTRY(
		"r.example", BOB) "," ENTRY("r.example/me", CAT));

	expect_user(text, "r.example", "me/app", "ann");
	expect_user(text, "r.example", "me/app/sub", "ann");
	expect_user(text, "r.example", "me/apple", "cat");
	expect_user(text, "r.example", "me", "cat");
	expect_user(text, "r.example", "mean", "bob");
	expect_user(text, "r.example", "you/app", "bob");
	expect_user(text, "r.example", NULL, "bob");
	expect_user(text, "R.Example", NULL, "bob");
	expect_user(text, "r.example:443", "me/app", "");
	expect_user(text, "r.example.org", "me/app", "");
	expect_user(AUTHS(ENTRY("r.example/me", ANN)), "r.example", NULL, "");
}
END_TEST

START_TEST(keys_have_many_spellings)
{
	static const struct {
		const char *key, *host, *repository;
		bool matches;
	} cases[] = {
		{"https://r.example", "r.example", "a", true},
		{"http://r.example", "r.example", "a", true},
		{"HTTPS://r.example/", "r.example", "a", true},
		{"https://r.example/v1/", "r.example", "a", true},
		{"https://r.example/v2/", "r.example", "a", true},
		{"r.example/v1/", "r.example", "a", true},
		{"r.example/v2/", "r.example", "a", true},
		{"r.example/", "r.example", NULL, true},
		{"r.example/v2", "r.example", "a", false},
		{"r.example/v2", "r.example", "v2/a", true},
		{"r.example/a/", "r.example", "a", true},
		{"r.example:5000", "r.example:5000", "a", true},
		{"r.example", "r.example:5000", "a", false},
		{"[::1]:5000", "[::1]:5000", "a", true},
		{"https://index.docker.io/v1/", "docker.io", "library/a", true},
		{"index.docker.io", "docker.io", "library/a", true},
		{"registry-1.docker.io", "docker.io", "library/a", true},
		{"docker.io", "docker.io", "library/a", true},
		{"docker.io/library", "docker.io", "library/a", true},
		{"docker.io", "registry-1.docker.io", "library/a", true},
		{"hub.docker.io", "docker.io", "library/a", false},
		{"", "r.example", "a", false},
		{"https://", "r.example", "a", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[256];

		snprintf(text, sizeof(text), AUTHS(ENTRY("%s", ANN)), cases[i].key);
		expect_user(
			text, cases[i].host, cases[i].repository, cases[i].matches ? "ann" : "");
	}
}
END_TEST

START_TEST(the_same_spelling_wins_among_equals)
{
	const char *text = AUTHS(ENTRY("https://r.example/v1/", ANN) "," ENTRY(
		"r.example", BOB) "," ENTRY("r.example/", CAT));

	expect_user(text, "r.example", "a", "bob");
	expect_user(AUTHS(ENTRY("https://r.example", ANN) "," ENTRY("r.example/", CAT)),
		"r.example", "a", "ann");
}
END_TEST

START_TEST(an_entry_says_who)
{
	static const struct {
		const char *entry, *username, *password, *token;
	} cases[] = {
		{"{\"auth\":\"YW5uOmE6Yjpj\"}", "ann", "a:b:c", NULL},
		{"{\"auth\":\"YW5uOmEAAA==\"}", "ann", "a", NULL},
		{"{\"auth\":\"YW5uOg==\"}", "ann", "", NULL},
		{"{\"auth\":\"YW5uOg\"}", "ann", "", NULL},
		{"{\"auth\":\"Og==\"}", NULL, NULL, NULL},
		{"{\"auth\":\"\"}", NULL, NULL, NULL},
		{"{\"auth\":null}", NULL, NULL, NULL},
		{"{}", NULL, NULL, NULL},
		{"null", NULL, NULL, NULL},
		{"{\"username\":\"ann\",\"password\":\"p\\u00e9\"}", "ann", "p\303\251", NULL},
		{"{\"auth\":\"" ANN "\",\"username\":\"bob\"}", "ann", "a", NULL},
		{"{\"auth\":\"YW5uOg==\",\"identitytoken\":\"t\"}", "ann", "", "t"},
		{"{\"identitytoken\":\"t\",\"email\":1}", NULL, NULL, "t"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[256];
		struct auth_entry entry;

		snprintf(text, sizeof(text), AUTHS("\"r.example\":%s"), cases[i].entry);
		find(&entry, text, AUTH_FILE_AUTHS, "r.example", "a");
		ck_assert_pstr_eq(entry.username, cases[i].username);
		ck_assert_pstr_eq(entry.password, cases[i].password);
		ck_assert_pstr_eq(entry.identity_token, cases[i].token);
		ck_assert_ptr_null(entry.helper);
		auth_entry_clear(&entry);
	}
}
END_TEST

/* It is a credential: no default helper is asked beside it. */
START_TEST(an_entry_may_have_a_token_for_the_registry)
{
	static const char text[] = "{\"credsStore\":\"test\",\"auths\":{\"r.example\":{"
				   "\"registrytoken\":\"t\"}}}";
	struct auth_entry entry;

	find(&entry, text, AUTH_FILE_AUTHS, "r.example", "a");
	ck_assert_pstr_eq(entry.registry_token, "t");
	ck_assert_ptr_null(entry.username);
	ck_assert_ptr_null(entry.helper);
	auth_entry_clear(&entry);
	ck_assert_ptr_null(entry.registry_token);
}
END_TEST

START_TEST(errors_quote_no_secret)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"{\"auths\":{\"r.example\":{\"auth\":\"sesame!\"}}}",
			"r.example: auth: it isn't base64"},
		{"{\"auths\":{\"r.example\":{\"auth\":\"YW5u\"}}}",
			"r.example: auth: it isn't USER"},
		{"{\"auths\":{\"r.example\":{\"auth\":\"YQBuOmI=\"}}}",
			"r.example: auth: it isn't USER"},
		{"{\"auths\":{\"r.example\":{\"auth\":5}}}",
			"r.example: line 1, column 31: auth must"},
		{"{\"auths\":{\"r.example\":\"sesame\"}}",
			"r.example: line 1, column 23: an entry must"},
		{"{\"auths\":[\"sesame\"]}", "line 1, column 10: auths must be an object"},
		{"{\"credHelpers\":\"sesame\"}",
			"line 1, column 16: credHelpers must be an object"},
		{"{\"credHelpers\":{\"r.example\":12345}}",
			"line 1, column 29: a helper must be a string"},
		{"{\"credsStore\":{}}", "line 1, column 15: credsStore must be a string"},
		{"[\"sesame\"]", "line 1, column 1: the file must be an object"},
		{"{\"auths\":{\"r.example\":{\"auth\":sesame}}}", "line 1, column 31: "},
		{"sesame", "line 1, column 1: "},
		{"{", "line 1, column 2: "},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *text = cases[i].text;
		struct auth_entry entry;
		struct error err = ERROR_INIT;

		ck_assert_int_eq(auth_file_find(&entry, text, strlen(text), AUTH_FILE_AUTHS,
					 "r.example", "a", &err),
			-1);
		ck_assert_int_eq(err.kind, ERROR_INVALID);
		ck_assert_msg(strncmp(err.message, cases[i].message, strlen(cases[i].message)) == 0,
			"%s: %s", text, err.message);
		ck_assert_ptr_null(strstr(err.message, "sesame"));
		ck_assert_ptr_null(entry.username);
	}
}
END_TEST

START_TEST(what_is_wrong_elsewhere_does_no_harm)
{
	expect_user("{\"auths\":{\"r.example\":{\"auth\":\"" ANN "\"},\"other\":{\"auth\":\"!\"}}}",
		"r.example", "a", "ann");
	expect_user("", "r.example", "a", "");
	expect_user(" \n\t", "r.example", "a", "");
	expect_user("{}", "r.example", "a", "");
	expect_user(
		"{\"auths\":null,\"credHelpers\":null,\"credsStore\":null}", "r.example", "a", "");
}
END_TEST

static void expect_helper(
	const char *text, const char *host, const char *helper, const char *server, bool is_default)
{
	struct auth_entry entry;

	find(&entry, text, AUTH_FILE_AUTHS, host, "a");
	ck_assert_pstr_eq(entry.helper, helper);
	ck_assert_pstr_eq(entry.server, server);
	ck_assert_int_eq(entry.helper_is_default, is_default);
	if (helper)
		ck_assert_ptr_null(entry.username);
	auth_entry_clear(&entry);
}

START_TEST(helpers_are_named)
{
	const char *both = "{\"auths\":{" ENTRY("r.example",
		ANN) ",\"https://index.docker.io/v1/\":{},"
		     "\"https://"
		     "q.example\":{}},\"credHelpers\":{\"r.example\":\"pass\",\"e.example\":\"\"},"
		     "\"credsStore\":\"desktop\"}";

	expect_helper(both, "r.example", "pass", "r.example", false);
	expect_helper(both, "docker.io", "desktop", "https://index.docker.io/v1/", true);
	expect_helper(both, "q.example", "desktop", "https://q.example", true);
	expect_helper(both, "x.example", "desktop", "x.example", true);
	expect_helper(both, "e.example", "desktop", "e.example", true);
	expect_helper("{\"credsStore\":\"desktop\"}", "docker.io", "desktop",
		"https://index.docker.io/v1/", true);
	expect_helper("{\"auths\":{" ENTRY("r.example", ANN) "},\"credsStore\":\"desktop\"}",
		"r.example", NULL, NULL, false);
	expect_helper("{\"credsStore\":\"\"}", "r.example", NULL, NULL, false);
}
END_TEST

START_TEST(the_helper_is_known_whatever_the_entry_has)
{
	const char *text =
		"{\"auths\":{" ENTRY("https://r.example", ANN) "},\"credsStore\":\"desktop\"}";
	struct auth_entry entry;

	ck_assert_int_eq(auth_file_helper(&entry, text, strlen(text), "r.example", NULL), 0);
	ck_assert_str_eq(entry.helper, "desktop");
	ck_assert_str_eq(entry.server, "https://r.example");
	auth_entry_clear(&entry);
	ck_assert_int_eq(auth_file_helper(&entry, "{}", 2, "r.example", NULL), 0);
	ck_assert_ptr_null(entry.helper);
}
END_TEST

START_TEST(the_old_form_is_flat)
{
	const char *text =
		"{" ENTRY("https://index.docker.io/v1/", ANN) "," ENTRY("r.example", BOB) "}";
	struct auth_entry entry;
	bool has;

	find(&entry, text, AUTH_FILE_FLAT, "docker.io", "library/a");
	ck_assert_str_eq(entry.username, "ann");
	auth_entry_clear(&entry);
	find(&entry, text, AUTH_FILE_FLAT, "r.example", "a");
	ck_assert_str_eq(entry.username, "bob");
	auth_entry_clear(&entry);
	ck_assert_int_eq(
		auth_file_has(&has, text, strlen(text), AUTH_FILE_FLAT, "r.example", NULL), 0);
	ck_assert(has);
	ck_assert_int_eq(
		auth_file_has(&has, text, strlen(text), AUTH_FILE_AUTHS, "r.example", NULL), 0);
	ck_assert(!has);
}
END_TEST

static void expect_set(const char *text, const char *host, const char *username,
	const char *password, const char *expected)
{
	cleanup_with(buf_free) struct buf out = BUF_INIT(AUTH_FILE_SIZE_MAX);
	struct error err = ERROR_INIT;

	ck_assert_msg(auth_file_set(&out, text, strlen(text), host, username, password, &err) == 0,
		"%s: %s", text, err.message);
	ck_assert_str_eq(out.data, expected);
	if (username)
		expect_user(out.data, host, NULL, username);
}

START_TEST(set_leaves_every_other_byte)
{
	expect_set("", "r.example", "ann", "a",
		"{\n\t\"auths\": {\n\t\t\"r.example\": {\n\t\t\t\"auth\": \"" ANN
		"\"\n\t\t}\n\t}\n}\n");
	expect_set("", "docker.io", "ann", "a",
		"{\n\t\"auths\": {\n\t\t\"https://index.docker.io/v1/\": {\n\t\t\t\"auth\": \"" ANN
		"\"\n\t\t}\n\t}\n}\n");
	expect_set("{\"x\" :1}", "r.example", "ann", "a",
		"{\"x\" :1, \"auths\" :{\"r.example\" :{\"auth\" :\"" ANN "\"}}}");
	expect_set("{ \"auths\":{ \"q.example\" :{\"auth\":\"x\"} }, \"k\":[1 ,2] }\n", "r.example",
		"ann", "a",
		"{ \"auths\":{ \"q.example\" :{\"auth\":\"x\"}, \"r.example\" :{\"auth\":\"" ANN
		"\"} }, \"k\":[1 ,2] }\n");
	/* in its place, under its name, with what else is known */
	expect_set("{\"auths\":{\"https://r.example/v1/\":{\"email\":\"e\",\"auth\":\"" BOB
		   "\",\"identitytoken\":\"t\"},\"z\":{}}}",
		"r.example", "ann", "a",
		"{\"auths\":{\"https://r.example/v1/\":{\"email\":\"e\",\"auth\":\"" ANN
		"\"},\"z\":{}}}");
	expect_set("{\"auths\":{\"r.example/me\":{\"auth\":\"" BOB "\"}}}", "r.example", "ann", "a",
		"{\"auths\":{\"r.example/me\":{\"auth\":\"" BOB "\"},\"r.example\":{\"auth\":\"" ANN
		"\"}}}");
	expect_set("{\"auths\":null}", "r.example", "ann", "a",
		"{\"auths\":{\"r.example\":{\"auth\":\"" ANN "\"}}}");
}
END_TEST

START_TEST(set_can_take_the_secret_out)
{
	expect_set("{\"auths\":{\"r.example\":{\"auth\":\"" ANN "\",\"email\":\"e\"}}}",
		"r.example", NULL, NULL, "{\"auths\":{\"r.example\":{\"email\":\"e\"}}}");
	expect_set("{\"auths\":{ }}", "r.example", NULL, NULL, "{\"auths\":{ }}");
	expect_set("{ }", "r.example", NULL, NULL, "{ }");
}
END_TEST

START_TEST(set_refuses)
{
	static const struct {
		const char *text, *username;
	} cases[] = {
		{"{", "ann"},
		{"[]", "ann"},
		{"{\"auths\":[]}", "ann"},
		{"{\"auths\":{\"r.example\":1}}", "ann"},
		{"{}", "a:b"},
		{"{}", ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buf out = BUF_INIT(AUTH_FILE_SIZE_MAX);
		struct error err = ERROR_INIT;

		ck_assert_int_eq(auth_file_set(&out, cases[i].text, strlen(cases[i].text),
					 "r.example", cases[i].username, "sesame", &err),
			-1);
		ck_assert_int_eq(err.kind, ERROR_INVALID);
		ck_assert_uint_eq(out.len, 0);
	}
}
END_TEST

START_TEST(remove_leaves_every_other_byte)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"{\"auths\":{\"a\":{}, \"r.example\":{\"auth\":\"x\"}, \"b\":{}} , \"k\":1}",
			"{\"auths\":{\"a\":{}, \"b\":{}} , \"k\":1}"},
		{"{\"auths\":{\"https://r.example/v1/\":{},\"r.example\":{},\"r.example/me\":{}}}",
			"{\"auths\":{\"r.example/me\":{}}}"},
		{"{\"auths\":{\"r.example\":5}}", "{\"auths\":{}}"},
		{"{\"auths\":{\"q\":{}}}", "{\"auths\":{\"q\":{}}}"},
		{"{ \"k\" : 1 }", "{ \"k\" : 1 }"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buf out = BUF_INIT(AUTH_FILE_SIZE_MAX);

		ck_assert_int_eq(auth_file_remove(&out, cases[i].text, strlen(cases[i].text),
					 "r.example", NULL),
			0);
		ck_assert_str_eq(out.data, cases[i].expected);
		buf_free(&out);
	}
}
END_TEST

START_TEST(a_user_names_a_host)
{
	static const char *const cases[][2] = {
		{"r.example", "r.example"},
		{"https://r.example:5000/", "r.example:5000"},
		{"https://index.docker.io/v1/", "docker.io"},
		{"registry-1.docker.io", "docker.io"},
		{"[::1]:5000", "[::1]:5000"},
		{"", NULL},
		{"r.example/me", NULL},
		{"a b", NULL},
		{"user@r.example", NULL},
		{"r.example?x", NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		cleanup_free char *host = NULL;

		ck_assert_int_eq(auth_host(&host, cases[i][0], NULL), cases[i][1] ? 0 : -1);
		ck_assert_pstr_eq(host, cases[i][1]);
	}
}
END_TEST

START_TEST(base64_goes_both_ways)
{
	for (size_t len = 0; len < 40; len++) {
		char bytes[40], *text, *back;
		size_t back_len;

		for (size_t i = 0; i < len; i++)
			bytes[i] = (char)(i * 37 + len * 11);
		ck_assert_int_eq(base64_encode(&text, bytes, len, NULL), 0);
		ck_assert_uint_eq(strlen(text), (len + 2) / 3 * 4);
		ck_assert_int_eq(base64_decode(&back, &back_len, text, NULL), 0);
		ck_assert_uint_eq(back_len, len);
		ck_assert_mem_eq(back, bytes, len);
		free(back);
		text[strcspn(text, "=")] = '\0';
		ck_assert_int_eq(base64_decode(&back, &back_len, text, NULL), 0);
		ck_assert_uint_eq(back_len, len);
		free(back);
		free(text);
	}
}
END_TEST

START_TEST(base64_refuses)
{
	static const char *const cases[] = {"a", "abcde", "ab=", "a===", "ab===", "====", "=",
		"ab==cd", "ab c", " abcd", "abcd\n", "ab-_"};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *out;
		size_t len;

		ck_assert_msg(base64_decode(&out, &len, cases[i], NULL) == -1, "%s", cases[i]);
		ck_assert_ptr_null(out);
	}
}
END_TEST

START_TEST(helpers_have_harmless_names)
{
	static const char *const good[] = {"pass", "osxkeychain", "ecr-login", "gcr_2.0", "A"};
	static const char *const bad[] = {"", "../x", "a/b", "a b", "a;b", "$x", "a\n", "\303\251"};
	char name[130];

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		ck_assert_msg(helper_name_valid(good[i]), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(!helper_name_valid(bad[i]), "%s", bad[i]);
	memset(name, 'a', sizeof(name));
	name[129] = '\0';
	ck_assert(!helper_name_valid(name));
	name[128] = '\0';
	ck_assert(helper_name_valid(name));
}
END_TEST

START_TEST(helpers_answer)
{
	static const struct {
		const char *text, *username, *secret;
		int result;
	} cases[] = {
		{"{\"ServerURL\":\"r\",\"Username\":\"ann\",\"Secret\":\"s\"}\n", "ann", "s", 0},
		{"{\"Username\":\"<token>\",\"Secret\":\"t\"}", "<token>", "t", 0},
		{"{\"Secret\":\"t\"}", "", "t", 0},
		{"{\"Username\":\"ann\",\"Secret\":\"\"}", NULL, NULL, 0},
		{"{}", NULL, NULL, 0},
		{"", NULL, NULL, -1},
		{"sesame", NULL, NULL, -1},
		{"[\"sesame\"]", NULL, NULL, -1},
		{"{\"Username\":5,\"Secret\":\"sesame\"}", NULL, NULL, -1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *username, *secret;
		struct error err = ERROR_INIT;

		ck_assert_int_eq(helper_answer_parse(&username, &secret, cases[i].text,
					 strlen(cases[i].text), &err),
			cases[i].result);
		ck_assert_pstr_eq(username, cases[i].username);
		ck_assert_pstr_eq(secret, cases[i].secret);
		ck_assert_ptr_null(strstr(err.message, "sesame"));
		free(username);
		free(secret);
	}
}
END_TEST

START_TEST(helpers_are_told)
{
	struct buf out = BUF_INIT(4096);
	struct error err = ERROR_INIT;

	ck_assert_int_eq(helper_store_format(&out, "r.example", "ann", "a\"b\\", NULL), 0);
	ck_assert_str_eq(out.data,
		"{\"ServerURL\":\"r.example\",\"Username\":\"ann\",\"Secret\":\"a\\\"b\\\\\"}");
	buf_free(&out);
	ck_assert_int_eq(helper_store_format(&out, "r.example", "ann", "sesame\377", &err), -1);
	ck_assert_ptr_null(strstr(err.message, "sesame"));
	buf_free(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("auth_file");
	TCase *tests = tcase_create("auth_file");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, the_longest_path_matches);
	tcase_add_test(tests, keys_have_many_spellings);
	tcase_add_test(tests, the_same_spelling_wins_among_equals);
	tcase_add_test(tests, an_entry_says_who);
	tcase_add_test(tests, an_entry_may_have_a_token_for_the_registry);
	tcase_add_test(tests, errors_quote_no_secret);
	tcase_add_test(tests, what_is_wrong_elsewhere_does_no_harm);
	tcase_add_test(tests, helpers_are_named);
	tcase_add_test(tests, the_helper_is_known_whatever_the_entry_has);
	tcase_add_test(tests, the_old_form_is_flat);
	tcase_add_test(tests, set_leaves_every_other_byte);
	tcase_add_test(tests, set_can_take_the_secret_out);
	tcase_add_test(tests, set_refuses);
	tcase_add_test(tests, remove_leaves_every_other_byte);
	tcase_add_test(tests, a_user_names_a_host);
	tcase_add_test(tests, base64_goes_both_ways);
	tcase_add_test(tests, base64_refuses);
	tcase_add_test(tests, helpers_have_harmless_names);
	tcase_add_test(tests, helpers_answer);
	tcase_add_test(tests, helpers_are_told);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
