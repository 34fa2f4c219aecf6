#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "buf.h"
#include "cleanup.h"
#include "document.h"
#include "media_type.h"
#include "patience.h"

#define HEX "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define DIGEST "sha256:" HEX
#define ITEM "{\"mediaType\":\"a/b\",\"digest\":\"" DIGEST "\",\"size\":2}"
#define HOMEBREW "homebrew-oras-1.0.1.arm64_monterey.manifest.json"
#define HOMEBREW_DIGEST "sha256:d0e42e6f6d564a9d1e178e72b42ff12b7e2e3c36cd32b44b150f7465c171db41"

static void parse(struct document *out, const char *text)
{
	struct error err = ERROR_INIT;

	ck_assert_msg(document_parse(out, NULL, text, strlen(text), &err) == 0, "%s: %s", text,
		err.message);
}

static void expect_bad(const char *served, const char *text, const char *message)
{
	struct document out;
	struct error err = ERROR_INIT;

	ck_assert_msg(
		document_parse(&out, served, text, strlen(text), &err) == -1, "%s passed", text);
	ck_assert_int_eq(err.kind, ERROR_CORRUPT);
	ck_assert_msg(strstr(err.message, message) != NULL, "%s: %s", text, err.message);
	ck_assert_ptr_null(out.json);
	ck_assert_ptr_null(out.items);
}

/* Python's json.dumps with and without indent, Go's MarshalIndent, CRLF, and odd ones. */
static const char *const styles[] = {
	"{\"schemaVersion\":2,\"manifests\":[" ITEM "," ITEM "]}",
	"{\"schemaVersion\": 2, \"manifests\": [{\"mediaType\": \"a/b\", \"digest\": \"" DIGEST
	"\", \"size\": 2}, {\"size\": 3, \"mediaType\": \"a/b\", \"digest\": \"" DIGEST
	"\"}], \"annotations\": {\"a\": \"b\"}}",
	"{\n  \"manifests\": [\n    {\n      \"x\": {\"y\":[1, 2.50,null]},\n      \"mediaType\": "
	"\"a/b\",\n      \"digest\": \"" DIGEST "\",\n      \"size\": 2\n    }\n  ],\n"
	"  \"schemaVersion\": 2,\n  \"annotations\": {\n    \"k\": \"v\"\n  }\n}\n",
	"{\n    \"schemaVersion\": 2,\n    \"manifests\": []\n}",
	"{\n\t\"schemaVersion\": 2,\n\t\"manifests\": [\n\t\t{\n\t\t\t\"mediaType\": "
	"\"a/b\",\n\t\t\t"
	"\"digest\": \"" DIGEST "\",\n\t\t\t\"size\": 2\n\t\t}\n\t]\n}",
	"{\r\n  \"schemaVersion\": 2,\r\n  \"manifests\": [\r\n    {\r\n      \"mediaType\": "
	"\"a/b\","
	"\r\n      \"digest\": \"" DIGEST "\",\r\n      \"size\": 2\r\n    }\r\n  ]\r\n}\r\n",
	" {\"manifests\":[ " ITEM " ,\n" ITEM
	",\t{ \"size\":9 , \"mediaType\":\"\\u0061\", \"digest\":"
	"\"" DIGEST "\" } ] , \"\\u0073chemaVersion\":2,\"u\":{\"mediaType\":1} } ",
	"{\"schemaVersion\":2,\"manifests\":null}",
	"{\"schemaVersion\":2,\"manifests\":[ ],\"annotations\":{ }}",
};

START_TEST(reads_an_index)
{
	struct document d;

	parse(&d, styles[2]);
	ck_assert_int_eq(d.kind, DOCUMENT_INDEX);
	ck_assert_str_eq(d.media_type, MEDIA_TYPE_INDEX);
	ck_assert_uint_eq(d.count, 1);
	ck_assert_str_eq(d.items[0].media_type, "a/b");
	ck_assert(!d.has_config);
	ck_assert(!d.has_subject);
	ck_assert_str_eq(annotations_get(&d.annotations, "k"), "v");
	ck_assert_str_eq(d.json, styles[2]);
	document_clear(&d);
}
END_TEST

