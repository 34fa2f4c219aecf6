/* One malformed document for each MUST of image-spec 1.1, and what is said of it. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "cleanup.h"
#include "document.h"
#include "document_check.h"
#include "media_type.h"

/* JSON in C, with ' for ". */
#define HEX "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define DIGEST "'digest':'sha256:" HEX "'"
#define TYPE "'mediaType':'application/vnd.oci.image.manifest.v1+json'"
#define CORE TYPE "," DIGEST ",'size':2"
#define ITEM "{" CORE "}"
#define EMPTY "{'mediaType':'" MEDIA_TYPE_EMPTY "'," DIGEST ",'size':2}"
#define CONFIG "{'mediaType':'" MEDIA_TYPE_IMAGE_CONFIG "'," DIGEST ",'size':2}"
#define V "'schemaVersion':2"
#define INDEX(items) "{" V ",'manifests':[" items "]}"
#define INDEX_WITH(members) "{" V ",'manifests':[]," members "}"
#define MANIFEST_WITH(members) "{" V ",'config':" CONFIG ",'layers':[]," members "}"
#define LAYER(members) "{" V ",'config':" CONFIG ",'layers':[" ITEM ",{" members "}]}"
#define ENTRY(members) INDEX(ITEM ",{" CORE "," members "}")
#define PLATFORM(members) ENTRY("'platform':{" members "}")

struct refused {
	const char *text;
	const char *path; /* what the message begins with */
	const char *fault; /* and what is somewhere in it */
};

