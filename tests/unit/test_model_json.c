#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "json_text.h"
#include "registry/model/json_edit.h"

static struct json_text text_of(const char *bytes)
{
	return (struct json_text){bytes, strlen(bytes), ERROR_INVALID};
}

START_TEST(takes_what_rfc_8259_takes)
{
	static const char *const good[] = {"{}", "[]", " {\t\"a\" :\r\n1 } \n", "\"x\"", "0", "-0",
		"-1.5e+3", "1E5", "0.5", "10", "[true,false,null]", "\"\\u0000\\ud83d\\ude00\\/\"",
		"\"\xc3\xa9\xf0\x9f\x98\x80\x7f\"", "{\"a\":{\"a\":[{\"a\":1}]}}", "{\"\":\"\"}"};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct json_text text = text_of(good[i]);
		struct error err = ERROR_INIT;

		ck_assert_msg(json_check(&text, &err) == 0, "%s: %s", good[i], err.message);
	}
}
END_TEST

START_TEST(refuses_what_rfc_8259_refuses)
{
	static const char *const bad[] = {"", " \n", "{", "}", "[", "[1", "{\"a\":1,}", "[1,]",
		"[,1]", "{\"a\"}", "{\"a\":}", "{a:1}", "{'a':1}", "{\"a\" 1}", "{\"a\":1 \"b\":2}",
		"{} x", "{}{}", "{},", "01", "-01", "1.", ".5", "+1", "-", "1e", "1e+", "0x10",
		"NaN", "Infinity", "-Infinity", "nul", "nullx", "True", "1a", "\"a", "\"\\\"",
		"\"\\x\"", "\"\\u12g4\"", "\"\\u123\"", "\"\\ud800\"", "\"\\udc00\"",
		"\"\\ud800\\ud800\"", "\"a\nb\"", "\"a\tb\"", "\"\x01\"", "\"\xff\"",
		"\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xe2\x82\"", "\xef\xbb\xbf{}", "{}\f",
		"\v{}", "{\x01}", "/**/{}", "{}//", "[1}", "{\"a\":1]", "{1:2}", "{\"a\":1,",
		"[[],", "\"", "{\"a\":\"\\", "{\"1\":1,"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct json_text text = text_of(bad[i]);
		struct error err = ERROR_INIT;

		ck_assert_msg(json_check(&text, &err) == -1, "\"%s\" passed", bad[i]);
		ck_assert_int_eq(err.kind, ERROR_INVALID);
		ck_assert_ptr_nonnull(strstr(err.message, "line "));
	}
}
END_TEST

START_TEST(a_nul_byte_is_no_white_space)
{
	struct json_text text = {"{}\0", 3, ERROR_CORRUPT};
	struct error err = ERROR_INIT;

	ck_assert_int_eq(json_check(&text, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_CORRUPT);
}
END_TEST

static char *nested(size_t depth)
{
	char *text = calloc(1, 2 * depth + 1);

	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	return text;
}

START_TEST(depth_has_a_limit)
{
	cleanup_free char *most = nested(JSON_DEPTH_MAX);
	cleanup_free char *more = nested(JSON_DEPTH_MAX + 1);
	struct json_text text = text_of(most);

	ck_assert_int_eq(json_check(&text, NULL), 0);
	text = text_of(more);
	ck_assert_int_eq(json_check(&text, NULL), -1);
}
END_TEST

START_TEST(the_number_of_values_has_a_limit)
{
	size_t count = JSON_TOKENS_MAX / 2 + 1;
	cleanup_free char *bytes = malloc(2 * count + 2);
	struct json_text text = {bytes, 2 * count + 1, ERROR_CORRUPT};
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < count; i++)
		memcpy(bytes + 2 * i, i ? ",0" : "[0", 2);
	strcpy(bytes + 2 * count, "]");
	ck_assert_int_eq(json_check(&text, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.message, "too many"));
}
END_TEST