/* Copies share what was parsed: changing one changes no other, and the last one takes it along. */
START_TEST(copies_are_their_own)
{
	struct annotations want = ANNOTATIONS_INIT;
	struct document d, copy, third;

	parse(&d, "{\"schemaVersion\":2,\"manifests\":[" ITEM "]}");
	ck_assert_int_eq(document_copy(&copy, &d, NULL), 0);
	ck_assert_int_eq(document_copy(&third, &copy, NULL), 0);
	ck_assert_ptr_eq(copy.items, d.items);
	annotations_set(&want, "a", "b", NULL);
	ck_assert_int_eq(document_set_annotations(&copy, &want, NULL), 0);
	ck_assert_uint_eq(d.annotations.count, 0);
	ck_assert_uint_eq(third.annotations.count, 0);
	ck_assert_uint_eq(copy.annotations.count, 1);
	ck_assert(!digest_equal(&copy.digest, &d.digest));
	document_clear(&d);
	ck_assert_ptr_null(d.json);
	ck_assert_str_eq(third.items[0].json, ITEM);
	document_clear(&third);
	document_clear(&third);
	document_clear(&copy);
	annotations_clear(&want);
}
END_TEST

START_TEST(reads_a_manifest)
{
	struct document d, copy;

	parse(&d, "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_DOCKER_MANIFEST
		  "\",\"artifactType\":\"x/y\",\"config\":" ITEM ",\"layers\":[" ITEM "," ITEM
		  "],\"subject\":" ITEM ",\"annotations\":{\"a\":\"\"}}");
	ck_assert_int_eq(document_copy(&copy, &d, NULL), 0);
	document_clear(&d);
	ck_assert_int_eq(copy.kind, DOCUMENT_MANIFEST);
	ck_assert_str_eq(copy.media_type, MEDIA_TYPE_DOCKER_MANIFEST);
	ck_assert_str_eq(copy.artifact_type, "x/y");
	ck_assert(copy.has_config);
	ck_assert_int_eq(copy.config.size, 2);
	ck_assert_uint_eq(copy.count, 2);
	ck_assert_str_eq(copy.items[1].json, ITEM);
	ck_assert(copy.has_subject);
	ck_assert_str_eq(copy.subject.digest.text, DIGEST);
	ck_assert_str_eq(annotations_get(&copy.annotations, "a"), "");
	document_clear(&copy);
}
END_TEST

START_TEST(its_own_type_counts_first)
{
	static const struct {
		const char *own, *served, *want;
	} cases[] = {
		{MEDIA_TYPE_INDEX, NULL, MEDIA_TYPE_INDEX},
		{MEDIA_TYPE_INDEX, MEDIA_TYPE_INDEX "; charset=utf-8", MEDIA_TYPE_INDEX},
		{MEDIA_TYPE_INDEX, "Application/vnd.OCI.image.index.v1+JSON", MEDIA_TYPE_INDEX},
		{MEDIA_TYPE_INDEX, "application/octet-stream", MEDIA_TYPE_INDEX},
		{MEDIA_TYPE_DOCKER_LIST, "application/json", MEDIA_TYPE_DOCKER_LIST},
		{"", MEDIA_TYPE_DOCKER_LIST " ; a=b", MEDIA_TYPE_DOCKER_LIST},
		{"", "text/html", MEDIA_TYPE_INDEX},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct document d;
		char text[512];

		snprintf(text, sizeof(text),
			"{\"schemaVersion\":2,\"mediaType\":\"%s\",\"manifests\":[]}",
			cases[i].own);
		ck_assert_int_eq(document_parse(&d, cases[i].served, text, strlen(text), NULL), 0);
		ck_assert_str_eq(d.media_type, cases[i].want);
		document_clear(&d);
	}
}
END_TEST