static const struct refused faults[] = {
	/* the text (RFC 8259) */
	{"", "line 1, column 1", "no JSON"},
	{"  \n", "line 2, column 1", "no JSON"},
	{"<html>", "line 1, column 1", "not JSON"},
	{"\xef\xbb\xbf{}", "line 1, column 1", "not JSON"},
	{INDEX(ITEM) "x", "line 1, column", "not JSON"},
	{INDEX(ITEM) "{}", "line 1, column", "something after the end"},
	{"{" V ",'manifests':[", "line 1, column", "ends too early"},
	{"{" V ",\n'manifests':[],}", "line 2, column", "not JSON"},
	{"{" V ",'manifests':[" ITEM ",]}", "line 1, column", "not JSON"},
	{"{" V ",'manifests':[]/* why */}", "line 1, column", "not JSON"},
	{INDEX_WITH("'x':'a\tb'"), "line 1, column", "a control character in a string"},
	{INDEX_WITH("'x':'\\x'"), "line 1, column", "a bad escape in a string"},
	{INDEX_WITH("'x':'\\ud800'"), "line 1, column", "not JSON"},
	{INDEX_WITH("'x':'\xff'"), "line 1, column", "bytes that aren't UTF-8"},
	{INDEX_WITH("'x':'\xc0\xaf'"), "line 1, column", "bytes that aren't UTF-8"},
	{INDEX_WITH("'\xed\xa0\x80':1"), "line 1, column", "bytes that aren't UTF-8"},
	{INDEX_WITH("'x':01"), "line 1, column", "a malformed number"},
	{INDEX_WITH("'x':NaN"), "line 1, column", "not JSON"},
	/* no member twice, wherever it is and however it's spelled */
	{INDEX_WITH(V), "line 1, column", "\"schemaVersion\" stands twice"},
	{ENTRY("'size':2"), "manifests[1]: ", "\"size\" stands twice"},
	{ENTRY("'\\u0073ize':2"), "manifests[1]: ", "\"size\" stands twice"},
	{PLATFORM("'os':'a','architecture':'b','os':'a'"),
		"manifests[1].platform: ", "\"os\" stands twice"},
	{INDEX_WITH("'annotations':{'a.b':'1','a.b':'2'}"),
		"annotations: ", "\"a.b\" stands twice"},
	{INDEX_WITH("'x':[[{'y':{'z':1,'z':1}}]]"), "x[0][0].y: ", "\"z\" stands twice"},
	/* a document (image-index.md, manifest.md) */
	{"[]", "line 1, column 1", "a document must be an object"},
	{"2", "line 1, column 1", "a document must be an object"},
	{"null", "line 1, column 1", "a document must be an object"},
	{"{}", "schemaVersion: ", "it is missing"},
	{"{'manifests':[]}", "schemaVersion: ", "it is missing"},
	{"{'schemaVersion':1,'manifests':[]}", "schemaVersion: ", "it must be 2"},
	{"{'schemaVersion':3,'manifests':[]}", "schemaVersion: ", "it must be 2"},
	{"{'schemaVersion':'2','manifests':[]}", "schemaVersion: ", "must be a whole number"},
	{"{'schemaVersion':2.0,'manifests':[]}", "schemaVersion: ", "must be a whole number"},
	{"{'schemaVersion':null,'manifests':[]}", "schemaVersion: ", "must be a whole number"},
	{"{'schemaVersion':99999999999,'manifests':[]}", "schemaVersion: ", "it is over"},
	{INDEX_WITH("'mediaType':1"), "mediaType: ", "it must be a string"},
	{INDEX_WITH("'mediaType':null"), "mediaType: ", "it must be a string"},
	{INDEX_WITH("'mediaType':''"), "mediaType: ", "\"\" is not a media type"},
	{INDEX_WITH("'mediaType':'index'"), "mediaType: ", "\"index\" is not a media type"},
	{INDEX_WITH("'mediaType':'" MEDIA_TYPE_INDEX ";charset=utf-8'"),
		"mediaType: ", "is not a media type"},
	{INDEX_WITH("'mediaType':'application/json'"),
		"mediaType: ", "\"application/json\" is neither an index nor a manifest"},
	{INDEX_WITH("'artifactType':1"), "artifactType: ", "it must be a string"},
	{INDEX_WITH("'artifactType':'a b/c'"), "artifactType: ", "is not a media type"},
	{MANIFEST_WITH("'artifactType':''"), "artifactType: ", "is not a media type"},
	/* mediaType agrees with the shape */
	{INDEX_WITH("'mediaType':'" MEDIA_TYPE_MANIFEST "'"),
		"manifests: ", "a manifest has no manifests"},
	{MANIFEST_WITH("'mediaType':'" MEDIA_TYPE_INDEX "'"), "layers: ", "an index has no layers"},
	{MANIFEST_WITH("'mediaType':'" MEDIA_TYPE_DOCKER_LIST "'"),
		"layers: ", "an index has no layers"},
	{INDEX_WITH("'mediaType':'" MEDIA_TYPE_INDEX "','config':" CONFIG),
		"config: ", "an index has no config"},
	{INDEX_WITH("'layers':[]"), "manifests: ", "a manifest has no manifests"},
	{INDEX_WITH("'config':" CONFIG), "manifests: ", "a manifest has no manifests"},
	{MANIFEST_WITH("'manifests':null"), "manifests: ", "a manifest has no manifests"},
	/* manifests, layers, config */
	{"{" V "}", "manifests: ", "it is missing"},
	{"{" V ",'manifests':null}", "manifests: ", "it must be an array"},
	{"{" V ",'manifests':{}}", "manifests: ", "it must be an array"},
	{INDEX("1"), "manifests[0]: ", "it must be an object"},
	{INDEX(ITEM ",[]"), "manifests[1]: ", "it must be an object"},
	{INDEX(ITEM "," ITEM ",null"), "manifests[2]: ", "it must be an object"},
	{"{" V ",'layers':[]}", "config: ", "it is missing"},
	{"{" V ",'config':" CONFIG "}", "layers: ", "it is missing"},
	{"{" V ",'config':" CONFIG ",'layers':{}}", "layers: ", "it must be an array"},
	{"{" V ",'config':" CONFIG ",'layers':null}", "layers: ", "it must be an array"},
	{"{" V ",'config':null,'layers':[]}", "config: ", "it must be an object"},
	{"{" V ",'config':[],'layers':[]}", "config: ", "it must be an object"},
	{"{" V ",'config':{},'layers':[]}", "config.mediaType: ", "it is missing"},
	{LAYER("'x':1"), "layers[1].mediaType: ", "it is missing"},
	/* an empty config doesn't say what the artifact is */
	{"{" V ",'config':" EMPTY ",'layers':[]}", "artifactType: ", "it is missing"},
	{"{" V ",'config':" EMPTY ",'layers':[],'artifactType':null}",
		"artifactType: ", "it must be a string"},
	/* subject */
	{INDEX_WITH("'subject':'sha256:" HEX "'"), "subject: ", "it must be an object"},
	{INDEX_WITH("'subject':null"), "subject: ", "it must be an object"},
	{INDEX_WITH("'subject':{" TYPE "," DIGEST "}"), "subject.size: ", "it is missing"},
	{MANIFEST_WITH("'subject':" CONFIG),
		"subject.mediaType: ", "a subject is a manifest or an index"},
	/* annotations (annotations.md) */
	{INDEX_WITH("'annotations':null"), "annotations: ", "it must be an object"},
	{INDEX_WITH("'annotations':[]"), "annotations: ", "it must be an object"},
	{INDEX_WITH("'annotations':{'a':1}"), "annotations.a: ", "it must be a string"},
	{MANIFEST_WITH("'annotations':{'a':'','com.example.b':null}"),
		"annotations[\"com.example.b\"]: ", "it must be a string"},
	{ENTRY("'annotations':{'x':{}}"), "manifests[1].annotations.x: ", "it must be a string"},
	{LAYER(CORE ",'annotations':{'x':true}"),
		"layers[1].annotations.x: ", "it must be a string"},
	/* descriptors (descriptor.md) */
	{LAYER(DIGEST ",'size':2"), "layers[1].mediaType: ", "it is missing"},
	{LAYER("'mediaType':2," DIGEST ",'size':2"),
		"layers[1].mediaType: ", "it must be a string"},
	{LAYER("'mediaType':'tar'," DIGEST ",'size':2"),
		"layers[1].mediaType: ", "\"tar\" is not a media type"},
	{LAYER("'mediaType':'a/b; c=d'," DIGEST ",'size':2"),
		"layers[1].mediaType: ", "is not a media type"},
	{LAYER("'mediaType':'/b'," DIGEST ",'size':2"),
		"layers[1].mediaType: ", "is not a media type"},
	{LAYER("'mediaType':'a/b/c'," DIGEST ",'size':2"),
		"layers[1].mediaType: ", "is not a media type"},
	{LAYER("'mediaType':'a/\xc3\xa9'," DIGEST ",'size':2"),
		"layers[1].mediaType: ", "is not a media type"},
	{INDEX("{" TYPE ",'size':2}"), "manifests[0].digest: ", "it is missing"},
	{INDEX("{" TYPE ",'digest':2,'size':2}"), "manifests[0].digest: ", "it must be a string"},
	{INDEX("{" TYPE ",'digest':'','size':2}"), "manifests[0].digest: ", "is not a digest"},
	{INDEX("{" TYPE ",'digest':'md5','size':2}"),
		"manifests[0].digest: ", "\"md5\" is not a digest"},
	{INDEX("{" TYPE ",'digest':'sha256:','size':2}"),
		"manifests[0].digest: ", "is not a digest"},
	{INDEX("{" TYPE ",'digest':'sha256:abc','size':2}"),
		"manifests[0].digest: ", "is not a digest"},
	{INDEX("{" TYPE ",'digest':'sha256:" HEX "0','size':2}"),
		"manifests[0].digest: ", "is not a digest"},
	{INDEX("{" TYPE ",'digest':'sha512:" HEX "','size':2}"),
		"manifests[0].digest: ", "is not a digest"},
	{INDEX("{" TYPE ",'digest':'sha256:44136FA355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c0"
	       "60f61caaff8a','size':2}"),
		"manifests[0].digest: ", "is not a digest"},
	{INDEX("{" TYPE ",'digest':'SHA256:" HEX "','size':2}"),
		"manifests[0].digest: ", "is not a digest"},
	{INDEX("{" TYPE ",'digest':'a:b/../c','size':2}"),
		"manifests[0].digest: ", "is not a digest"},
	{INDEX("{" TYPE "," DIGEST "}"), "manifests[0].size: ", "it is missing"},
	{INDEX("{" TYPE "," DIGEST ",'size':'2'}"),
		"manifests[0].size: ", "must be a whole number"},
	{INDEX("{" TYPE "," DIGEST ",'size':-1}"), "manifests[0].size: ", "must be a whole number"},
	{INDEX("{" TYPE "," DIGEST ",'size':2.5}"),
		"manifests[0].size: ", "must be a whole number"},
	{INDEX("{" TYPE "," DIGEST ",'size':2e3}"),
		"manifests[0].size: ", "must be a whole number"},
	{INDEX("{" TYPE "," DIGEST ",'size':null}"),
		"manifests[0].size: ", "must be a whole number"},
	{INDEX("{" TYPE "," DIGEST ",'size':9223372036854775808}"),
		"manifests[0].size: ", "it is over 9007199254740992"},
	{INDEX("{" TYPE "," DIGEST ",'size':18446744073709551618}"),
		"manifests[0].size: ", "it is over 9007199254740992"},
	{ENTRY("'urls':'https://example.com'"), "manifests[1].urls: ", "it must be an array"},
	{ENTRY("'urls':[1]"), "manifests[1].urls[0]: ", "it must be a string"},
	{ENTRY("'urls':['https://example.com','/app']"),
		"manifests[1].urls[1]: ", "\"/app\" is not a URI"},
	{ENTRY("'urls':['']"), "manifests[1].urls[0]: ", "is not a URI"},
	{ENTRY("'urls':['https://example.com/a b']"), "manifests[1].urls[0]: ", "is not a URI"},
	{ENTRY("'urls':['https://example.com/%zz']"), "manifests[1].urls[0]: ", "is not a URI"},
	{ENTRY("'urls':['h\xc3\xa9://x']"), "manifests[1].urls[0]: ", "is not a URI"},
	{ENTRY("'urls':['1a:b']"), "manifests[1].urls[0]: ", "is not a URI"},
	{ENTRY("'artifactType':1"), "manifests[1].artifactType: ", "it must be a string"},
	{ENTRY("'artifactType':'a'"), "manifests[1].artifactType: ", "is not a media type"},
	/* data is the content: {} here */
	{ENTRY("'data':1"), "manifests[1].data: ", "it must be a string"},
	{ENTRY("'data':'{}'"), "manifests[1].data: ", "it is not base64"},
	{ENTRY("'data':'e30'"), "manifests[1].data: ", "it is not base64"},
	{ENTRY("'data':'e30=\\n'"), "manifests[1].data: ", "it is not base64"},
	{ENTRY("'data':'-_-_'"), "manifests[1].data: ", "it is not base64"},
	{ENTRY("'data':'e30K'"), "manifests[1]: ", "its data has 3 bytes, its size is 2"},
	{ENTRY("'data':''"), "manifests[1]: ", "its data has 0 bytes, its size is 2"},
	{ENTRY("'data':'W10='"), "manifests[1]: ", "its data: content has the digest"},
	/* platforms */
	{ENTRY("'platform':'linux/amd64'"), "manifests[1].platform: ", "it must be an object"},
	{ENTRY("'platform':null"), "manifests[1].platform: ", "it must be an object"},
	{PLATFORM(""), "manifests[1].platform.architecture: ", "it is missing"},
	{PLATFORM("'os':'linux'"), "manifests[1].platform.architecture: ", "it is missing"},
	{PLATFORM("'architecture':'arm'"), "manifests[1].platform.os: ", "it is missing"},
	{PLATFORM("'architecture':'arm','os':1"),
		"manifests[1].platform.os: ", "it must be a string"},
	{PLATFORM("'architecture':'','os':'linux'"),
		"manifests[1].platform.architecture: ", "it is empty"},
	{PLATFORM("'architecture':'arm','os':''"), "manifests[1].platform.os: ", "it is empty"},
	{PLATFORM("'architecture':'arm','os':'linux','variant':7"),
		"manifests[1].platform.variant: ", "it must be a string"},
	{PLATFORM("'architecture':'arm','os':'windows','os.version':10"),
		"manifests[1].platform[\"os.version\"]: ", "it must be a string"},
	{PLATFORM("'architecture':'arm','os':'windows','os.features':'win32k'"),
		"manifests[1].platform[\"os.features\"]: ", "it must be an array"},
	{PLATFORM("'architecture':'arm','os':'windows','os.features':['a',{}]"),
		"manifests[1].platform[\"os.features\"][1]: ", "it must be a string"},
	{PLATFORM("'architecture':'arm','os':'linux','features':'sse4'"),
		"manifests[1].platform.features: ", "it must be an array"},
};