START_TEST(errors_say_line_and_column)
{
	static const struct {
		const char *text, *place;
	} cases[] = {
		{"", "line 1, column 1:"},
		{"{\n  \"a\": tru\n}", "line 2, column 8:"},
		{"{\r\n\t\"a\": \"b\"\r\n\t\"c\": \"d\"\r\n}", "line 3, column 2:"},
		{"{\"\xc3\xa9\xe2\x82\xac\": 01}", "line 1, column 8:"},
		{"{\"a\": 1,}", "line 1, column 9:"},
		{"{}\n\nx", "line 3, column 1:"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct json_text text = text_of(cases[i].text);
		struct error err = ERROR_INIT;

		ck_assert_int_eq(json_check(&text, &err), -1);
		ck_assert_msg(strncmp(err.message, cases[i].place, strlen(cases[i].place)) == 0,
			"%s: %s", cases[i].text, err.message);
	}
}
END_TEST

START_TEST(strings_are_decoded)
{
	static const struct {
		const char *token, *want;
	} cases[] = {
		{"\"\"", ""},
		{"\"plain\"", "plain"},
		{"\"a\\\"b\\\\c\\/d\\n\"", "a\"b\\c/d\n"},
		{"\"\\u00e9\\ud83d\\ude00\"", "\xc3\xa9\xf0\x9f\x98\x80"},
		{"\"a\\u0000b\"", "a\x01"
				  "b"},
		{"\"a\\\\u0000b\"", "a\\u0000b"},
		{"\"\\\\\\u0000\\u00000\"", "\\\x01\x01"
					    "0"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct json_text text = text_of(cases[i].token);
		cleanup_free char *out = NULL;

		ck_assert_int_eq(json_check(&text, NULL), 0);
		ck_assert_int_eq(json_string_read(&out, &text, json_root(&text), "it", NULL), 0);
		ck_assert_str_eq(out, cases[i].want);
	}
}
END_TEST

START_TEST(integers_are_plain_digits)
{
	static const char *const bad[] = {"-1", "1.5", "1.0", "1e3", "\"1\"", "true",
		"9007199254740993", "99999999999999999999999999"};
	struct json_text text;
	int64_t value;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		text = text_of(bad[i]);
		ck_assert_int_eq(json_integer_read(&value, &text, json_root(&text),
					 (int64_t)1 << 53, "it", NULL),
			-1);
	}
	text = text_of("9007199254740992");
	ck_assert_int_eq(
		json_integer_read(&value, &text, json_root(&text), (int64_t)1 << 53, "it", NULL),
		0);
	ck_assert_int_eq(value, (int64_t)1 << 53);
}
END_TEST

START_TEST(a_member_twice_is_refused)
{
	static const char *const texts[] = {"{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":1,\"\\u0061\":3}",
		"{\"\\u0000\":1,\"\\u0001\":2}"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct json_text text = text_of(texts[i]);
		struct json_object object;
		struct error err = ERROR_INIT;

		ck_assert_int_eq(
			json_object_read(&object, &text, json_root(&text), "it", &err), -1);
		ck_assert_ptr_nonnull(strstr(err.message, "twice"));
	}
}
END_TEST

START_TEST(a_hundred_thousand_members_are_read_at_once)
{
	struct buf bytes = BUF_INIT(JSON_SIZE_MAX);
	struct json_object object;
	struct json_text text;

	for (int i = 0; i < 100000; i++)
		buf_printf(&bytes, "%s\"key%d\":\"v\"", i ? "," : "{", i);
	buf_append_text(&bytes, "}");
	text = text_of(bytes.data);
	ck_assert_int_eq(json_object_read(&object, &text, json_root(&text), "it", NULL), 0);
	ck_assert_uint_eq(object.count, 100000);
	json_object_clear(&object);
	buf_free(&bytes);
}
END_TEST

START_TEST(strings_are_encoded)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"", "\"\""},
		{"a/b", "\"a/b\""},
		{"\"\\\b\f\n\r\t\x01\x1f\x7f", "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\""},
		{"<&>\xc3\xa9", "\"<&>\xc3\xa9\""},
		{"a\xff"
		 "b\xe2\x82",
			"\"a\xef\xbf\xbd"
			"b\xef\xbf\xbd\xef\xbf\xbd\""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buf out = BUF_INIT(1000);

		ck_assert_int_eq(json_append_string(&out, cases[i].text), 0);
		ck_assert_str_eq(out.data, cases[i].want);
		buf_free(&out);
	}
}
END_TEST