START_TEST(refuses_what_breaks_a_must)
{
#define V "\"schemaVersion\":2"
	expect_bad(NULL, "", "no JSON");
	expect_bad(NULL, "<html>", "not JSON");
	expect_bad(NULL, "[]", "must be an object");
	expect_bad(NULL, "{}", "no schemaVersion");
	expect_bad(NULL, "{" V "}", "neither manifests nor layers");
	expect_bad(NULL, "{\"schemaVersion\":1,\"fsLayers\":[]}", "schema 1 is not supported");
	expect_bad(NULL, "{\"schemaVersion\":3,\"manifests\":[]}", "must be 2");
	expect_bad(NULL, "{\"schemaVersion\":2.0,\"manifests\":[]}", "whole number");
	expect_bad(NULL, "{\"schemaVersion\":\"2\",\"manifests\":[]}", "whole number");
	expect_bad(NULL, "{" V "," V ",\"manifests\":[]}", "twice");
	expect_bad(NULL, "{" V ",\"manifests\":[],\"layers\":[]}", "an index has \"layers\"");
	expect_bad(NULL, "{" V ",\"manifests\":null,\"config\":{}}", "an index has \"config\"");
	expect_bad(NULL, "{" V ",\"layers\":[]}", "no config");
	expect_bad(NULL, "{" V ",\"config\":" ITEM ",\"layers\":{}}", "must be an array");
	expect_bad(NULL, "{" V ",\"manifests\":[" ITEM ",{}]}", "manifests[1] has no mediaType");
	expect_bad(NULL, "{" V ",\"manifests\":[null]}", "manifests[0] must be an object");
	expect_bad(NULL, "{" V ",\"mediaType\":\"x/y\",\"manifests\":[]}", "neither an index");
	expect_bad(NULL, "{" V ",\"mediaType\":\"" MEDIA_TYPE_MANIFEST "\",\"manifests\":[]}",
		"a manifest has \"manifests\"");
	expect_bad(MEDIA_TYPE_MANIFEST, "{" V ",\"manifests\":[]}", "a manifest has \"manifests\"");
	expect_bad(MEDIA_TYPE_DOCKER_LIST,
		"{" V ",\"mediaType\":\"" MEDIA_TYPE_INDEX "\",\"manifests\":[]}", "served as");
	expect_bad(MEDIA_TYPE_MANIFEST,
		"{" V ",\"mediaType\":\"" MEDIA_TYPE_INDEX "\",\"manifests\":[]}", "served as");
	expect_bad(NULL, "{" V ",\"manifests\":[],\"subject\":{}}", "subject has no mediaType");
	expect_bad(NULL, "{" V ",\"manifests\":[],\"annotations\":{\"a\":null}}", "a string");
	expect_bad(NULL, "{" V ",\"manifests\":[]}x", "line 1, column 35");
}
END_TEST

