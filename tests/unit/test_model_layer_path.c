#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "buf.h"
#include "json_text.h"
#include "layer_path.h"
#include "media_type.h"
#include "patience.h"

#define V "{\"schemaVersion\":2,"
#define CONFIG "\"config\":{\"mediaType\":\"a/b\",\"digest\":\"x:1\",\"size\":0},"

struct entry {
	const char *title; /* or ref.name; NULL for none */
	int digest; /* the first eight digits */
	const char *media_type;
	const char *platform; /* JSON, NULL for none */
};

static void entry_append(struct buf *out, const struct entry *entry, const char *key)
{
	buf_printf(out, "{\"mediaType\":\"%s\",\"digest\":\"sha256:%08x%056d\",\"size\":1",
		entry->media_type ? entry->media_type : MEDIA_TYPE_OCTETS, entry->digest, 0);
	if (entry->platform)
		buf_printf(out, ",\"platform\":%s", entry->platform);
	if (entry->title) {
		buf_printf(out, ",\"annotations\":{\"%s\":", key);
		json_append_string(out, entry->title);
		buf_append_text(out, "}");
	}
	buf_append_text(out, "}");
}

static void document_make(
	struct document *out, enum document_kind kind, const struct entry *entries, size_t count)
{
	bool index = kind == DOCUMENT_INDEX;
	struct buf text = BUF_INIT(DOCUMENT_SIZE_MAX);
	struct error err = ERROR_INIT;

	buf_append_text(&text, index ? V "\"manifests\":[" : V CONFIG "\"layers\":[");
	for (size_t i = 0; i < count; i++) {
		buf_append_text(&text, i ? "," : "");
		entry_append(&text, &entries[i], index ? ANNOTATION_REF_NAME : ANNOTATION_TITLE);
	}
	buf_append_text(&text, "]}");
	ck_assert_msg(document_parse(out, NULL, text.data, text.len, &err) == 0, "%s", err.message);
	buf_free(&text);
}

static void expect_names(
	enum document_kind kind, const struct entry *entries, const char *const *want, size_t count)
{
	struct document document;
	struct error err = ERROR_INIT;
	char **names;

	document_make(&document, kind, entries, count);
	if (kind == DOCUMENT_INDEX)
		ck_assert_int_eq(folder_names(&names, &document, &err), 0);
	else
		ck_assert_int_eq(layer_paths(&names, &document, &err), 0);
	for (size_t i = 0; i < count; i++)
		ck_assert_str_eq(names[i], want[i]);
	layer_paths_free(names, count);
	document_clear(&document);
}

/* Fills text with count times c. */
static const char *times(char *text, char c, size_t count)
{
	memset(text, c, count);
	text[count] = '\0';
	return text;
}

START_TEST(safe_titles)
{
	static const char *const safe[] = {"a", "share/doc/README", "a b", "a\\b", "..a", "a..",
		"...", ".ocix", ".oci2/a", "annotations.json2", "share/annotations.json",
		"share/.oci", "caf\xc3\xa9", "%2F", "~", ".a.swp", "4913", "$x", "-rf", "a:b", "*"};
	static const char *const unsafe[] = {"", "/", "/a", "/etc/passwd", ".", "..", "./a", "a/.",
		"a/./b", "../a", "a/..", "a/../b", "a//b", "a/", "//", "annotations.json", ".oci",
		"annotations.json/a", ".oci/status", "a\x01", "a\n", "\x7f", "a\xc2\x9b",
		"a/\x1f/b", "caf\xe9"};

	for (size_t i = 0; i < sizeof(safe) / sizeof(*safe); i++)
		ck_assert_msg(layer_title_valid(safe[i]), "%s", safe[i]);
	for (size_t i = 0; i < sizeof(unsafe) / sizeof(*unsafe); i++)
		ck_assert_msg(!layer_title_valid(unsafe[i]), "%s", unsafe[i]);
}
END_TEST