/* In another descriptor than an entry the same is wrong. */
static const struct refused elsewhere[] = {
	{"{" V ",'config':{'mediaType':'a'," DIGEST ",'size':2},'layers':[]}",
		"config.mediaType: ", "is not a media type"},
	{"{" V ",'config':{'mediaType':'a/b'," DIGEST ",'size':-2},'layers':[]}",
		"config.size: ", "must be a whole number"},
	{INDEX_WITH("'subject':{" TYPE ",'digest':'x','size':2}"),
		"subject.digest: ", "is not a digest"},
	{LAYER(CORE ",'data':'W10='"), "layers[1]: ", "its data: content has the digest"},
};

static void unquote(char *text)
{
	for (char *c = text; *c; c++)
		if (*c == '\'')
			*c = '"';
}

static char *quoted(const char *text)
{
	char *copy = strdup(text);

	ck_assert_ptr_nonnull(copy);
	unquote(copy);
	return copy;
}

static void expect_refused(const struct refused *refused)
{
	cleanup_free char *json = quoted(refused->text);
	struct error err = ERROR_INIT;

	ck_assert_msg(
		document_check(json, strlen(json), DOCUMENT_EITHER, &err) == -1, "%s passed", json);
	ck_assert_int_eq(err.kind, ERROR_INVALID);
	ck_assert_msg(strncmp(err.message, refused->path, strlen(refused->path)) == 0, "%s: %s",
		json, err.message);
	ck_assert_msg(strstr(err.message, refused->fault) != NULL, "%s: %s", json, err.message);
	ck_assert_msg(strstr(err.message, "line ") != NULL, "%s", err.message);
}