START_TEST(a_string_over_the_ceiling_leaves_the_buffer)
{
	struct buf out = BUF_INIT(8);

	ck_assert_int_eq(json_append_string(&out, "123456789"), -1);
	ck_assert_int_eq(errno, EFBIG);
	ck_assert_int_eq(buf_append_text(&out, "abc"), 0);
	ck_assert_int_eq(json_append_string(&out, "\n\n\n"), -1);
	ck_assert_str_eq(out.data, "abc");
	buf_free(&out);
}
END_TEST

START_TEST(layout_changes_only_white_space)
{
	static const char compact[] =
		"{\"a\":[1.50,{\"b\":\"x , y\"}],\"e\":[],\"o\":{},\"s\":\"\\u0041\"}";
	static const char pretty[] =
		"{\n  \"a\": [\n    1.50,\n    {\n      \"b\": \"x , y\"\n    }\n"
		"  ],\n  \"e\": [],\n  \"o\": {},\n  \"s\": \"\\u0041\"\n}";
	static const struct json_style tight = JSON_STYLE_COMPACT, two = JSON_STYLE_PRETTY;
	struct buf out = BUF_INIT(1000);
	struct json_text text = text_of(compact);

	ck_assert_int_eq(json_layout(&out, &text, json_root(&text), &two, 0), 0);
	ck_assert_str_eq(out.data, pretty);
	buf_reset(&out);
	text = text_of(pretty);
	ck_assert_int_eq(json_layout(&out, &text, json_root(&text), &tight, 0), 0);
	ck_assert_str_eq(out.data, compact);
	buf_free(&out);
}
END_TEST

/* What the style that is found in a text makes of another text. */
START_TEST(style_is_found)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"{}", "{\"k\":[1,2]}"},
		{"{\"a\":1,\"b\":2}", "{\"k\":[1,2]}"},
		{"{\"a\": 1, \"b\": 2}", "{\"k\": [1, 2]}"},
		{"{\"a\": {\"x\": 1}}", "{\"k\": [1, 2]}"},
		{"{ \"a\" : 1 , \"b\" : 2 }", "{\"k\" : [1, 2]}"},
		{"{\n  \"a\": 1\n}\n", "{\n  \"k\": [\n    1,\n    2\n  ]\n}"},
		{"{\n    \"a\": 1\n}", "{\n    \"k\": [\n        1,\n        2\n    ]\n}"},
		{"{\n\t\"a\": 1\n}", "{\n\t\"k\": [\n\t\t1,\n\t\t2\n\t]\n}"},
		{"{\r\n  \"a\":1\r\n}\r\n", "{\r\n  \"k\":[\r\n    1,\r\n    2\r\n  ]\r\n}"},
		{"{\n\"a\": 1\n}", "{\n\"k\": [\n1,\n2\n]\n}"},
		{"{\n      \"a\": 1\n    }",
			"{\n      \"k\": [\n        1,\n        2\n      ]\n    }"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct json_text found = text_of(cases[i].text), text = text_of("{\"k\":[1,2]}");
		struct buf out = BUF_INIT(1000);
		struct json_style style;

		json_style_find(&style, &found, json_root(&found));
		ck_assert_int_eq(json_layout(&out, &text, json_root(&text), &style, 0), 0);
		ck_assert_str_eq(out.data, cases[i].want);
		buf_free(&out);
	}
}
END_TEST