START_TEST(lengths_of_titles)
{
	char title[4200];

	ck_assert(layer_title_valid(times(title, 'a', 255)));
	ck_assert(!layer_title_valid(times(title, 'a', 256)));
	memset(title, 'a', sizeof(title));
	for (size_t i = 100; i < sizeof(title); i += 100)
		title[i] = '/';
	title[4096] = '\0';
	ck_assert(layer_title_valid(title));
	title[4096] = 'a';
	title[4097] = '\0';
	ck_assert(!layer_title_valid(title));
}
END_TEST

START_TEST(unsafe_titles_show_escaped)
{
	static const struct entry layers[] = {
		{"/etc/passwd", 1, NULL, NULL},
		{"../../x", 2, NULL, NULL},
		{"..", 3, NULL, NULL},
		{".", 4, NULL, NULL},
		{"a//b", 5, NULL, NULL},
		{"dir/", 6, NULL, NULL},
		{"100%\n/", 7, NULL, NULL},
		{"annotations.json", 8, NULL, NULL},
		{".oci", 9, NULL, NULL},
		{".oci/status", 10, NULL, NULL},
		{"", 11, "application/json", NULL},
		{"ok\\fine", 12, NULL, NULL},
		{".x.swp", 13, NULL, NULL},
		{"\x7f", 14, NULL, NULL},
		{"\xc2\x9b"
		 "2J\xc2\xa0",
			15, NULL, NULL},
	};
	static const char *const want[] = {"%2Fetc%2Fpasswd", "..%2F..%2Fx", "%2E%2E", "%2E",
		"a%2F%2Fb", "dir%2F", "100%25%0A%2F", "annotations.json~000000080000",
		".oci~000000090000", ".oci%2Fstatus", "sha256-0000000b0000.json", "ok\\fine",
		".x.swp", "%7F", "%C2%9B2J\xc2\xa0"};

	expect_names(DOCUMENT_MANIFEST, layers, want, sizeof(want) / sizeof(*want));
}
END_TEST

START_TEST(an_escaped_nul_is_a_control_character)
{
	static const char text[] = V CONFIG
		"\"layers\":[{\"mediaType\":\"a/b\",\"digest\":\"x:123\","
		"\"size\":0,\"annotations\":{\"" ANNOTATION_TITLE "\":\"a\\u0000/../b\"}}]}";
	struct document document;
	char **paths;

	ck_assert_int_eq(document_parse(&document, NULL, text, strlen(text), NULL), 0);
	ck_assert_int_eq(layer_paths(&paths, &document, NULL), 0);
	ck_assert_str_eq(paths[0], "a%01%2F..%2Fb");
	layer_paths_free(paths, 1);
	document_clear(&document);
}
END_TEST

START_TEST(layers_without_a_title)
{
	static const struct entry layers[] = {
		{NULL, 0x1a, "application/vnd.oci.image.layer.v1.tar+gzip", NULL},
		{NULL, 0x1a, "application/vnd.oci.image.layer.v1.tar+gzip", NULL},
		{NULL, 0x1a, "application/vnd.oci.image.layer.v1.tar+gzip", NULL},
		{NULL, 0x1b, "application/vnd.oci.image.layer.v1.tar+zstd", NULL},
		{NULL, 0x1c, "x/y", NULL},
		{"sha256-0000001c0000", 0x1d, NULL, NULL},
	};
	static const char *const want[] = {"sha256-0000001a0000.tar.gz",
		"sha256-0000001a0000.tar.gz~0000001a0000",
		"sha256-0000001a0000.tar.gz~0000001a0000~2", "sha256-0000001b0000.tar.zst",
		"sha256-0000001c0000~0000001c0000", "sha256-0000001c0000"};

	expect_names(DOCUMENT_MANIFEST, layers, want, sizeof(want) / sizeof(*want));
}
END_TEST

