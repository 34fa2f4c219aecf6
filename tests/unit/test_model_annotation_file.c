#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "annotation_file.h"
#include "cleanup.h"

static void parse(struct annotation_file *out, const char *text)
{
	struct error err = ERROR_INIT;

	ck_assert_msg(annotation_file_parse(out, text, strlen(text), &err) == 0, "%s: %s", text,
		err.message);
}

START_TEST(reads_every_part)
{
	struct annotation_file file;
	const struct annotations *layer;

	parse(&file, "{ \"app\": {\"k\": \"v\", \"a\": \"\"}, \"$config\": {\"c\":\"1\"},\n"
		     "\"$descriptor\": {\"d\":\"2\"}, \"$manifest\": {\"m\":\"3\"},"
		     " \"share/doc\": {}, \"config\": {\"x\":\"y\"} }");
	ck_assert_str_eq(annotations_get(&file.descriptor, "d"), "2");
	ck_assert_str_eq(annotations_get(&file.manifest, "m"), "3");
	ck_assert_str_eq(annotations_get(&file.config, "c"), "1");
	ck_assert_uint_eq(file.layer_count, 3);
	layer = annotation_file_layer(&file, "app");
	ck_assert_uint_eq(layer->count, 2);
	ck_assert_str_eq(layer->items[1].key, "a");
	ck_assert_uint_eq(annotation_file_layer(&file, "share/doc")->count, 0);
	ck_assert_ptr_null(annotation_file_layer(&file, "$config"));
	annotation_file_clear(&file);
}
END_TEST

START_TEST(strings_alone_are_the_descriptor)
{
	struct annotation_file file;

	parse(&file, "{\"a\":\"1\",\"b\":\"\"}");
	ck_assert_uint_eq(file.descriptor.count, 2);
	ck_assert_uint_eq(file.layer_count, 0);
	annotation_file_clear(&file);
	parse(&file, " {}\n");
	ck_assert_uint_eq(file.descriptor.count, 0);
	ck_assert_uint_eq(file.layer_count, 0);
	annotation_file_clear(&file);
	parse(&file, "\xef\xbb\xbf{\"a\":\"1\"}");
	ck_assert_uint_eq(file.descriptor.count, 1);
	annotation_file_clear(&file);
}
END_TEST

START_TEST(errors_say_where)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"", "line 1, column 1: "},
		{"\n \n", "line 3, column 1: "},
		{"[]", "line 1, column 1: the text must be an object"},
		{"{\n  \"$descriptor\": {\n    \"a\": \"b\",\n  }\n}",
			"line 4, column 3: not JSON"},
		{"{\n  \"a\": {},\n  \"\xc3\xa9\": 5\n}", "line 3, column 8: "},
		{"{\"a\": {\"k\": 1}}",
			"line 1, column 13: an annotation's value must be a string"},
		{"{\"a\": {\"k\": null}}", "line 1, column 13: "},
		{"{\"a\": {}, \"b\": \"c\"}", "line 1, column 16: a layer's annotations must be"},
		{"{\"$manifest\": \"x\", \"b\": {}}", "line 1, column 15: $manifest must be an"},
		{"{\"a\": {},\n\"a\": {}}", "line 2, column 1: \"a\" stands twice"},
		{"{\"a\": {\"k\": \"1\", \"\\u006b\": \"2\"}}", "line 1, column 18: \"k\" stands"},
		{"{\"$index\": {}}", "line 1, column 2: \"$index\" is unknown"},
		{"{\"app\": {\"org.opencontainers.image.title\": \"other\"}}",
			"line 1, column 2: \"app\" can't have another"},
		{"{\"a\": \"b\"", "line 1, column 10: "},
		{"{\"a\": \"b\n\"}", "line 1, column 9: a control character"},
		{"{\"a\": \"\xff\"}", "line 1, column 8: bytes that aren't UTF-8"},
		{"{\"a\": \"\\u0000\"}", "line 1, column 8: a NUL in a string"},
		{"{\"$manifest\":\n{\"a\": \"\\\\\\u0000\"}}", "line 2, column 10: a NUL"},
		{"{\"a\\u0000\": \"b\"}", "line 1, column 4: a NUL"},
		{"{} {}", "line 1, column 4: something after the end"},
		{"{'a': 'b'}", "line 1, column 2: "},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct annotation_file file;
		struct error err = ERROR_INIT;
		size_t len = strlen(cases[i].text);

		ck_assert_msg(annotation_file_parse(&file, cases[i].text, len, &err) == -1, "%s",
			cases[i].text);
		ck_assert_int_eq(err.kind, ERROR_INVALID);
		ck_assert_msg(strstr(err.message, cases[i].message) == err.message, "%s: %s",
			cases[i].text, err.message);
		ck_assert_uint_eq(file.layer_count, 0);
		ck_assert_uint_eq(file.descriptor.count, 0);
	}
}
END_TEST