START_TEST(refuses_what_breaks_a_must)
{
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		expect_refused(&faults[i]);
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(*elsewhere); i++)
		expect_refused(&elsewhere[i]);
}
END_TEST

static const char *const taken[] = {
	INDEX(""),
	INDEX(ITEM),
	INDEX_WITH("'mediaType':'" MEDIA_TYPE_INDEX "'"),
	INDEX_WITH("'mediaType':'" MEDIA_TYPE_DOCKER_LIST "'"),
	INDEX_WITH("'annotations':{},'artifactType':'a/b','subject':" ITEM),
	INDEX_WITH("'annotations':{'':'','a.b':'\\u0000\xf0\x9f\x8d\xba'}"),
	/* members that nobody knows, in any shape */
	INDEX_WITH("'x':[null,true,-1.5e-3,{'y':[]}]"),
	/* an entry of a type that nobody knows, and a nested index */
	INDEX("{'mediaType':'x/y'," DIGEST ",'size':0},"
	      "{'mediaType':'" MEDIA_TYPE_INDEX "'," DIGEST ",'size':9007199254740992}"),
	/* another algorithm */
	INDEX("{" TYPE ",'digest':'blake3:AZaz09=_-','size':1}"),
	ENTRY("'data':'e30='"),
	INDEX("{" TYPE ",'digest':'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b"
	      "7852b855','size':0,'data':''}"),
	INDEX("{" TYPE ",'digest':'x:y','size':2,'data':'AAA='}"),
	ENTRY("'urls':[]"),
	ENTRY("'urls':['https://example.com/a?b=%20#c','urn:x:1','s3+x://[::1]/']"),
	ENTRY("'artifactType':'application/vnd.x+json','annotations':{'a':'b'}"),
	PLATFORM("'architecture':'arm','os':'linux','variant':'v7'"),
	PLATFORM("'architecture':'unknown','os':'unknown'"),
	PLATFORM("'architecture':'amd64','os':'windows','os.version':'10.0.1','os.features':["
		 "'win32k'],'features':['sse4']"),
	"{" V ",'config':" CONFIG ",'layers':[" ITEM "]}",
	"{" V ",'config':" EMPTY ",'layers':[],'artifactType':'a/b'}",
	MANIFEST_WITH("'mediaType':'" MEDIA_TYPE_MANIFEST "'"),
	MANIFEST_WITH("'mediaType':'" MEDIA_TYPE_DOCKER_MANIFEST "'"),
	MANIFEST_WITH("'subject':{'mediaType':'" MEDIA_TYPE_INDEX "'," DIGEST ",'size':2}"),
	" \n{ " V " ,\t'manifests' : [ ] }\r\n",
};

