#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "media_type.h"
#include "registry/model/link_header.h"
#include "registry/model/referrers.h"
#include "registry/model/tag_list.h"
#include "registry/model/warning.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

START_TEST(subject_has_its_tag)
{
	static const struct {
		const char *digest, *tag;
	} cases[] = {
		{"sha256:" HEX, "sha256-" HEX},
		{"sha512:" HEX HEX, "sha512-" HEX},
		{"a+b.c:x=_y", "a-b.c-x-_y"},
		{"abcdefghijklmnopqrstuvwxyzabcdefghijkl:0", "abcdefghijklmnopqrstuvwxyzabcdef-0"},
	};
	char tag[TAG_MAX + 1];
	struct digest digest;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		ck_assert_msg(digest_parse(&digest, cases[i].digest), "%s", cases[i].digest);
		referrers_tag(tag, &digest);
		ck_assert_str_eq(tag, cases[i].tag);
	}
}
END_TEST

#define CONFIG "\"config\":{\"mediaType\":\"conf/ig\",\"digest\":\"sha256:" HEX "\",\"size\":2}"

START_TEST(document_has_its_entry)
{
	static const struct {
		const char *json, *type, *note;
	} cases[] = {
		{"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_MANIFEST
		 "\",\"artifactType\":\"art/fact\"," CONFIG
		 ",\"layers\":[],\"annotations\":{\"a\":\"1\",\"b\":\"\"}}",
			"art/fact", "1"},
		{"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_MANIFEST "\"," CONFIG
		 ",\"layers\":[]}",
			"conf/ig", NULL},
		{"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_MANIFEST
		 "\",\"artifactType\":\"\"," CONFIG ",\"layers\":[]}",
			"conf/ig", NULL},
		{"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_INDEX "\",\"manifests\":[]}",
			NULL, NULL},
		{"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_INDEX
		 "\",\"artifactType\":\"x/y\",\"manifests\":[]}",
			"x/y", NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct document document;
		struct descriptor entry;
		const char *note;

		ck_assert_int_eq(
			document_parse(&document, NULL, cases[i].json, strlen(cases[i].json), NULL),
			0);
		ck_assert_int_eq(referrers_entry(&entry, &document, NULL), 0);
		ck_assert_str_eq(entry.digest.text, document.digest.text);
		ck_assert_int_eq(entry.size, (int64_t)strlen(cases[i].json));
		ck_assert_str_eq(entry.media_type, document.media_type);
		ck_assert_pstr_eq(entry.artifact_type, cases[i].type);
		note = annotations_get(&entry.annotations, "a");
		ck_assert_pstr_eq(note, cases[i].note);
		ck_assert_uint_eq(entry.annotations.count, document.annotations.count);
		descriptor_clear(&entry);
		document_clear(&document);
	}
}
END_TEST

#define ENTRY(first, type)                                                                         \
	"{\"mediaType\":\"" MEDIA_TYPE_MANIFEST "\",\"digest\":\"sha256:" first                    \
	"123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\",\"size\":1" type "}"
#define LIST(entries)                                                                              \
	"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_INDEX "\",\"manifests\":[" entries "]}"

static void list_take(struct referrers *referrers, const char *json, const char *type)
{
	struct document page;

	ck_assert_int_eq(document_parse(&page, NULL, json, strlen(json), NULL), 0);
	ck_assert_int_eq(referrers_take(referrers, &page, type, NULL), 0);
	document_clear(&page);
}

START_TEST(pages_are_collected)
{
	struct referrers referrers = REFERRERS_INIT;
	struct document out;

	list_take(
		&referrers, LIST(ENTRY("b", "") "," ENTRY("a", ",\"artifactType\":\"x/y\"")), NULL);
	list_take(&referrers, LIST(ENTRY("c", "") "," ENTRY("b", "") "," ENTRY("b", "")), NULL);
	ck_assert_int_eq(referrers_index(&out, &referrers, NULL), 0);
	ck_assert_uint_eq(out.count, 3);
	ck_assert_int_eq(out.items[0].digest.text[7], 'b');
	ck_assert_int_eq(out.items[1].digest.text[7], 'a');
	ck_assert_int_eq(out.items[2].digest.text[7], 'c');
	document_clear(&out);
	referrers_clear(&referrers);
	list_take(&referrers, LIST(ENTRY("b", "") "," ENTRY("a", ",\"artifactType\":\"x/y\"")),
		"x/y");
	ck_assert_uint_eq(referrers.count, 1);
	ck_assert_int_eq(referrers.items[0].digest.text[7], 'a');
	referrers_clear(&referrers);
	ck_assert_int_eq(referrers_index(&out, &referrers, NULL), 0);
	ck_assert_uint_eq(out.count, 0);
	document_clear(&out);
	referrers_clear(&referrers);
}
END_TEST

START_TEST(filters_are_read)
{
	ck_assert(referrers_filtered("artifactType"));
	ck_assert(referrers_filtered("annotations, artifacttype"));
	ck_assert(referrers_filtered(" artifactType,x"));
	ck_assert(!referrers_filtered(NULL));
	ck_assert(!referrers_filtered(""));
	ck_assert(!referrers_filtered("artifactTypes"));
	ck_assert(!referrers_filtered("no-artifactType"));
}
END_TEST

static int tag_collect(void *context, const char *tag, struct error *err)
{
	char *text = context;

	if (strcmp(tag, "stop") == 0)
		return error_set(err, ERROR_INTERRUPTED, "stop");
	strcat(text, tag);
	strcat(text, " ");
	return 0;
}

static const struct {
	const char *json, *tags; /* NULL: corrupt */
} tag_lists[] = {
	{"{\"name\":\"a\",\"tags\":[\"v1\",\"v2\"]}", "v1 v2 "},
	{" { \"tags\" : [ \"v1\" ] , \"name\" : { \"x\" : [ 1 ] } } ", "v1 "},
	{"{\"name\":\"a\",\"tags\":null}", ""},
	{"{\"name\":\"a\",\"tags\":[]}", ""},
	{"{\"tags\":[\"../x\",\"-a\",\"\",\"a/b\",\"\\u0076\",\"v1\"]}", "v1 "},
	{"{\"name\":\"a\"}", NULL},
	{"{}", NULL},
	{"", NULL},
	{"[]", NULL},
	{"{\"tags\":[1]}", NULL},
	{"{\"tags\":[\"a\" \"b\"]}", NULL},
	{"{\"tags\":[\"a\",]}", NULL},
	{"{\"tags\":[\"a\"}", NULL},
	{"{\"tags\":[\"a\"]", NULL},
	{"{\"tags\":[\"a\"]}{", NULL},
	{"{\"tags\":[\"a\"],\"tags\":[\"b\"]}", NULL},
	{"{\"tags\":\"a\"}", NULL},
	{"{\"tags\" [\"a\"]}", NULL},
	{"{\"x\":[}", NULL},
	{"<html>", NULL},
};

START_TEST(tag_lists_are_read)
{
	const char *json = tag_lists[_i].json;
	struct error err = ERROR_INIT;
	char tags[128] = "";
	int failed = tag_list_read(json, strlen(json), tag_collect, tags, &err);

	ck_assert_int_eq(failed, tag_lists[_i].tags ? 0 : -1);
	ck_assert_int_eq(err.kind, tag_lists[_i].tags ? ERROR_NONE : ERROR_CORRUPT);
	if (tag_lists[_i].tags)
		ck_assert_str_eq(tags, tag_lists[_i].tags);
}
END_TEST

START_TEST(reading_tags_can_be_stopped)
{
	static const char json[] = "{\"tags\":[\"a\",\"stop\",\"b\"]}";
	struct error err = ERROR_INIT;
	char tags[128] = "";

	ck_assert_int_eq(tag_list_read(json, strlen(json), tag_collect, tags, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_INTERRUPTED);
	ck_assert_str_eq(tags, "a ");
}
END_TEST

static const struct {
	const char *value, *target; /* NULL: none */
} links[] = {
	{"</v2/a?n=2&last=b>; rel=\"next\"", "/v2/a?n=2&last=b"},
	{"<http://h/x>;rel=next", "http://h/x"},
	{"<a>; rel=prev, <b,c;d>; title=\"x, <no>; rel=next\"; REL = \"up NEXT\"", "b,c;d"},
	{"<a>; rel=prev", NULL},
	{"<a>", NULL},
	{"<>; rel=next", NULL},
	{"<a; rel=next", NULL},
	{"<a>; rel=\"nextish\"", NULL},
	{"<a>; xrel=next", NULL},
	{"<a>; rel=\"ne", NULL},
	{"<a>; rel; rel=next", "a"},
	{"a; rel=next", NULL},
	{"", NULL},
};

START_TEST(links_are_read)
{
	const char *target = NULL;
	size_t len = 0;
	bool found = link_header_next(&target, &len, links[_i].value);

	ck_assert_int_eq(found, links[_i].target != NULL);
	if (found) {
		ck_assert_uint_eq(len, strlen(links[_i].target));
		ck_assert_int_eq(strncmp(target, links[_i].target, len), 0);
	}
}
END_TEST

static const struct {
	const char *value, *texts;
} warnings[] = {
	{"299 - \"one\"", "one|"},
	{"299 - \"a, \\\"b\\\"\" , 299  -  \"c\"", "a, \"b\"|c|"},
	{"110 - \"stale\", 299 host \"no\", 299 - \"yes\"", "yes|"},
	{"299 - no, 2999 - \"no\", 299- \"no\"", ""},
	{"299 - \"unended", ""},
	{"299 - \"\"", "|"},
	{"", ""},
};

START_TEST(warnings_are_read)
{
	char text[WARNING_TEXT_MAX + 1], all[256] = "";
	const char *at = warnings[_i].value;

	while ((at = warning_next(text, at))) {
		strcat(all, text);
		strcat(all, "|");
	}
	ck_assert_str_eq(all, warnings[_i].texts);
}
END_TEST

START_TEST(long_warning_is_cut)
{
	char value[2000], text[WARNING_TEXT_MAX + 1];

	memset(value, 'x', sizeof(value));
	memcpy(value, "299 - \"", 7);
	memcpy(value + sizeof(value) - 2, "\"", 2);
	ck_assert_ptr_nonnull(warning_next(text, value));
	ck_assert_uint_eq(strlen(text), WARNING_TEXT_MAX);
}
END_TEST

#define LOOP(tcase, test, table)                                                                   \
	tcase_add_loop_test(tcase, test, 0, (int)(sizeof(table) / sizeof(*(table))))

int main(void)
{
	Suite *suite = suite_create("referrers");
	TCase *tcase = tcase_create("referrers");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, subject_has_its_tag);
	tcase_add_test(tcase, document_has_its_entry);
	tcase_add_test(tcase, pages_are_collected);
	tcase_add_test(tcase, filters_are_read);
	LOOP(tcase, tag_lists_are_read, tag_lists);
	tcase_add_test(tcase, reading_tags_can_be_stopped);
	LOOP(tcase, links_are_read, links);
	LOOP(tcase, warnings_are_read, warnings);
	tcase_add_test(tcase, long_warning_is_cut);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