START_TEST(what_only_looks_like_a_nul_stays)
{
	struct annotation_file file;

	parse(&file, "{\"a\":\"\\\\u0000\",\"b\":\"\\u0001\"}");
	ck_assert_str_eq(annotations_get(&file.descriptor, "a"), "\\u0000");
	ck_assert_str_eq(annotations_get(&file.descriptor, "b"), "\1");
	annotation_file_clear(&file);
}
END_TEST

START_TEST(its_own_title_is_dropped)
{
	struct annotation_file file;

	parse(&file, "{\"app\": {\"org.opencontainers.image.title\": \"app\", \"k\": \"v\"}}");
	ck_assert_uint_eq(file.layers[0].annotations.count, 1);
	ck_assert_str_eq(file.layers[0].annotations.items[0].key, "k");
	annotation_file_clear(&file);
}
END_TEST

static void expect_format(const struct annotation_file *file, const char *want)
{
	struct buf out = BUF_INIT(ANNOTATION_FILE_MAX);

	ck_assert_int_eq(annotation_file_format(&out, file, NULL), 0);
	ck_assert_str_eq(out.data, want);
	buf_free(&out);
}

START_TEST(formats)
{
	static const char text[] =
		"{\n  \"$descriptor\": {\n    \"d\": \"\\\"\\u0001/\"\n  },\n  \"$manifest\": {\n"
		"    \"b\": \"\",\n    \"a\": \"\xc3\xa9\"\n  },\n  \"$config\": {\n    \"c\": "
		"\"\"\n  },\n"
		"  \"z\": {\n    \"k\": \"v\"\n  },\n  \"y/x\": {\n    \"k\": \"v\"\n  }\n}\n";
	struct annotation_file file, copy;

	parse(&file, "{}");
	expect_format(&file, "{}\n");
	annotation_file_clear(&file);
	parse(&file, text);
	expect_format(&file, text);
	ck_assert_int_eq(annotation_file_copy(&copy, &file, NULL), 0);
	annotation_file_clear(&file);
	expect_format(&copy, text);
	annotation_file_clear(&copy);
	parse(&file, "{\"empty\":{},\"full\":{\"k\":\"v\"}}");
	expect_format(&file, "{\n  \"full\": {\n    \"k\": \"v\"\n  }\n}\n");
	annotation_file_clear(&file);
}
END_TEST