START_TEST(a_document_has_a_largest_size)
{
	cleanup_free char *text = malloc(DOCUMENT_SIZE_MAX + 2);
	struct error err = ERROR_INIT;
	struct document d;
	size_t len = strlen(styles[0]);

	memset(text, ' ', DOCUMENT_SIZE_MAX + 1);
	memcpy(text, styles[0], len);
	ck_assert_int_eq(document_parse(&d, NULL, text, DOCUMENT_SIZE_MAX, NULL), 0);
	document_clear(&d);
	ck_assert_int_eq(document_parse(&d, NULL, text, DOCUMENT_SIZE_MAX + 1, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_TOO_LARGE);
}
END_TEST

START_TEST(creates)
{
	static const char index[] =
		"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_INDEX "\",\"manifests\":[]}";
	static const char manifest[] =
		"{\n  \"schemaVersion\": 2,\n  \"mediaType\": \"" MEDIA_TYPE_MANIFEST
		"\",\n  \"artifactType\": \"x/y\",\n  \"config\": {\n    \"mediaType\": "
		"\"" MEDIA_TYPE_EMPTY "\",\n    \"digest\": \"" EMPTY_JSON_DIGEST
		"\",\n    \"size\": 2\n  },\n  \"layers\": []\n}";
	struct document d;

	ck_assert_int_eq(document_create(&d, DOCUMENT_INDEX, NULL, DOCUMENT_COMPACT, NULL), 0);
	ck_assert_str_eq(d.json, index);
	document_clear(&d);
	ck_assert_int_eq(document_create(&d, DOCUMENT_MANIFEST, "x/y", DOCUMENT_PRETTY, NULL), 0);
	ck_assert_str_eq(d.json, manifest);
	ck_assert(d.has_config);
	document_clear(&d);
	ck_assert_int_eq(document_create(&d, DOCUMENT_MANIFEST, NULL, DOCUMENT_PRETTY, NULL), -1);
}
END_TEST

START_TEST(the_same_changes_no_byte)
{
	for (size_t i = 0; i < sizeof(styles) / sizeof(*styles); i++) {
		struct document d, same;

		parse(&d, styles[i]);
		ck_assert_int_eq(document_copy(&same, &d, NULL), 0);
		ck_assert_int_eq(document_set_items(&d, same.items, same.count, NULL), 0);
		ck_assert_str_eq(d.json, styles[i]);
		ck_assert_int_eq(document_set_annotations(&d, &same.annotations, NULL), 0);
		ck_assert_int_eq(document_set_artifact_type(&d, NULL, NULL), 0);
		ck_assert_int_eq(document_set_subject(&d, NULL, NULL), 0);
		ck_assert_str_eq(d.json, styles[i]);
		ck_assert(digest_equal(&d.digest, &same.digest));
		document_clear(&d);
		document_clear(&same);
	}
}
END_TEST

/* Adds an item and an annotation, takes them away again: the first bytes, where there was an item
 * and an annotation to go by, and always valid. */
START_TEST(there_and_back)
{
	for (size_t i = 0; i < sizeof(styles) / sizeof(*styles); i++) {
		struct document d, before, other;
		struct descriptor items[8];
		struct annotations more;

		parse(&d, styles[i]);
		parse(&other,
			"{\n \"schemaVersion\":2,\n \"manifests\":[{\n\"mediaType\" : \"c/d\", "
			"\"digest\":\"blake3:x\",\"size\":1}]}");
		document_copy(&before, &d, NULL);
		if (before.count > 0)
			memcpy(items, before.items, before.count * sizeof(*items));
		items[before.count] = other.items[0];
		annotations_copy(&more, &before.annotations, NULL);
		annotations_set(&more, "more", "1", NULL);
		ck_assert_int_eq(document_set_items(&d, items, before.count + 1, NULL), 0);
		ck_assert_int_eq(document_set_annotations(&d, &more, NULL), 0);
		ck_assert_uint_eq(d.count, before.count + 1);
		ck_assert_str_eq(d.items[before.count].media_type, "c/d");
		ck_assert_int_eq(document_set_items(&d, before.items, before.count, NULL), 0);
		ck_assert_int_eq(document_set_annotations(&d, &before.annotations, NULL), 0);
		ck_assert_uint_eq(d.count, before.count);
		if (before.count > 0)
			ck_assert_str_eq(d.json, styles[i]);
		annotations_clear(&more);
		document_clear(&d);
		document_clear(&before);
		document_clear(&other);
	}
}
END_TEST

START_TEST(a_compact_item_follows_a_pretty_document)
{
	static const char before[] = "{\n  \"schemaVersion\": 2,\n  \"manifests\": []\n}\n";
	static const char one[] =
		"{\n  \"schemaVersion\": 2,\n  \"manifests\": [\n    {\n      \"mediaType\": "
		"\"a/b\","
		"\n      \"digest\": \"" DIGEST "\",\n      \"size\": 2\n    }\n  ]\n}\n";
	static const char two[] =
		"{\n  \"schemaVersion\": 2,\n  \"manifests\": [\n    {\n      \"mediaType\": "
		"\"c/d\","
		"\n      \"digest\": \"x:1\",\n      \"size\": 0,\n      \"e\": {}\n    },\n    {\n"
		"      \"mediaType\": \"a/b\",\n      \"digest\": \"" DIGEST
		"\",\n      \"size\": 2\n    }\n  ],\n  \"annotations\": {\n    \"k\": \"v\"\n  "
		"}\n}\n";
	static const char other[] =
		"{\"mediaType\":\"c/d\",\"digest\":\"x:1\",\"size\":0,\"e\":{}}";
	struct annotations annotations = ANNOTATIONS_INIT;
	struct descriptor items[2];
	struct document d;

	parse(&d, before);
	ck_assert_int_eq(descriptor_parse(&items[1], ITEM, strlen(ITEM), NULL), 0);
	ck_assert_int_eq(descriptor_parse(&items[0], other, strlen(other), NULL), 0);
	ck_assert_int_eq(document_set_items(&d, &items[1], 1, NULL), 0);
	ck_assert_str_eq(d.json, one);
	annotations_set(&annotations, "k", "v", NULL);
	ck_assert_int_eq(document_set_items(&d, items, 2, NULL), 0);
	ck_assert_int_eq(document_set_annotations(&d, &annotations, NULL), 0);
	ck_assert_str_eq(d.json, two);
	ck_assert_int_eq(document_set_items(&d, NULL, 0, NULL), 0);
	ck_assert_int_eq(
		document_set_annotations(&d, &(struct annotations)ANNOTATIONS_INIT, NULL), 0);
	ck_assert_str_eq(d.json, before);
	annotations_clear(&annotations);
	descriptor_clear(&items[0]);
	descriptor_clear(&items[1]);
	document_clear(&d);
}
END_TEST

START_TEST(a_pretty_item_follows_a_compact_document)
{
	struct document from, d;

	parse(&from, styles[4]);
	parse(&d, "{\"schemaVersion\":2,\"manifests\":[],\"z\":0}");
	ck_assert_int_eq(document_set_items(&d, from.items, 1, NULL), 0);
	ck_assert_str_eq(d.json, "{\"schemaVersion\":2,\"manifests\":[" ITEM "],\"z\":0}");
	document_clear(&from);
	document_clear(&d);
}
END_TEST

START_TEST(items_move_as_they_are)
{
	struct document d;
	struct descriptor turned[3];

	parse(&d, styles[6]);
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(descriptor_copy(&turned[i], &d.items[2 - i], NULL), 0);
	ck_assert_int_eq(document_set_items(&d, turned, 3, NULL), 0);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_str_eq(d.items[i].json, turned[i].json);
		descriptor_clear(&turned[i]);
	}
	document_clear(&d);
}
END_TEST

