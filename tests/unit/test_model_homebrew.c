/* Homebrew's rules one by one, and a manifest that Homebrew itself has published. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "cleanup.h"
#include "homebrew.h"
#include "image_config.h"
#include "media_type.h"

#define OCI(name) "org.opencontainers.image." name
#define PUBLISHED "tests/data/homebrew-oras-1.0.1.arm64_monterey.manifest.json"
#define PUBLISHED_DIGEST "sha256:d0e42e6f6d564a9d1e178e72b42ff12b7e2e3c36cd32b44b150f7465c171db41"
#define BOTTLE_HEX "8690763d0a9d0be6574ee4cfdb8edbab302f232c8056bae2d0083f170719afed"
#define LAYER_TYPE "application/vnd.oci.image.layer.v1.tar+gzip"
#define ORAS_TAB                                                                                   \
	"{\"homebrew_version\":\"4.1.4-6-ga8022e6\",\"changed_files\":[],"                         \
	"\"source_modified_time\":1691075089,\"compiler\":\"clang\",\"runtime_dependencies\":[],"  \
	"\"arch\":\"arm64\",\"built_on\":{\"os\":\"Macintosh\",\"os_version\":\"macOS 12.6\","     \
	"\"cpu_family\":\"dunno\",\"xcode\":\"14.2\",\"clt\":\"14.2.0.0.1.1668646533\","           \
	"\"preferred_perl\":\"5.30\"}}"

/* What a folder holds, in one place, so that a test can say what is different. */
struct folder {
	const char *place, *file, *tab;
	const char *descriptor[6][2], *manifest[3][2]; /* beside the tab */
	const char *config_platform;
	size_t files;
};

struct made {
	struct homebrew_formula formula;
	struct homebrew_entry entry;
};

static void made_clear(struct made *made)
{
	homebrew_formula_clear(&made->formula);
	homebrew_entry_clear(&made->entry);
}

static void annotations_of(struct annotations *out, const char *const (*pairs)[2], size_t count)
{
	*out = (struct annotations)ANNOTATIONS_INIT;
	for (size_t i = 0; i < count && pairs[i][0]; i++)
		ck_assert_int_eq(annotations_set(out, pairs[i][0], pairs[i][1], NULL), 0);
}

static int formula_of(struct homebrew_formula *out, const char *const (*pairs)[2], size_t count,
	const char *tag, struct error *err)
{
	cleanup_with(annotations_clear) struct annotations given;

	annotations_of(&given, pairs, count);
	return homebrew_formula_read(out, &given, tag, err);
}

static void layer_of(struct descriptor *out, const char *file)
{
	cleanup_with(annotations_clear) struct annotations title = ANNOTATIONS_INIT;
	struct digest digest = {"sha256:" BOTTLE_HEX};

	ck_assert_int_eq(descriptor_create(out, LAYER_TYPE, &digest, 3436422, NULL), 0);
	ck_assert_int_eq(annotations_set(&title, ANNOTATION_TITLE, file, NULL), 0);
	ck_assert_int_eq(descriptor_set_annotations(out, &title, NULL), 0);
}

/* NULL stays NULL: the folder "any". */
static const struct platform *platform_of(struct platform *out, const char *place)
{
	if (!place)
		return NULL;
	ck_assert_int_eq(platform_parse(out, place, NULL), 0);
	return out;
}

static int entry_of(struct homebrew_entry *out, const struct homebrew_formula *formula,
	const struct folder *folder, struct error *err)
{
	cleanup_with(annotations_clear) struct annotations descriptor, manifest;
	cleanup_with(platform_clear) struct platform platform = PLATFORM_INIT;
	cleanup_with(platform_clear) struct platform config = PLATFORM_INIT;
	struct descriptor layers[2] = {DESCRIPTOR_INIT};
	struct digest diff_id;
	struct homebrew_bottle bottle = {
		.layers = layers,
		.layer_count = folder->files,
		.diff_id = &diff_id,
		.descriptor = &descriptor,
		.manifest = &manifest,
	};
	int result;

	digest_of_bytes(&diff_id, "tar", 3);
	layer_of(&layers[0], folder->file);
	layer_of(&layers[1], folder->file);
	annotations_of(&descriptor, folder->descriptor, 6);
	annotations_of(&manifest, folder->manifest, 3);
	if (folder->tab)
		ck_assert_int_eq(annotations_set(&descriptor, "sh.brew.tab", folder->tab, NULL), 0);
	bottle.platform = platform_of(&platform, folder->place);
	bottle.config_platform = platform_of(&config, folder->config_platform);
	result = homebrew_entry_make(out, formula, &bottle, err);
	descriptor_clear(&layers[0]);
	descriptor_clear(&layers[1]);
	return result;
}

static const char *const oras[][2] = {
	{OCI("title"), "oras"},
	{OCI("version"), "1.0.1"},
	{OCI("created"), "2023-08-07"},
	{OCI("description"), "OCI Registry As Storage"},
	{OCI("license"), "Apache-2.0"},
	{OCI("revision"), "7716dfd65ccfe0502f5acfc35b3e8c6aa4cc52b1"},
	{OCI("source"), "https://github.com/homebrew/homebrew-core/blob/"
			"7716dfd65ccfe0502f5acfc35b3e8c6aa4cc52b1/Formula/oras.rb"},
	{OCI("url"), "https://github.com/oras-project/oras"},
	{OCI("vendor"), "homebrew"},
};