START_TEST(titles_that_clash)
{
	static const struct entry layers[] = {
		{"share", 1, NULL, NULL},
		{"share/doc", 2, NULL, NULL},
		{"lib/a", 3, NULL, NULL},
		{"lib", 4, NULL, NULL},
		{"lib/a", 5, NULL, NULL},
		{"lib/a", 5, NULL, NULL},
		{"lib/a", 5, NULL, NULL},
		{"lib/a~000000050000~2", 6, NULL, NULL},
		{"lib/a/b/c", 7, NULL, NULL},
		{"..%2Fx", 8, NULL, NULL},
		{"../x", 9, NULL, NULL},
		{"%2Fy/z", 10, NULL, NULL},
		{"/y", 11, NULL, NULL},
	};
	static const char *const want[] = {"share", "share%2Fdoc", "lib/a", "lib~000000040000",
		"lib/a~000000050000", "lib/a~000000050000~3", "lib/a~000000050000~4",
		"lib/a~000000050000~2", "lib%2Fa%2Fb%2Fc", "..%2Fx", "..%2Fx~000000090000",
		"%2Fy/z", "%2Fy~0000000b0000"};

	expect_names(DOCUMENT_MANIFEST, layers, want, sizeof(want) / sizeof(*want));
}
END_TEST

START_TEST(long_titles_are_cut_between_characters)
{
	char euros[301] = "", a[257], slashes[4001], b[251];
	const struct entry layers[] = {
		{euros, 1, NULL, NULL},
		{times(a, 'a', 256), 2, NULL, NULL},
		{times(slashes, '/', 4000), 3, NULL, NULL},
		{times(b, 'b', 250), 4, NULL, NULL},
		{b, 5, NULL, NULL},
	};
	struct document document;
	char **paths;

	for (int i = 0; i < 100; i++)
		strcat(euros, "\xe2\x82\xac");
	document_make(&document, DOCUMENT_MANIFEST, layers, 5);
	ck_assert_int_eq(layer_paths(&paths, &document, NULL), 0);
	ck_assert_uint_eq(strlen(paths[0]), 198);
	ck_assert_int_eq(memcmp(paths[0], euros, 198), 0);
	ck_assert_uint_eq(strlen(paths[1]), 200);
	ck_assert_uint_eq(strlen(paths[2]), 198);
	ck_assert_str_eq(paths[2] + 195, "%2F");
	ck_assert_str_eq(paths[3], b);
	ck_assert_uint_eq(strlen(paths[4]), 200 + strlen("~000000050000"));
	layer_paths_free(paths, 5);
	document_clear(&document);
}
END_TEST

/* Of the processor: whoever looks at all for each takes many times as long. */
static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int text_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Ten thousand layers that all want the same name. */
START_TEST(many_of_one_name_are_quick_and_unique)
{
	static const char *const titles[] = {"same", NULL, "/same", "deep/er/same"};
	enum { COUNT = 10000 };
	struct entry *layers = calloc(COUNT, sizeof(*layers));
	struct document document;
	double start;
	char **paths;

	for (size_t t = 0; t < 4; t++) {
		for (int i = 0; i < COUNT; i++)
			layers[i] = (struct entry){titles[t], 7, NULL, NULL};
		document_make(&document, DOCUMENT_MANIFEST, layers, COUNT);
		start = seconds();
		ck_assert_int_eq(layer_paths(&paths, &document, NULL), 0);
		ck_assert_double_lt(seconds() - start, patience());
		qsort(paths, COUNT, sizeof(*paths), text_compare);
		for (int i = 1; i < COUNT; i++)
			ck_assert_str_ne(paths[i - 1], paths[i]);
		layer_paths_free(paths, COUNT);
		document_clear(&document);
	}
	free(layers);
}
END_TEST