/* text with item i, which it holds as before, replaced by after. */
static void splice_item(struct buf *out, const char *text, const struct document *document,
	size_t i, const char *after)
{
	const char *at = text;

	for (size_t j = 0; j <= i; j++)
		at = strstr(at, document->items[j].json) + (j < i);
	buf_append(out, text, (size_t)(at - text));
	buf_append_text(out, after);
	buf_append_text(out, at + document->items[i].json_len);
}

START_TEST(one_changed_item_changes_one_span)
{
	struct annotations want = ANNOTATIONS_INIT, none = ANNOTATIONS_INIT;

	annotations_set(&want, "k", "v", NULL);
	for (size_t i = 0; i < sizeof(styles) / sizeof(*styles); i++) {
		struct document d, before;

		parse(&d, styles[i]);
		parse(&before, styles[i]); /* no copy: the items below are changed in place */
		for (size_t j = 0; j < before.count; j++) {
			struct buf wanted = BUF_INIT(DOCUMENT_SIZE_MAX);
			struct descriptor *item = &d.items[j];

			ck_assert_int_eq(descriptor_set_annotations(item, &want, NULL), 0);
			splice_item(&wanted, styles[i], &before, j, item->json);
			ck_assert_int_eq(document_set_items(&d, d.items, d.count, NULL), 0);
			ck_assert_str_eq(d.json, wanted.data);
			item = &d.items[j];
			ck_assert_int_eq(descriptor_set_annotations(item, &none, NULL), 0);
			ck_assert_int_eq(document_set_items(&d, d.items, d.count, NULL), 0);
			ck_assert_str_eq(d.json, styles[i]);
			buf_free(&wanted);
		}
		document_clear(&d);
		document_clear(&before);
	}
	annotations_clear(&want);
}
END_TEST

START_TEST(config_subject_and_type)
{
	static const char before[] = "{\"schemaVersion\":2,\"config\":" ITEM ",\"layers\":[]}";
	static const char config[] = "{\n  \"mediaType\": \"c/d\",\n  \"digest\": \"x:1\",\n"
				     "  \"size\": 0\n}";
	struct descriptor d;
	struct document m, index;

	parse(&m, before);
	ck_assert_int_eq(descriptor_parse(&d, config, strlen(config), NULL), 0);
	ck_assert_int_eq(document_set_config(&m, &d, NULL), 0);
	ck_assert_int_eq(document_set_subject(&m, &d, NULL), 0);
	ck_assert_int_eq(document_set_artifact_type(&m, "x/y", NULL), 0);
#define SMALL "{\"mediaType\":\"c/d\",\"digest\":\"x:1\",\"size\":0}"
	ck_assert_str_eq(m.json, "{\"schemaVersion\":2,\"config\":" SMALL
				 ",\"layers\":[],\"subject\":" SMALL ",\"artifactType\":\"x/y\"}");
	ck_assert(m.has_subject);
	ck_assert_str_eq(m.config.digest.text, "x:1");
	ck_assert_int_eq(document_set_subject(&m, NULL, NULL), 0);
	ck_assert_int_eq(document_set_artifact_type(&m, NULL, NULL), 0);
	ck_assert_str_eq(m.json, "{\"schemaVersion\":2,\"config\":" SMALL ",\"layers\":[]}");
	parse(&index, styles[0]);
	ck_assert_int_eq(document_set_config(&index, &d, NULL), -1);
	document_clear(&index);
	document_clear(&m);
	descriptor_clear(&d);
}
END_TEST