START_TEST(takes_what_keeps_them)
{
	for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++) {
		cleanup_free char *json = quoted(taken[i]);
		cleanup_with(document_clear) struct document document = DOCUMENT_INIT;
		struct error err = ERROR_INIT;

		ck_assert_msg(document_check(json, strlen(json), DOCUMENT_EITHER, &err) == 0,
			"%s: %s", json, err.message);
		ck_assert_msg(document_parse(&document, NULL, json, strlen(json), &err) == 0,
			"%s: %s", json, err.message);
	}
}
END_TEST

START_TEST(takes_what_homebrew_publishes)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT(DOCUMENT_SIZE_MAX);
	FILE *file = fopen("tests/data/homebrew-oras-1.0.1.arm64_monterey.manifest.json", "re");
	struct error err = ERROR_INIT;
	char bytes[4096];
	size_t n;

	ck_assert_ptr_nonnull(file);
	while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
		ck_assert_int_eq(buf_append(&text, bytes, n), 0);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_msg(document_check(text.data, text.len, DOCUMENT_ONLY_MANIFEST, &err) == 0, "%s",
		err.message);
}
END_TEST

/* What this program itself makes. */
START_TEST(takes_what_we_make)
{
	static const struct {
		enum document_kind kind;
		enum document_expected expected;
		enum document_style style;
	} cases[] = {
		{DOCUMENT_INDEX, DOCUMENT_ONLY_INDEX, DOCUMENT_COMPACT},
		{DOCUMENT_INDEX, DOCUMENT_ONLY_INDEX, DOCUMENT_PRETTY},
		{DOCUMENT_MANIFEST, DOCUMENT_ONLY_MANIFEST, DOCUMENT_COMPACT},
		{DOCUMENT_MANIFEST, DOCUMENT_ONLY_MANIFEST, DOCUMENT_PRETTY},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		cleanup_with(document_clear) struct document document = DOCUMENT_INIT;
		struct error err = ERROR_INIT;

		ck_assert_int_eq(document_create(&document, cases[i].kind, ARTIFACT_TYPE_UNKNOWN,
					 cases[i].style, NULL),
			0);
		ck_assert_msg(document_check(document.json, document.json_len, cases[i].expected,
				      &err) == 0,
			"%s", err.message);
	}
}
END_TEST