#define ORAS_PAIRS (sizeof(oras) / sizeof(*oras))

static const struct folder oras_monterey = {
	.place = "darwin-arm64@macOS 12.6",
	.file = "oras--1.0.1.arm64_monterey.bottle.tar.gz",
	.tab = ORAS_TAB,
	.files = 1,
};

/* What the folder is made into, for the formula oras. */
static void oras_make(struct made *out, const struct folder *folder)
{
	struct error err = ERROR_INIT;

	ck_assert_msg(
		formula_of(&out->formula, oras, ORAS_PAIRS, "1.0.1", &err) == 0, "%s", err.message);
	ck_assert_msg(entry_of(&out->entry, &out->formula, folder, &err) == 0, "%s", err.message);
}

static void published_read(struct document *out)
{
	FILE *file = fopen(PUBLISHED, "re");
	char bytes[4096];
	size_t len;

	ck_assert_ptr_nonnull(file);
	len = fread(bytes, 1, sizeof(bytes), file);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(document_parse(out, NULL, bytes, len, NULL), 0);
	ck_assert_str_eq(out->digest.text, PUBLISHED_DIGEST);
}

/* The tar in that bottle isn't here, so that the config's digest is the published one. */
START_TEST(a_published_manifest_is_made_again)
{
	cleanup_with(document_clear) struct document published = DOCUMENT_INIT;
	cleanup_with(document_clear) struct document again = DOCUMENT_INIT;
	cleanup_with(descriptor_clear) struct descriptor layer = DESCRIPTOR_INIT;
	cleanup_with(made_clear) struct made made = {.formula = HOMEBREW_FORMULA_INIT};

	published_read(&published);
	layer_of(&layer, oras_monterey.file);
	oras_make(&made, &oras_monterey);
	ck_assert_uint_eq(made.entry.config_len, (size_t)published.config.size);
	ck_assert_int_eq(homebrew_manifest_make(&again, &published.config, &layer,
				 &made.entry.manifest.annotations, NULL),
		0);
	ck_assert_str_eq(again.json, published.json);
	ck_assert_str_eq(again.digest.text, PUBLISHED_DIGEST);
}
END_TEST

START_TEST(an_entry_names_its_manifest)
{
	cleanup_with(made_clear) struct made made = {.formula = HOMEBREW_FORMULA_INIT};
	cleanup_with(platform_clear) struct platform platform = PLATFORM_INIT;
	cleanup_free struct digest *diff_ids = NULL;
	const struct descriptor *entry = &made.entry.descriptor;
	struct digest diff_id;
	size_t count;

	oras_make(&made, &oras_monterey);
	ck_assert(digest_equal(&entry->digest, &made.entry.manifest.digest));
	ck_assert_int_eq(entry->size, (int64_t)made.entry.manifest.json_len);
	ck_assert_str_eq(entry->media_type, MEDIA_TYPE_MANIFEST);
	ck_assert_ptr_null(entry->artifact_type);
	ck_assert(digest_equal(&made.entry.manifest.config.digest, &made.entry.config_digest));
	ck_assert_str_eq(made.entry.manifest.config.media_type, MEDIA_TYPE_IMAGE_CONFIG);
	ck_assert_ptr_null(strstr(made.entry.manifest.json, "image.manifest"));
	ck_assert(image_config_platform(&platform, made.entry.config, made.entry.config_len));
	ck_assert(platform_equal(&platform, &entry->platform));
	ck_assert_int_eq(image_config_diff_ids(
				 &diff_ids, &count, made.entry.config, made.entry.config_len, NULL),
		0);
	digest_of_bytes(&diff_id, "tar", 3);
	ck_assert_uint_eq(count, 1);
	ck_assert(digest_equal(&diff_ids[0], &diff_id));
}
END_TEST

static void expect_keys(const struct annotations *found, const char *const *keys, size_t count)
{
	for (size_t i = 0; i < count && i < found->count; i++)
		ck_assert_str_eq(found->items[i].key, keys[i]);
	ck_assert_uint_eq(found->count, count);
}

START_TEST(an_index_has_homebrews_order)
{
	static const char *const given[][2] = {
		{"com.example.mine", "kept"},
		{OCI("version"), "1.0"},
		{OCI("vendor"), "team"},
		{OCI("title"), "team/tap/thing"},
		{OCI("licenses"), "MIT"},
		{OCI("revision"), " \t\n"},
		{OCI("source"), ""},
		{OCI("created"), "2026-01-02T03:04:05Z"},
		{OCI("url"), "https://example.com"},
		{OCI("documentation"), "https://github.com/team/homebrew-tap"},
		{ANNOTATION_REF_NAME, "whatever"},
		{"com.github.package.type", "whatever"},
		{OCI("description"), "  caf\xc3\xa9 \xf0\x9f\x8d\xba  "},
		{"com.example.blank", "  "},
	};
	static const char *const keys[] = {"com.github.package.type", OCI("created"),
		OCI("description"), OCI("documentation"), OCI("licenses"), ANNOTATION_REF_NAME,
		OCI("title"), OCI("url"), OCI("vendor"), OCI("version"), "com.example.mine"};
	cleanup_with(homebrew_formula_clear) struct homebrew_formula formula =
		HOMEBREW_FORMULA_INIT;
	const struct annotations *a = &formula.annotations;

	ck_assert_int_eq(
		formula_of(&formula, given, sizeof(given) / sizeof(*given), "1.0-3", NULL), 0);
	expect_keys(a, keys, sizeof(keys) / sizeof(*keys));
	ck_assert_str_eq(annotations_get(a, "com.github.package.type"), "homebrew_bottle");
	ck_assert_str_eq(annotations_get(a, ANNOTATION_REF_NAME), "1.0-3");
	ck_assert_str_eq(annotations_get(a, OCI("description")), "caf");
	ck_assert_str_eq(formula.version, "1.0");
	ck_assert_str_eq(formula.rebuild, "3");
	ck_assert_str_eq(formula.license, "MIT");
}
END_TEST