START_TEST(too_many_bytes_change_nothing)
{
	struct annotations want = ANNOTATIONS_INIT;
	struct error err = ERROR_INIT;
	struct document d;
	char *value = calloc(1, DOCUMENT_SIZE_MAX);

	memset(value, 'x', DOCUMENT_SIZE_MAX - 1);
	parse(&d, styles[0]);
	annotations_set(&want, "k", value, NULL);
	ck_assert_int_eq(document_set_annotations(&d, &want, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_TOO_LARGE);
	ck_assert_str_eq(d.json, styles[0]);
	ck_assert_uint_eq(d.count, 2);
	annotations_clear(&want);
	document_clear(&d);
	free(value);
}
END_TEST

/* The data that a test needs, from $TEST_DATA. */
static void data_read(struct buf *out, const char *name)
{
	const char *folder = getenv("TEST_DATA");
	char path[4096], bytes[4096];
	size_t got;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder ? folder : "tests/data", name);
	file = fopen(path, "rb");
	ck_assert_msg(file != NULL, "%s isn't there", path);
	while ((got = fread(bytes, 1, sizeof(bytes), file)) > 0)
		ck_assert_int_eq(buf_append(out, bytes, got), 0);
	fclose(file);
}

START_TEST(a_homebrew_manifest_comes_back)
{
	struct annotations before, want;
	struct buf text = BUF_INIT(DOCUMENT_SIZE_MAX);
	struct document d;

	data_read(&text, HOMEBREW);
	ck_assert_uint_eq(text.len, 1914);
	ck_assert_int_eq(document_parse(&d, MEDIA_TYPE_MANIFEST, text.data, text.len, NULL), 0);
	ck_assert_str_eq(d.digest.text, HOMEBREW_DIGEST);
	annotations_copy(&before, &d.annotations, NULL);
	annotations_copy(&want, &d.annotations, NULL);
	annotations_set(&want, "org.opencontainers.image.vendor", "somebody \"else\"", NULL);
	annotations_set(&want, "zz", "new", NULL);
	ck_assert_int_eq(document_set_annotations(&d, &want, NULL), 0);
	ck_assert_str_ne(d.digest.text, HOMEBREW_DIGEST);
	ck_assert_uint_eq(d.json_len, 1914 + strlen("somebody \\\"else\\\"") - strlen("homebrew") +
					      strlen(",\n    \"zz\": \"new\""));
	ck_assert_int_eq(document_set_annotations(&d, &before, NULL), 0);
	ck_assert_str_eq(d.digest.text, HOMEBREW_DIGEST);
	annotations_clear(&before);
	annotations_clear(&want);
	document_clear(&d);
	buf_free(&text);
}
END_TEST

/* An index of 10,000 entries, close to the largest document. */
static void large_index(struct buf *out)
{
	buf_append_text(out, "{\n  \"manifests\": [");
	for (int i = 0; i < 10000; i++)
		buf_printf(out,
			"%s\n    {\n      \"digest\": \"sha256:%064x\",\n      \"mediaType\": "
			"\"" MEDIA_TYPE_MANIFEST "\",\n      \"size\": %d,\n      \"x\": 1.0,\n"
			"      \"platform\": {\n        \"os\": \"linux\",\n        "
			"\"architecture\": "
			"\"a%05d\"\n      },\n      \"annotations\": {\n        \"k\": \"v%05d\"\n"
			"      }\n    }",
			i ? "," : "", i, i, i, i);
	buf_append_text(out, "\n  ],\n  \"schemaVersion\": 2\n}\n");
}

/* Of the processor: whoever looks at all for each takes many times as long. */
static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