START_TEST(the_kind_is_what_is_expected)
{
	static const struct {
		const char *text;
		enum document_expected expected;
		const char *fault;
	} cases[] = {
		{INDEX(ITEM), DOCUMENT_ONLY_INDEX, NULL},
		{INDEX(ITEM), DOCUMENT_ONLY_MANIFEST, "it is an index, not a manifest"},
		{MANIFEST_WITH("'x':1"), DOCUMENT_ONLY_MANIFEST, NULL},
		{MANIFEST_WITH("'x':1"), DOCUMENT_ONLY_INDEX, "it is a manifest, not an index"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		cleanup_free char *json = quoted(cases[i].text);
		struct error err = ERROR_INIT;
		int result = document_check(json, strlen(json), cases[i].expected, &err);

		ck_assert_msg(result == (cases[i].fault ? -1 : 0), "%zu: %s", i, err.message);
		if (cases[i].fault)
			ck_assert_msg(
				strstr(err.message, cases[i].fault) != NULL, "%s", err.message);
	}
}
END_TEST

START_TEST(a_descriptor_alone)
{
	static const struct {
		const char *text, *path; /* NULL: it passes */
	} cases[] = {
		{ITEM, NULL},
		{"{" CORE ",'x':{}}", NULL},
		{"{" TYPE "," DIGEST ",'size':-1}", "size: "},
		{"{" CORE ",'platform':{'os':'a'}}", "platform.architecture: "},
		{"{" CORE ",'annotations':{'a':'b','a':'b'}}", "annotations: "},
		{"{" CORE ",'data':'e30K'}", "line 1, column"},
		{"[]", "line 1, column 1: it must be an object"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		cleanup_free char *json = quoted(cases[i].text);
		struct error err = ERROR_INIT;
		int result = descriptor_check(json, strlen(json), &err);

		ck_assert_msg(result == (cases[i].path ? -1 : 0), "%zu: %s", i, err.message);
		if (cases[i].path)
			ck_assert_msg(
				strncmp(err.message, cases[i].path, strlen(cases[i].path)) == 0,
				"%s", err.message);
	}
}
END_TEST

START_TEST(a_place_has_its_line)
{
	cleanup_free char *json =
		quoted("{\n  " V ",\n  'manifests': [\n    {\n      'size': 2.5,\n      " TYPE
		       ",\n      " DIGEST "\n    }\n  ]\n}\n");
	struct error err = ERROR_INIT;

	ck_assert_int_eq(document_check(json, strlen(json), DOCUMENT_EITHER, &err), -1);
	ck_assert_str_eq(
		err.message, "manifests[0].size: line 5, column 15: it must be a whole number");
}
END_TEST

/* Appends text count times, then end. */
static void repeat(struct buf *out, const char *text, size_t count, const char *end)
{
	size_t len = strlen(text);
	cleanup_free char *many = malloc(len * count + 1);

	ck_assert_ptr_nonnull(many);
	for (size_t i = 0; i < count; i++)
		memcpy(many + i * len, text, len);
	ck_assert_int_eq(buf_append(out, many, len * count), 0);
	ck_assert_int_eq(buf_append_text(out, end), 0);
}

START_TEST(sizes_and_depths_have_limits)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT((size_t)16 << 20);
	struct error err = ERROR_INIT;

	/* 4 MiB pass, one byte more doesn't */
	repeat(&text, "{\"schemaVersion\":2,\"manifests\":[]}", 1, "");
	repeat(&text, " ", DOCUMENT_SIZE_MAX - text.len, "");
	ck_assert_int_eq(document_check(text.data, text.len, DOCUMENT_EITHER, &err), 0);
	repeat(&text, " ", 1, "");
	ck_assert_int_eq(document_check(text.data, text.len, DOCUMENT_EITHER, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_TOO_LARGE);
	error_clear(&err);
	/* 64 levels pass, one more doesn't */
	for (size_t depth = 63; depth <= 64; depth++) {
		buf_reset(&text);
		repeat(&text, "{\"schemaVersion\":2,\"manifests\":[],\"x\":", 1, "");
		repeat(&text, "[", depth, "");
		repeat(&text, "]", depth, "}");
		ck_assert_int_eq(document_check(text.data, text.len, DOCUMENT_EITHER, &err),
			depth == 63 ? 0 : -1);
	}
	ck_assert_msg(
		strstr(err.message, "nested deeper than 64 levels") != NULL, "%s", err.message);
	error_clear(&err);
	/* many values are too many */
	buf_reset(&text);
	repeat(&text, "{\"schemaVersion\":2,\"manifests\":[],\"x\":[1", 1, "");
	repeat(&text, ",1", (size_t)1 << 20, "]}");
	ck_assert_int_eq(document_check(text.data, text.len, DOCUMENT_EITHER, &err), -1);
	ck_assert_msg(strstr(err.message, "too many values") != NULL, "%s", err.message);
}
END_TEST

/* A path that doesn't fit is cut, and what was found is still said. */
START_TEST(a_long_path_is_cut)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT((size_t)1 << 20);
	struct error err = ERROR_INIT;

	repeat(&text, "{\"schemaVersion\":2,\"manifests\":[],\"x\":", 1, "");
	repeat(&text, "{\"a long name, and another\":", 60, "{\"y\":1,\"y\":1}");
	repeat(&text, "}", 61, "");
	ck_assert_int_eq(document_check(text.data, text.len, DOCUMENT_EITHER, &err), -1);
	ck_assert_msg(strncmp(err.message, "x[\"a long name, and another\"][", 30) == 0, "%s",
		err.message);
	ck_assert_msg(strstr(err.message, "\"y\" stands twice") != NULL, "%s", err.message);
}
END_TEST

/* For a test of the whole program: each as a file of its own, "PATH\nFAULT\n" and the document.
 * Check's assertions are for tests. */
static bool write_refused(const char *dir, const struct refused *refused, size_t number)
{
	cleanup_free char *json = strdup(refused->text), *path = NULL;
	FILE *file;

	if (!json || asprintf(&path, "%s/%03zu", dir, number) < 0)
		return false;
	unquote(json);
	file = fopen(path, "w");
	if (!file)
		return false;
	fprintf(file, "%s\n%s\n%s", refused->path, refused->fault, json);
	return fclose(file) == 0;
}

static int write_all(const char *dir)
{
	size_t number = 0;
	bool done = true;

	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		done &= write_refused(dir, &faults[i], number++);
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(*elsewhere); i++)
		done &= write_refused(dir, &elsewhere[i], number++);
	return done ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--write") == 0)
		return write_all(argv[2]);
	Suite *suite = suite_create("document_check");
	TCase *cases = tcase_create("document_check");

	tcase_set_timeout(cases, 20);
	tcase_add_test(cases, refuses_what_breaks_a_must);
	tcase_add_test(cases, takes_what_keeps_them);
	tcase_add_test(cases, takes_what_homebrew_publishes);
	tcase_add_test(cases, takes_what_we_make);
	tcase_add_test(cases, the_kind_is_what_is_expected);
	tcase_add_test(cases, a_descriptor_alone);
	tcase_add_test(cases, a_place_has_its_line);
	tcase_add_test(cases, sizes_and_depths_have_limits);
	tcase_add_test(cases, a_long_path_is_cut);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