START_TEST(a_tag_is_a_version_and_a_rebuild)
{
	static const struct {
		const char *version, *tag, *want_version, *want_rebuild; /* NULL: refused; none */
	} cases[] = {
		{"1.0", "1.0", "1.0", NULL},
		{"1.0", "1.0-1", "1.0", "1"},
		{"1.0_2", "1.0_2-10", "1.0_2", "10"},
		{"1.0-rc1", "1.0-rc1", "1.0-rc1", NULL},
		{"1.0-1", "1.0-1-2", "1.0-1", "2"},
		/* no version said: the tag is one */
		{"", "1.0-1", "1.0-1", NULL},
		{" ", "2.0", "2.0", NULL},
		{"1.0", "1.0-0", NULL, NULL},
		{"1.0", "1.0-01", NULL, NULL},
		{"1.0", "1.0-", NULL, NULL},
		{"1.0", "1.0-x", NULL, NULL},
		{"1.0", "1.0-1x", NULL, NULL},
		{"1.0", "1.0-9999999999", NULL, NULL},
		{"1.0", "1.0.1", NULL, NULL},
		{"1.0.1", "1.0", NULL, NULL},
		{"1.0", "latest", NULL, NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *const given[][2] = {
			{OCI("title"), "x"}, {OCI("version"), cases[i].version}};
		struct homebrew_formula formula;
		struct error err = ERROR_INIT;
		int result = formula_of(&formula, given, 2, cases[i].tag, &err);

		ck_assert_msg(result == (cases[i].want_version ? 0 : -1), "%s %s: %s",
			cases[i].version, cases[i].tag, err.message);
		if (result) {
			ck_assert_int_eq(err.kind, ERROR_INVALID);
			ck_assert_msg(strstr(err.message, cases[i].tag) != NULL, "%s", err.message);
			ck_assert_ptr_null(formula.version);
			continue;
		}
		ck_assert_str_eq(formula.version, cases[i].want_version);
		ck_assert_pstr_eq(formula.rebuild, cases[i].want_rebuild);
		ck_assert_str_eq(
			annotations_get(&formula.annotations, ANNOTATION_REF_NAME), cases[i].tag);
		homebrew_formula_clear(&formula);
	}
}
END_TEST

START_TEST(a_formula_has_a_name)
{
	static const char *const given[][2] = {{OCI("version"), "1"}, {OCI("title"), " "}};
	struct homebrew_formula formula;

	for (size_t count = 1; count <= 2; count++) {
		struct error err = ERROR_INIT;

		ck_assert_int_eq(formula_of(&formula, given, count, "1", &err), -1);
		ck_assert_int_eq(err.kind, ERROR_INVALID);
		ck_assert_msg(
			strstr(err.message, OCI("title is missing")) != NULL, "%s", err.message);
	}
}
END_TEST

#define TEN "1234567890"
#define FIFTY TEN TEN TEN TEN TEN
#define CUT " AND LicenseRef-Homebrew-truncated"
#define NOT_SAYABLE "LicenseRef-Homebrew-cannot-represent"

START_TEST(a_long_license_is_cut)
{
	/* 34 bytes of CUT leave 221 for what is kept */
	static const struct {
		const char *license, *want;
	} cases[] = {
		{"MIT AND Apache-2.0", "MIT AND Apache-2.0"},
		{FIFTY FIFTY FIFTY FIFTY FIFTY "12345", FIFTY FIFTY FIFTY FIFTY FIFTY "12345"},
		{FIFTY FIFTY FIFTY FIFTY FIFTY "123456", NOT_SAYABLE},
		{"MIT AND " FIFTY FIFTY FIFTY FIFTY FIFTY, "MIT" CUT},
		{FIFTY FIFTY FIFTY FIFTY TEN TEN "1 AND " FIFTY,
			FIFTY FIFTY FIFTY FIFTY TEN TEN "1" CUT},
		{FIFTY FIFTY FIFTY FIFTY TEN TEN "12 AND " FIFTY, NOT_SAYABLE},
		{"A AND B AND " FIFTY FIFTY FIFTY FIFTY " AND C AND " FIFTY,
			"A AND B AND " FIFTY FIFTY FIFTY FIFTY " AND C" CUT},
		{"MIT OR " FIFTY FIFTY FIFTY FIFTY FIFTY, NOT_SAYABLE},
		/* only what is not in brackets ends a term */
		{"(A AND B) AND " FIFTY FIFTY FIFTY FIFTY FIFTY, "(A AND B)" CUT},
		{"((A AND B) OR (C AND D)) AND " FIFTY FIFTY FIFTY FIFTY FIFTY,
			"((A AND B) OR (C AND D))" CUT},
		{"(A AND " FIFTY FIFTY FIFTY FIFTY FIFTY ") AND B", NOT_SAYABLE},
		/* AND binds tighter than OR */
		{"MIT AND " FIFTY FIFTY FIFTY FIFTY FIFTY " OR ISC", NOT_SAYABLE},
		{"MIT OR ISC AND " FIFTY FIFTY FIFTY FIFTY FIFTY, NOT_SAYABLE},
		{"MIT AND (" FIFTY FIFTY FIFTY FIFTY FIFTY " OR ISC)", "MIT" CUT},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *const given[][2] = {
			{OCI("title"), "x"}, {OCI("licenses"), cases[i].license}};
		cleanup_with(homebrew_formula_clear) struct homebrew_formula formula =
			HOMEBREW_FORMULA_INIT;

		ck_assert_int_eq(formula_of(&formula, given, 2, "1", NULL), 0);
		ck_assert_str_eq(
			annotations_get(&formula.annotations, OCI("licenses")), cases[i].want);
		ck_assert_uint_le(strlen(cases[i].want), 255);
		ck_assert_str_eq(formula.license, cases[i].license);
	}
}
END_TEST

/* The descriptor of an entry has the license in full, unless it's told another one. */
START_TEST(an_entry_has_the_whole_license)
{
	static const char license[] = "MIT AND " FIFTY FIFTY FIFTY FIFTY FIFTY;
	static const char *const given[][2] = {{OCI("title"), "oras"}, {OCI("licenses"), license}};
	struct folder told = oras_monterey;

	told.descriptor[0][0] = "sh.brew.license";
	told.descriptor[0][1] = "ISC";
	for (int i = 0; i < 2; i++) {
		cleanup_with(made_clear) struct made made = {.formula = HOMEBREW_FORMULA_INIT};

		ck_assert_int_eq(formula_of(&made.formula, given, 2, "1.0.1", NULL), 0);
		ck_assert_int_eq(
			entry_of(&made.entry, &made.formula, i ? &told : &oras_monterey, NULL), 0);
		ck_assert_str_eq(
			annotations_get(&made.entry.descriptor.annotations, "sh.brew.license"),
			i ? "ISC" : license);
		ck_assert_str_eq(annotations_get(&made.entry.manifest.annotations, OCI("licenses")),
			"MIT" CUT);
	}
}
END_TEST

#define TAB_ON(arch, built_on) "{\"arch\":" arch ",\"built_on\":" built_on "}"
#define MAC(version) "{\"os\":\"Macintosh\",\"os_version\":" version "}"
#define LINUX(version) "{\"os\":\"Linux\",\"os_version\":" version "}"

START_TEST(a_platform_is_what_tab_and_name_say)
{
	static const struct {
		const char *tag, *tab, *place, *ref_name;
	} cases[] = {
		{"arm64_sequoia", TAB_ON("\"arm64\"", MAC("\"macOS 15.5\"")),
			"darwin-arm64@macOS 15.5", "1.0.1.arm64_sequoia"},
		{"arm64_tahoe", TAB_ON("null", "null"), "darwin-arm64@macOS 26",
			"1.0.1.arm64_tahoe"},
		{"arm64_golden_gate", "{}", "darwin-arm64@macOS 27", "1.0.1.arm64_golden_gate"},
		{"sonoma", "{}", "darwin-amd64@macOS 14", "1.0.1.sonoma"},
		{"big_sur", TAB_ON("\"x86_64\"", MAC("\"\"")), "darwin-amd64@macOS 11",
			"1.0.1.big_sur"},
		{"catalina", TAB_ON("\" \"", "{}"), "darwin-amd64@macOS 10.15", "1.0.1.catalina"},
		{"arm64_unheard_of", TAB_ON("\"arm64\"", MAC("\"macOS 99\"")),
			"darwin-arm64@macOS 99", "1.0.1.arm64_unheard_of"},
		{"x86_64_linux", TAB_ON("\"x86_64\"", LINUX("\"Ubuntu 22.04.5 LTS\"")),
			"linux-amd64@Ubuntu 22.04.5", "1.0.1.x86_64_linux"},
		{"arm64_linux", "{}", "linux-arm64@Ubuntu 24.04", "1.0.1.arm64_linux"},
		{"x86_64_linux", TAB_ON("\"x86_64\"", LINUX("\"Debian 12\"")),
			"linux-amd64@Debian 12", "1.0.1.x86_64_linux"},
		/* the tab counts before the name */
		{"x86_64_linux", TAB_ON("\"arm64\"", MAC("\"macOS 12\"")), "darwin-arm64@macOS 12",
			"1.0.1.x86_64_linux"},
		/* other spellings of an architecture */
		{"x86_64_sonoma", "{}", "darwin-amd64@macOS 14", "1.0.1.sonoma"},
		{"aarch64_linux", "{}", "linux-arm64@Ubuntu 24.04", "1.0.1.arm64_linux"},
		{"intel_ventura", "{}", "darwin-amd64@macOS 13", "1.0.1.ventura"},
		{"arm_ventura", "{}", "darwin-arm64@macOS 13", "1.0.1.arm64_ventura"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		cleanup_with(made_clear) struct made made = {.formula = HOMEBREW_FORMULA_INIT};
		char file[128], name[FOLDER_NAME_SIZE];
		struct folder folder = {
			.place = cases[i].place, .tab = cases[i].tab, .file = file, .files = 1};

		snprintf(file, sizeof(file), "oras--1.0.1.%s.bottle.tar.gz", cases[i].tag);
		oras_make(&made, &folder);
		ck_assert(platform_name(name, &made.entry.descriptor.platform));
		ck_assert_str_eq(name, cases[i].place);
		ck_assert_str_eq(
			annotations_get(&made.entry.descriptor.annotations, ANNOTATION_REF_NAME),
			cases[i].ref_name);
	}
}
END_TEST

START_TEST(a_linux_bottle_says_what_it_needs)
{
	static const struct {
		const char *tab, *given_cpu, *cpu, *glibc;
	} cases[] = {
		{TAB_ON("\"x86_64\"", LINUX("null")), NULL, "core2", "2.39"},
		{TAB_ON("\"x86_64\"", LINUX("null")), "nehalem", "nehalem", "2.39"},
		{TAB_ON("\"x86_64\"",
			 "{\"os\":\"Linux\",\"oldest_cpu_family\":\"zen\",\"glibc_version\":\"2."
			 "35\"}"),
			"nehalem", "zen", "2.35"},
	};
	static const char *const keys[] = {ANNOTATION_REF_NAME, "sh.brew.bottle.cpu.variant",
		"sh.brew.bottle.digest", "sh.brew.bottle.glibc.version", "sh.brew.bottle.size",
		"sh.brew.bottle.installed_size", "sh.brew.tab", "sh.brew.sbom.supplement",
		"sh.brew.path_exec_files", "com.example.mine"};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		cleanup_with(made_clear) struct made made = {.formula = HOMEBREW_FORMULA_INIT};
		const struct annotations *a = &made.entry.descriptor.annotations;
		struct folder folder = {
			.place = "linux-amd64@Ubuntu 24.04",
			.file = "oras--1.0.1.x86_64_linux.bottle.tar.gz",
			.tab = cases[i].tab,
			.descriptor = {{"com.example.mine", "kept"},
				{"sh.brew.path_exec_files", "bin/oras"},
				{"sh.brew.sbom.supplement", "{}"},
				{"sh.brew.bottle.installed_size", "7"},
				{"sh.brew.bottle.digest", "stale"},
				{cases[i].given_cpu ? "sh.brew.bottle.cpu.variant" : NULL,
					cases[i].given_cpu}},
			.files = 1,
		};

		oras_make(&made, &folder);
		expect_keys(a, keys, sizeof(keys) / sizeof(*keys));
		ck_assert_str_eq(annotations_get(a, "sh.brew.bottle.cpu.variant"), cases[i].cpu);
		ck_assert_str_eq(
			annotations_get(a, "sh.brew.bottle.glibc.version"), cases[i].glibc);
		ck_assert_str_eq(annotations_get(a, "sh.brew.bottle.digest"), BOTTLE_HEX);
		ck_assert_str_eq(annotations_get(a, "sh.brew.bottle.size"), "3436422");
	}
}
END_TEST

START_TEST(a_mac_bottle_says_nothing_of_glibc)
{
	cleanup_with(made_clear) struct made made = {.formula = HOMEBREW_FORMULA_INIT};
	static const char *const keys[] = {
		ANNOTATION_REF_NAME, "sh.brew.bottle.digest", "sh.brew.bottle.size", "sh.brew.tab"};

	oras_make(&made, &oras_monterey);
	expect_keys(&made.entry.descriptor.annotations, keys, sizeof(keys) / sizeof(*keys));
}
END_TEST

START_TEST(a_tab_is_compact)
{
	cleanup_with(made_clear) struct made made = {.formula = HOMEBREW_FORMULA_INIT};
	struct folder folder = oras_monterey;

	folder.tab =
		" {\n \"b\" : [ 1.50, \"a\\/\\u00e9  b\" ],\t\"arch\": \"arm64\", \"built_on\":"
		" {\"os_version\" : \"macOS 12.6\"}, \"z\": { } }\n";
	oras_make(&made, &folder);
	ck_assert_str_eq(annotations_get(&made.entry.descriptor.annotations, "sh.brew.tab"),
		"{\"b\":[1.50,\"a\\/\\u00e9  b\"],\"arch\":\"arm64\",\"built_on\":{\"os_version\":"
		"\"macOS 12.6\"},\"z\":{}}");
}
END_TEST

START_TEST(an_all_bottle_has_no_platform)
{
	static const struct {
		const char *tab, *config_platform, *want_tab, *want_config;
	} cases[] = {
		{"{\"a\":1,\"arch\":\"arm64\",\"built_on\":" MAC("\"macOS 15.5\"") ",\"z\":2}",
			"linux-amd64@unused", "{\"a\":1,\"z\":2}", "darwin-arm64@macOS 15.5"},
		{TAB_ON("\"x86_64\"", LINUX("\"Ubuntu 22.04\"")), NULL, "{}",
			"linux-amd64@Ubuntu 22.04"},
		/* as it's read back from where it was published */
		{"{\"a\":1}", "darwin-arm64@macOS 15.5", "{\"a\":1}", "darwin-arm64@macOS 15.5"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		cleanup_with(made_clear) struct made made = {.formula = HOMEBREW_FORMULA_INIT};
		cleanup_with(platform_clear) struct platform config = PLATFORM_INIT;
		struct folder folder = {.file = "oras--1.0.1.all.bottle.tar.gz",
			.tab = cases[i].tab,
			.config_platform = cases[i].config_platform,
			.files = 1};
		const struct descriptor *entry = &made.entry.descriptor;
		char name[FOLDER_NAME_SIZE];

		oras_make(&made, &folder);
		ck_assert(!entry->has_platform);
		ck_assert_ptr_null(strstr(entry->json, "platform"));
		ck_assert_str_eq(
			annotations_get(&entry->annotations, ANNOTATION_REF_NAME), "1.0.1.all");
		ck_assert_str_eq(
			annotations_get(&entry->annotations, "sh.brew.tab"), cases[i].want_tab);
		ck_assert(image_config_platform(&config, made.entry.config, made.entry.config_len));
		ck_assert(platform_name(name, &config));
		ck_assert_str_eq(name, cases[i].want_config);
	}
}
END_TEST

/* created is of the bottle; what isn't Homebrew's stays; all else follows the index. */
START_TEST(a_manifest_is_the_union)
{
	cleanup_with(made_clear) struct made made = {.formula = HOMEBREW_FORMULA_INIT};
	const struct annotations *a = &made.entry.manifest.annotations;
	struct folder folder = oras_monterey;

	folder.manifest[0][0] = OCI("created");
	folder.manifest[0][1] = "2026-01-02T03:04:05Z";
	folder.manifest[1][0] = OCI("vendor");
	folder.manifest[1][1] = "stale";
	folder.manifest[2][0] = "com.example.mine";
	folder.manifest[2][1] = "kept";
	oras_make(&made, &folder);
	ck_assert_str_eq(annotations_get(a, OCI("created")), "2026-01-02T03:04:05Z");
	ck_assert_str_eq(annotations_get(a, OCI("vendor")), "homebrew");
	ck_assert_str_eq(annotations_get(a, "com.example.mine"), "kept");
	ck_assert_str_eq(annotations_get(a, OCI("title")), "oras 1.0.1.arm64_monterey");
	for (size_t i = 1; i < a->count; i++)
		ck_assert_int_lt(strcmp(a->items[i - 1].key, a->items[i].key), 0);
	ck_assert_str_eq(annotations_get(&made.formula.annotations, OCI("created")), "2023-08-07");
}
END_TEST

START_TEST(file_names)
{
	static const struct {
		const char *title, *tag, *file;
		bool good;
	} cases[] = {
		{"oras", "1.0", "oras--1.0.sonoma.bottle.tar.gz", true},
		{"oras", "1.0-2", "oras--1.0.sonoma.bottle.2.tar.gz", true},
		{"oras", "1.0-2", "oras--1.0.sonoma.2.bottle.tar.gz", true},
		{"team/tap/oras", "1.0", "oras--1.0.sonoma.bottle.tar.gz", true},
		{"c++@2", "1.0", "c++@2--1.0.sonoma.bottle.tar.gz", true},
		{"oras", "1.0", "oras--1.0.sonoma.bottle.1.tar.gz", false},
		{"oras", "1.0-2", "oras--1.0.sonoma.bottle.tar.gz", false},
		{"oras", "1.0-2", "oras--1.0.sonoma.bottle.3.tar.gz", false},
		{"oras", "1.0", "oras-1.0.sonoma.bottle.tar.gz", false},
		{"oras", "1.0", "oras--1.1.sonoma.bottle.tar.gz", false},
		{"oras", "1.0", "oras--1.0.1.sonoma.bottle.tar.gz", false},
		{"oras", "1.0", "other--1.0.sonoma.bottle.tar.gz", false},
		{"oras", "1.0", "oras--1.0..bottle.tar.gz", false},
		{"oras", "1.0", "oras--1.0.Sonoma.bottle.tar.gz", false},
		{"oras", "1.0", "oras--1.0.sonoma.bottle.tar", false},
		{"oras", "1.0", "oras--1.0.sonoma.tar.gz", false},
		{"oras", "1.0", "sub/oras--1.0.sonoma.bottle.tar.gz", false},
		{"oras", "1.0", "oras--1.0." FIFTY "1234567_sonoma.bottle.tar.gz", false},
		{"oras", "1.0", "oras", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *const given[][2] = {
			{OCI("title"), cases[i].title}, {OCI("version"), "1.0"}};
		cleanup_with(made_clear) struct made made = {.formula = HOMEBREW_FORMULA_INIT};
		struct error err = ERROR_INIT;
		struct folder folder = {.place = "darwin-amd64@macOS 14",
			.file = cases[i].file,
			.tab = "{}",
			.files = 1};

		ck_assert_int_eq(formula_of(&made.formula, given, 2, cases[i].tag, NULL), 0);
		ck_assert_msg(entry_of(&made.entry, &made.formula, &folder, &err) ==
				      (cases[i].good ? 0 : -1),
			"%s: %s", cases[i].file, err.message);
		if (cases[i].good)
			continue;
		ck_assert_int_eq(err.kind, ERROR_INVALID);
		ck_assert_msg(strstr(err.message, "isn't the name of a bottle of oras 1.0: "
						  "oras--1.0.TAG.bottle") != NULL,
			"%s", err.message);
	}
}
END_TEST

START_TEST(a_folder_that_does_not_fit_is_told)
{
	static const struct {
		struct folder folder;
		const char *message;
	} cases[] = {
		{{.place = "darwin-arm64@macOS 12",
			 .file = "oras--1.0.1.arm64_monterey.bottle.tar.gz",
			 .tab = ORAS_TAB,
			 .files = 1},
			"belongs in the folder \"darwin-arm64@macOS 12.6\""},
		{{.place = "darwin-arm64",
			 .file = "oras--1.0.1.arm64_monterey.bottle.tar.gz",
			 .tab = ORAS_TAB,
			 .files = 1},
			"belongs in the folder \"darwin-arm64@macOS 12.6\""},
		{{.file = "oras--1.0.1.arm64_monterey.bottle.tar.gz", .tab = ORAS_TAB, .files = 1},
			"belongs in the folder \"darwin-arm64@macOS 12.6\""},
		{{.place = "darwin-arm64@macOS 12.6",
			 .file = "oras--1.0.1.all.bottle.tar.gz",
			 .tab = ORAS_TAB,
			 .files = 1},
			"belongs in the folder \"any\""},
		{{.place = "darwin-arm64@macOS 12.6",
			 .file = "oras--1.0.1.arm64_monterey.bottle.tar.gz",
			 .tab = ORAS_TAB},
			"one bottle for each platform, here are 0 files"},
		{{.place = "darwin-arm64@macOS 12.6",
			 .file = "oras--1.0.1.arm64_monterey.bottle.tar.gz",
			 .tab = ORAS_TAB,
			 .files = 2},
			"one bottle for each platform, here are 2 files"},
		{{.place = "darwin-arm64@macOS 12.6",
			 .file = "oras--1.0.1.arm64_monterey.bottle.tar.gz",
			 .files = 1},
			"$descriptor has no sh.brew.tab"},
		{{.place = "darwin-arm64@macOS 12.6",
			 .file = "oras--1.0.1.arm64_monterey.bottle.tar.gz",
			 .tab = " ",
			 .files = 1},
			"$descriptor has no sh.brew.tab"},
		{{.place = "darwin-arm64@macOS 12.6",
			 .file = "oras--1.0.1.arm64_monterey.bottle.tar.gz",
			 .tab = "{\n\"a\":}",
			 .files = 1},
			"sh.brew.tab: line 2, column 5"},
		{{.place = "darwin-arm64@macOS 12.6",
			 .file = "oras--1.0.1.arm64_monterey.bottle.tar.gz",
			 .tab = "[]",
			 .files = 1},
			"a tab must be an object"},
		{{.place = "darwin-arm64@macOS 12.6",
			 .file = "oras--1.0.1.arm64_monterey.bottle.tar.gz",
			 .tab = "{\"built_on\":[]}",
			 .files = 1},
			"built_on must be an object"},
		{{.place = "darwin-arm64@macOS 12.6",
			 .file = "oras--1.0.1.arm64_monterey.bottle.tar.gz",
			 .tab = "{\"arch\":1}",
			 .files = 1},
			"arch must be a string"},
		{{.place = "darwin-arm64@macOS 12.6",
			 .file = "oras--1.0.1.arm64_monterey.bottle.tar.gz",
			 .tab = "{\"arch\":\"ppc64\"}",
			 .files = 1},
			"arch is \"ppc64\""},
		{{.place = "darwin-arm64@macOS 12.6",
			 .file = "oras--1.0.1.arm64_monterey.bottle.tar.gz",
			 .tab = TAB_ON("\"arm64\"", "{\"os\":\"BeOS\"}"),
			 .files = 1},
			"built_on.os is \"BeOS\""},
		{{.place = "darwin-arm64@macOS 12.6",
			 .file = "oras--1.0.1.arm64_unheard_of.bottle.tar.gz",
			 .tab = "{}",
			 .files = 1},
			"the macOS of \"arm64_unheard_of\" isn't known"},
		{{.file = "oras--1.0.1.all.bottle.tar.gz", .tab = "{}", .files = 1},
			"arch is \"\""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		cleanup_with(made_clear) struct made made = {.formula = HOMEBREW_FORMULA_INIT};
		struct error err = ERROR_INIT;

		ck_assert_int_eq(formula_of(&made.formula, oras, ORAS_PAIRS, "1.0.1", NULL), 0);
		ck_assert_msg(entry_of(&made.entry, &made.formula, &cases[i].folder, &err) == -1,
			"%zu passed", i);
		ck_assert_int_eq(err.kind, ERROR_INVALID);
		ck_assert_msg(
			strstr(err.message, cases[i].message) != NULL, "%zu: %s", i, err.message);
		ck_assert_ptr_null(made.entry.config);
	}
}
END_TEST

START_TEST(an_index_is_pretty_and_bare)
{
	static const char *const given[][2] = {{OCI("title"), "x"}};
	cleanup_with(homebrew_formula_clear) struct homebrew_formula formula =
		HOMEBREW_FORMULA_INIT;
	cleanup_with(document_clear) struct document index = DOCUMENT_INIT;

	ck_assert_int_eq(formula_of(&formula, given, 1, "1", NULL), 0);
	ck_assert_int_eq(homebrew_index_make(&index, NULL, &formula, NULL, 0, NULL), 0);
	ck_assert_int_eq(index.kind, DOCUMENT_INDEX);
	ck_assert_str_eq(index.json,
		"{\n  \"schemaVersion\": 2,\n  \"manifests\": [],\n  \"annotations\": {\n"
		"    \"com.github.package.type\": \"homebrew_bottle\",\n"
		"    \"org.opencontainers.image.documentation\": "
		"\"https://formulae.brew.sh/formula/x\",\n"
		"    \"org.opencontainers.image.ref.name\": \"1\",\n"
		"    \"org.opencontainers.image.title\": \"x\",\n"
		"    \"org.opencontainers.image.version\": \"1\"\n  }\n}");
}
END_TEST

START_TEST(a_base_keeps_what_it_has)
{
	static const char text[] = "{\"x\":1,\"schemaVersion\":2,\"manifests\":[],\"annotations\":"
				   "{\"org.opencontainers.image.title\":\"oras\",\"k\":\"v\"}}";
	static const char *const given[][2] = {{OCI("title"), "oras"}, {"k", "v"}};
	cleanup_with(homebrew_formula_clear) struct homebrew_formula formula =
		HOMEBREW_FORMULA_INIT;
	cleanup_with(document_clear) struct document index = DOCUMENT_INIT, base = DOCUMENT_INIT;

	ck_assert_int_eq(document_parse(&base, NULL, text, strlen(text), NULL), 0);
	ck_assert_int_eq(formula_of(&formula, given, 2, "1.0.1", NULL), 0);
	ck_assert_int_eq(homebrew_index_make(&index, &base, &formula, NULL, 0, NULL), 0);
	ck_assert_msg(strncmp(index.json, text, strlen(text) - 2) == 0, "%s", index.json);
	ck_assert_msg(strstr(index.json, "\"k\":\"v\",\"com.github.package.type\":") != NULL, "%s",
		index.json);
}
END_TEST

START_TEST(a_ref_name_stands_once)
{
	cleanup_with(made_clear) struct made made = {.formula = HOMEBREW_FORMULA_INIT};
	struct document index = DOCUMENT_INIT;
	struct descriptor twice[2];
	struct error err = ERROR_INIT;

	oras_make(&made, &oras_monterey);
	twice[0] = twice[1] = made.entry.descriptor;
	ck_assert_int_eq(homebrew_index_make(&index, NULL, &made.formula, twice, 2, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_INVALID);
	ck_assert_str_eq(err.message, "two folders have a bottle \"1.0.1.arm64_monterey\"");
	ck_assert_ptr_null(index.json);
}
END_TEST

START_TEST(an_index_has_a_size)
{
	cleanup_with(annotations_clear) struct annotations given = ANNOTATIONS_INIT;
	cleanup_with(document_clear) struct document index = DOCUMENT_INIT;
	size_t len = DOCUMENT_SIZE_MAX - 1;

	ck_assert_int_eq(annotations_set(&given, OCI("title"), "x", NULL), 0);
	/* first to find out how much fits, then that, then one more */
	for (int i = 0; i < 3; i++) {
		cleanup_with(homebrew_formula_clear) struct homebrew_formula formula =
			HOMEBREW_FORMULA_INIT;
		cleanup_free char *filler = malloc(len + 1);
		struct error err = ERROR_INIT;
		int result;

		ck_assert_ptr_nonnull(filler);
		memset(filler, 'x', i == 0 ? 1 : len);
		filler[i == 0 ? 1 : len] = '\0';
		ck_assert_int_eq(annotations_set(&given, "filler", filler, NULL), 0);
		ck_assert_int_eq(homebrew_formula_read(&formula, &given, "1", NULL), 0);
		result = homebrew_index_make(&index, NULL, &formula, NULL, 0, &err);
		ck_assert_int_eq(result, i < 2 ? 0 : -1);
		if (i == 0)
			len = DOCUMENT_SIZE_MAX - index.json_len;
		else if (i == 1)
			ck_assert_uint_eq(index.json_len, DOCUMENT_SIZE_MAX - 1);
		else
			ck_assert_int_eq(err.kind, ERROR_TOO_LARGE);
		len += i == 1;
		document_clear(&index);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("homebrew");
	TCase *cases = tcase_create("homebrew");

	tcase_set_timeout(cases, 20);
	tcase_add_test(cases, a_published_manifest_is_made_again);
	tcase_add_test(cases, an_entry_names_its_manifest);
	tcase_add_test(cases, an_index_has_homebrews_order);
	tcase_add_test(cases, a_tag_is_a_version_and_a_rebuild);
	tcase_add_test(cases, a_formula_has_a_name);
	tcase_add_test(cases, a_long_license_is_cut);
	tcase_add_test(cases, an_entry_has_the_whole_license);
	tcase_add_test(cases, a_platform_is_what_tab_and_name_say);
	tcase_add_test(cases, a_linux_bottle_says_what_it_needs);
	tcase_add_test(cases, a_mac_bottle_says_nothing_of_glibc);
	tcase_add_test(cases, a_tab_is_compact);
	tcase_add_test(cases, an_all_bottle_has_no_platform);
	tcase_add_test(cases, a_manifest_is_the_union);
	tcase_add_test(cases, file_names);
	tcase_add_test(cases, a_folder_that_does_not_fit_is_told);
	tcase_add_test(cases, an_index_is_pretty_and_bare);
	tcase_add_test(cases, a_base_keeps_what_it_has);
	tcase_add_test(cases, a_ref_name_stands_once);
	tcase_add_test(cases, an_index_has_a_size);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