/* Each case removes "r" and "s", gives "c" the value 9 if it's there, and adds "n" if add. */
START_TEST(edits_leave_the_rest)
{
	static const struct {
		const char *text;
		bool add;
		const char *want;
	} cases[] = {
		{"{\"a\":1,\"c\":2}", false, "{\"a\":1,\"c\":9}"},
		{"{\"a\":1,\"c\":2}", true, "{\"a\":1,\"c\":9,\"n\":0}"},
		{"{\"a\": 1, \"b\": 2}", true, "{\"a\": 1, \"b\": 2, \"n\": 0}"},
		{"{\"a\": 1}", true, "{\"a\": 1, \"n\": 0}"},
		{"{ \"a\" : 1 }", true, "{ \"a\" : 1, \"n\" : 0 }"},
		{"{\"r\":1,\"a\":2}", false, "{\"a\":2}"},
		{"{\"a\":2,\"r\":1}", false, "{\"a\":2}"},
		{"{\"a\":2,\"r\":1}", true, "{\"a\":2,\"n\":0}"},
		{"{\"r\":1,\"s\":2}", false, "{}"},
		{"{\n  \"r\": 1,\n  \"s\": 2\n}", false, "{}"},
		{"{\n  \"r\": 1\n}\n", true, "{\n  \"n\": 0\n}\n"},
		{" {} ", true, " {\"n\":0} "},
		{" { } ", false, " { } "},
		{"{\n  \"a\": 1,\n  \"r\": {},\n  \"s\": 2\n}", false, "{\n  \"a\": 1\n}"},
		{"{\n  \"r\": 1,\n  \"b\": {},\n  \"s\": 2\n}", true,
			"{\n  \"b\": {},\n  \"n\": 0\n}"},
		{"{\n  \"r\": 1,\n  \"s\": {},\n  \"c\": 2 , \"d\":\t[]\n}", false,
			"{\n  \"c\": 9 , \"d\":\t[]\n}"},
		{"{\r\n\t\"a\":1\r\n}", true, "{\r\n\t\"a\":1,\r\n\t\"n\":0\r\n}"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buf out = BUF_INIT(1000);
		struct json_edit edit;

		ck_assert_int_eq(
			json_edit_open(&edit, cases[i].text, strlen(cases[i].text), NULL), 0);
		json_edit_remove(&edit, "r");
		json_edit_remove(&edit, "s");
		if (json_object_find(&edit.object, "c"))
			ck_assert_int_eq(json_edit_set(&edit, "c", "9", 1, NULL), 0);
		if (cases[i].add)
			ck_assert_int_eq(json_edit_set(&edit, "n", "0", 1, NULL), 0);
		ck_assert_int_eq(json_edit_write_text(&edit, &out, NULL), 0);
		ck_assert_str_eq(out.data, cases[i].want);
		json_edit_close(&edit);
		buf_free(&out);
	}
}
END_TEST

START_TEST(what_is_not_utf8_is_not_written)
{
	struct json_edit edit;
	struct error err = ERROR_INIT;

	ck_assert_int_eq(json_edit_open(&edit, "{}", 2, NULL), 0);
	ck_assert_int_eq(json_edit_set_string(&edit, "a", "caf\xe9", &err), -1);
	ck_assert_int_eq(err.kind, ERROR_INVALID);
	json_edit_close(&edit);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("json");
	TCase *read = tcase_create("read"), *write = tcase_create("write");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(read, takes_what_rfc_8259_takes);
	tcase_add_test(read, refuses_what_rfc_8259_refuses);
	tcase_add_test(read, a_nul_byte_is_no_white_space);
	tcase_add_test(read, depth_has_a_limit);
	tcase_add_test(read, the_number_of_values_has_a_limit);
	tcase_add_test(read, errors_say_line_and_column);
	tcase_add_test(read, strings_are_decoded);
	tcase_add_test(read, integers_are_plain_digits);
	tcase_add_test(read, a_member_twice_is_refused);
	tcase_add_test(read, a_hundred_thousand_members_are_read_at_once);
	tcase_add_test(write, strings_are_encoded);
	tcase_add_test(write, a_string_over_the_ceiling_leaves_the_buffer);
	tcase_add_test(write, layout_changes_only_white_space);
	tcase_add_test(write, style_is_found);
	tcase_add_test(write, edits_leave_the_rest);
	tcase_add_test(write, what_is_not_utf8_is_not_written);
	suite_add_tcase(suite, read);
	suite_add_tcase(suite, write);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