START_TEST(a_large_index_changes_in_one_place)
{
	struct buf text = BUF_INIT(DOCUMENT_SIZE_MAX);
	struct annotations want = ANNOTATIONS_INIT;
	struct document d;
	double start;

	large_index(&text);
	ck_assert_uint_gt(text.len, (size_t)3 << 20);
	ck_assert_int_eq(document_parse(&d, NULL, text.data, text.len, NULL), 0);
	annotations_set(&want, "k", "w07777", NULL);
	ck_assert_int_eq(descriptor_set_annotations(&d.items[7777], &want, NULL), 0);
	start = seconds();
	ck_assert_int_eq(document_set_items(&d, d.items, d.count, NULL), 0);
	ck_assert_double_lt(seconds() - start, 10 * patience());
	*strstr(text.data, "v07777") = 'w';
	ck_assert_uint_eq(d.json_len, text.len);
	ck_assert_int_eq(memcmp(d.json, text.data, text.len), 0);
	annotations_clear(&want);
	document_clear(&d);
	buf_free(&text);
}
END_TEST

START_TEST(a_large_index_is_turned_round_quickly)
{
	struct buf text = BUF_INIT(DOCUMENT_SIZE_MAX);
	struct document d;
	struct descriptor *turned;
	double start;

	large_index(&text);
	ck_assert_int_eq(document_parse(&d, NULL, text.data, text.len, NULL), 0);
	turned = calloc(d.count, sizeof(*turned));
	for (size_t i = 0; i < d.count; i++)
		descriptor_copy(&turned[i], &d.items[d.count - 1 - i], NULL);
	start = seconds();
	ck_assert_int_eq(document_set_items(&d, turned, d.count, NULL), 0);
	ck_assert_double_lt(seconds() - start, 10 * patience());
	ck_assert_uint_eq(d.json_len, text.len);
	ck_assert_str_eq(d.items[0].platform.architecture, "a09999");
	for (size_t i = 0; i < d.count; i++)
		descriptor_clear(&turned[i]);
	free(turned);
	document_clear(&d);
	buf_free(&text);
}
END_TEST

START_TEST(media_types_ignore_case_and_parameters)
{
	ck_assert(media_type_is_index(MEDIA_TYPE_INDEX));
	ck_assert(media_type_is_index("APPLICATION/vnd.oci.image.index.v1+json; q=1"));
	ck_assert(media_type_is_index(MEDIA_TYPE_DOCKER_LIST));
	ck_assert(!media_type_is_index(MEDIA_TYPE_MANIFEST));
	ck_assert(!media_type_is_index(MEDIA_TYPE_INDEX "x"));
	ck_assert(!media_type_is_index(""));
	ck_assert(media_type_is_manifest(MEDIA_TYPE_MANIFEST ";a=b"));
	ck_assert(media_type_is_manifest(MEDIA_TYPE_DOCKER_MANIFEST));
	ck_assert(!media_type_is_manifest("application/json"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("document");
	TCase *read = tcase_create("read"), *edit = tcase_create("edit");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(read, reads_an_index);
	tcase_add_test(read, copies_are_their_own);
	tcase_add_test(read, reads_a_manifest);
	tcase_add_test(read, its_own_type_counts_first);
	tcase_add_test(read, refuses_what_breaks_a_must);
	tcase_add_test(read, a_document_has_a_largest_size);
	tcase_add_test(read, media_types_ignore_case_and_parameters);
	tcase_add_test(edit, creates);
	tcase_add_test(edit, the_same_changes_no_byte);
	tcase_add_test(edit, there_and_back);
	tcase_add_test(edit, a_compact_item_follows_a_pretty_document);
	tcase_add_test(edit, a_pretty_item_follows_a_compact_document);
	tcase_add_test(edit, items_move_as_they_are);
	tcase_add_test(edit, one_changed_item_changes_one_span);
	tcase_add_test(edit, config_subject_and_type);
	tcase_add_test(edit, too_many_bytes_change_nothing);
	tcase_add_test(edit, a_homebrew_manifest_comes_back);
	tcase_add_test(edit, a_large_index_changes_in_one_place);
	tcase_add_test(edit, a_large_index_is_turned_round_quickly);
	tcase_set_timeout(edit, 60);
	suite_add_tcase(suite, read);
	suite_add_tcase(suite, edit);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