START_TEST(titles_with_a_dollar_come_back)
{
	static const char *const titles[] = {"$manifest", "$x", "./$x", "././$y", "./z", "$"};
	struct annotation_file file = ANNOTATION_FILE_INIT, back;
	struct buf out = BUF_INIT(ANNOTATION_FILE_MAX);

	for (size_t i = 0; i < sizeof(titles) / sizeof(*titles); i++)
		annotations_set(
			annotation_file_layer_make(&file, titles[i], NULL), "k", titles[i], NULL);
	ck_assert_int_eq(annotation_file_format(&out, &file, NULL), 0);
	parse(&back, out.data);
	ck_assert_uint_eq(back.manifest.count, 0);
	ck_assert_uint_eq(back.layer_count, file.layer_count);
	for (size_t i = 0; i < back.layer_count; i++) {
		ck_assert_str_eq(back.layers[i].title, titles[i]);
		ck_assert_str_eq(annotations_get(&back.layers[i].annotations, "k"), titles[i]);
	}
	annotation_file_clear(&file);
	annotation_file_clear(&back);
	buf_free(&out);
}
END_TEST

START_TEST(layers_are_made_and_removed)
{
	struct annotation_file file = ANNOTATION_FILE_INIT;
	struct annotations *layer = annotation_file_layer_make(&file, "a", NULL);

	ck_assert_int_eq(annotations_set(layer, "k", "v", NULL), 0);
	ck_assert_ptr_nonnull(annotation_file_layer_make(&file, "b", NULL));
	layer = annotation_file_layer_make(&file, "a", NULL);
	ck_assert_str_eq(annotations_get(layer, "k"), "v");
	annotation_file_layer_remove(&file, "nothing");
	annotation_file_layer_remove(&file, "a");
	ck_assert_uint_eq(file.layer_count, 1);
	ck_assert_ptr_null(annotation_file_layer(&file, "a"));
	ck_assert_ptr_nonnull(annotation_file_layer(&file, "b"));
	annotation_file_clear(&file);
}
END_TEST

START_TEST(the_index_has_strings_only)
{
	struct annotations map;
	struct error err = ERROR_INIT;
	struct buf out = BUF_INIT(ANNOTATION_FILE_MAX);

	ck_assert_int_eq(index_annotations_parse(&map, "{\"b\":\"1\",\"a\":\"2\"}", 17, NULL), 0);
	ck_assert_int_eq(index_annotations_format(&out, &map, NULL), 0);
	ck_assert_str_eq(out.data, "{\n  \"b\": \"1\",\n  \"a\": \"2\"\n}\n");
	annotations_clear(&map);
	buf_reset(&out);
	ck_assert_int_eq(index_annotations_format(&out, &map, NULL), 0);
	ck_assert_str_eq(out.data, "{}\n");
	ck_assert_int_eq(index_annotations_parse(&map, "{\"$descriptor\":{}}", 18, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "line 1, column 16"));
	error_clear(&err);
	ck_assert_int_eq(index_annotations_parse(&map, "{\"a\":\"b\\u0000\"}", 15, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "line 1, column 8: a NUL"));
	buf_free(&out);
}
END_TEST

START_TEST(the_text_has_a_largest_size)
{
	cleanup_free char *text = malloc(ANNOTATION_FILE_MAX + 1);
	struct annotation_file file;
	struct error err = ERROR_INIT;

	memset(text, ' ', ANNOTATION_FILE_MAX + 1);
	memcpy(text, "{}", 2);
	ck_assert_int_eq(annotation_file_parse(&file, text, ANNOTATION_FILE_MAX, NULL), 0);
	ck_assert_int_eq(annotation_file_parse(&file, text, ANNOTATION_FILE_MAX + 1, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_TOO_LARGE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("annotation_file");
	TCase *tests = tcase_create("annotation_file");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, reads_every_part);
	tcase_add_test(tests, strings_alone_are_the_descriptor);
	tcase_add_test(tests, errors_say_where);
	tcase_add_test(tests, what_only_looks_like_a_nul_stays);
	tcase_add_test(tests, its_own_title_is_dropped);
	tcase_add_test(tests, formats);
	tcase_add_test(tests, titles_with_a_dollar_come_back);
	tcase_add_test(tests, layers_are_made_and_removed);
	tcase_add_test(tests, the_index_has_strings_only);
	tcase_add_test(tests, the_text_has_a_largest_size);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