START_TEST(folders_of_platforms)
{
	static const struct entry entries[] = {
		{NULL, 1, MEDIA_TYPE_MANIFEST, "{\"os\":\"linux\",\"architecture\":\"amd64\"}"},
		{NULL, 2, MEDIA_TYPE_MANIFEST,
			"{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"v7\"}"},
		{NULL, 3, MEDIA_TYPE_MANIFEST, "{\"os\":\"linux\",\"architecture\":\"amd64\"}"},
		{NULL, 3, MEDIA_TYPE_MANIFEST, "{\"os\":\"linux\",\"architecture\":\"amd64\"}"},
		{NULL, 4, MEDIA_TYPE_MANIFEST, "{\"os\":\"unknown\",\"architecture\":\"unknown\"}"},
		{NULL, 4, MEDIA_TYPE_MANIFEST, "{\"os\":\"unknown\",\"architecture\":\"unknown\"}"},
		{NULL, 5, MEDIA_TYPE_MANIFEST, NULL},
		{NULL, 6, "x/y", NULL},
		{NULL, 7, "x/y",
			"{\"os\":\"darwin\",\"architecture\":\"arm64\",\"os.version\":\"macOS "
			"12.6\"}"},
		{NULL, 8, MEDIA_TYPE_MANIFEST, "{\"os\":\"../..\",\"architecture\":\"x\"}"},
		{NULL, 9, MEDIA_TYPE_MANIFEST, "{}"},
		{NULL, 10, MEDIA_TYPE_MANIFEST, "{\"os\":\"linux\"}"},
		{"linux-s390x", 11, MEDIA_TYPE_MANIFEST, NULL},
	};
	static const char *const want[] = {"linux-amd64", "linux-arm-v7",
		"linux-amd64~000000030000", "linux-amd64~000000030000~2",
		"unknown-unknown~000000040000", "unknown-unknown~000000040000~2", "any",
		"any~000000060000", "darwin-arm64@macOS 12.6", "..%2F..-x", "any~000000090000",
		"platform~0000000a0000", "any~0000000b0000"};

	expect_names(DOCUMENT_INDEX, entries, want, sizeof(want) / sizeof(*want));
}
END_TEST

START_TEST(folders_of_indexes)
{
	static const struct entry entries[] = {
		{"linux-amd64", 1, MEDIA_TYPE_INDEX, NULL},
		{"nightly", 2, MEDIA_TYPE_INDEX, NULL},
		{"nightly", 3, MEDIA_TYPE_DOCKER_LIST, NULL},
		{"../x", 4, MEDIA_TYPE_INDEX, NULL},
		{"a/b", 5, MEDIA_TYPE_INDEX, NULL},
		{".oci", 6, MEDIA_TYPE_INDEX, NULL},
		{"any", 7, MEDIA_TYPE_INDEX, NULL},
		{NULL, 8, MEDIA_TYPE_INDEX, "{\"os\":\"linux\",\"architecture\":\"amd64\"}"},
		{NULL, 8, MEDIA_TYPE_INDEX, NULL},
		{"foo-bar", 9, MEDIA_TYPE_INDEX, NULL},
		{"foo-bar", 10, MEDIA_TYPE_MANIFEST, "{\"os\":\"foo\",\"architecture\":\"bar\"}"},
		{"v1-beta", 11, MEDIA_TYPE_INDEX, NULL},
		{"", 12, MEDIA_TYPE_INDEX, NULL},
	};
	static const char *const want[] = {"index~000000010000", "nightly", "index~000000030000",
		"index~000000040000", "index~000000050000", "index~000000060000",
		"index~000000070000", "index~000000080000", "index~000000080000~2",
		"index~000000090000", "foo-bar", "v1-beta", "index~0000000c0000"};

	expect_names(DOCUMENT_INDEX, entries, want, sizeof(want) / sizeof(*want));
}
END_TEST

START_TEST(nothing_has_no_names)
{
	expect_names(DOCUMENT_MANIFEST, NULL, NULL, 0);
	expect_names(DOCUMENT_INDEX, NULL, NULL, 0);
	layer_paths_free(NULL, 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("layer_path");
	TCase *tests = tcase_create("layer_path");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, safe_titles);
	tcase_add_test(tests, lengths_of_titles);
	tcase_add_test(tests, unsafe_titles_show_escaped);
	tcase_add_test(tests, an_escaped_nul_is_a_control_character);
	tcase_add_test(tests, layers_without_a_title);
	tcase_add_test(tests, titles_that_clash);
	tcase_add_test(tests, long_titles_are_cut_between_characters);
	tcase_add_test(tests, many_of_one_name_are_quick_and_unique);
	tcase_add_test(tests, folders_of_platforms);
	tcase_add_test(tests, folders_of_indexes);
	tcase_add_test(tests, nothing_has_no_names);
	tcase_set_timeout(tests, 60);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
