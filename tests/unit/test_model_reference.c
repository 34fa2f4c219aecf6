#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reference.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DIGEST "sha256:" HEX64

static void expect_text(const char *text, const char *want)
{
	struct reference reference;
	struct error err = ERROR_INIT;

	ck_assert_msg(reference_parse(&reference, text, &err) == 0, "%s: %s", text, err.message);
	char *canonical = reference_text(&reference);
	ck_assert_str_eq(canonical, want);
	free(canonical);
	reference_clear(&reference);
}

START_TEST(registries)
{
	static const struct {
		const char *text, *host, *path, *tag;
		bool pinned;
		const char *canonical; /* NULL: text */
	} cases[] = {
		{"ghcr.io/o/r:v1", "ghcr.io", "o/r", "v1", false, NULL},
		{"docker://ghcr.io/o/r:v1", "ghcr.io", "o/r", "v1", false, "ghcr.io/o/r:v1"},
		{"ghcr.io/o/r", "ghcr.io", "o/r", NULL, false, NULL},
		{"ghcr.io/o/r@" DIGEST, "ghcr.io", "o/r", NULL, true, NULL},
		{"ghcr.io/o/r:v1@" DIGEST, "ghcr.io", "o/r", NULL, true, "ghcr.io/o/r@" DIGEST},
		{"ghcr.io", "ghcr.io", NULL, NULL, false, NULL},
		{"ghcr.io/", "ghcr.io", NULL, NULL, false, "ghcr.io"},
		{"docker://ghcr.io", "ghcr.io", NULL, NULL, false, "ghcr.io"},
		{"localhost", "localhost", NULL, NULL, false, NULL},
		{"localhost/r", "localhost", "r", NULL, false, NULL},
		{"localhost:5000", "localhost:5000", NULL, NULL, false, NULL},
		{"localhost:5000/r:1", "localhost:5000", "r", "1", false, NULL},
		{"registry.example:5000", "registry.example:5000", NULL, NULL, false, NULL},
		{"box:5000/r", "box:5000", "r", NULL, false, NULL},
		{"box:5000/", "box:5000", NULL, NULL, false, NULL},
		{"127.0.0.1:5000/a/b/c", "127.0.0.1:5000", "a/b/c", NULL, false, NULL},
		{"[::1]", "[::1]", NULL, NULL, false, NULL},
		{"[::1]:5000", "[::1]:5000", NULL, NULL, false, NULL},
		{"[::1]:5000/r:t", "[::1]:5000", "r", "t", false, NULL},
		{"[2001:db8::1]/r", "[2001:db8::1]", "r", NULL, false, NULL},
		{"ubuntu", "docker.io", "library/ubuntu", NULL, false, "docker.io/library/ubuntu"},
		{"ubuntu:22.04", "docker.io", "library/ubuntu", "22.04", false,
			"docker.io/library/ubuntu:22.04"},
		{"box:5000", "docker.io", "library/box", "5000", false,
			"docker.io/library/box:5000"},
		{"ubuntu@" DIGEST, "docker.io", "library/ubuntu", NULL, true,
			"docker.io/library/ubuntu@" DIGEST},
		{"o/r", "docker.io", "o/r", NULL, false, "docker.io/o/r"},
		{"docker.io/ubuntu", "docker.io", "library/ubuntu", NULL, false,
			"docker.io/library/ubuntu"},
		{"index.docker.io/o/r", "docker.io", "o/r", NULL, false, "docker.io/o/r"},
		{"docker.io", "docker.io", NULL, NULL, false, NULL},
		{"index.docker.io/", "docker.io", NULL, NULL, false, "docker.io"},
		{"h.x/a.b_c__d---e/0", "h.x", "a.b_c__d---e/0", NULL, false, NULL},
		{"UPPER.Host/r", "UPPER.Host", "r", NULL, false, NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct reference reference;
		struct error err = ERROR_INIT;

		ck_assert_msg(reference_parse(&reference, cases[i].text, &err) == 0, "%s: %s",
			cases[i].text, err.message);
		ck_assert_int_eq(reference.transport, REFERENCE_REGISTRY);
		ck_assert_str_eq(reference.host, cases[i].host);
		ck_assert_pstr_eq(reference.path, cases[i].path);
		ck_assert_pstr_eq(reference.tag, cases[i].tag);
		ck_assert_str_eq(reference.digest.text, cases[i].pinned ? DIGEST : "");
		reference_clear(&reference);

		const char *canonical = cases[i].canonical ? cases[i].canonical : cases[i].text;
		expect_text(cases[i].text, canonical);
		expect_text(canonical, canonical);
	}
}
END_TEST

START_TEST(layouts)
{
	static const struct {
		const char *text, *path, *tag;
		bool pinned;
	} cases[] = {
		{"oci:/srv/store", "/srv/store", NULL, false},
		{"oci:store", "store", NULL, false},
		{"oci:.", ".", NULL, false},
		{"oci:/", "/", NULL, false},
		{"oci:../a b/\xc3\xa9:v1", "../a b/\xc3\xa9", "v1", false},
		{"oci:/a:b/c", "/a:b/c", NULL, false},
		{"oci:/a:b:c", "/a:b", "c", false},
		{"oci:/a:not a tag", "/a:not a tag", NULL, false},
		{"oci:/a:-x", "/a:-x", NULL, false},
		{"oci:/a@" DIGEST, "/a", NULL, true},
		{"oci:/me@work:latest", "/me@work", "latest", false},
		{"oci:/me@work", "/me@work", NULL, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct reference reference;
		struct error err = ERROR_INIT;

		ck_assert_msg(reference_parse(&reference, cases[i].text, &err) == 0, "%s: %s",
			cases[i].text, err.message);
		ck_assert_int_eq(reference.transport, REFERENCE_LAYOUT);
		ck_assert_ptr_null(reference.host);
		ck_assert_str_eq(reference.path, cases[i].path);
		ck_assert_pstr_eq(reference.tag, cases[i].tag);
		ck_assert_str_eq(reference.digest.text, cases[i].pinned ? DIGEST : "");
		reference_clear(&reference);
		expect_text(cases[i].text, cases[i].text);
	}
}
END_TEST

START_TEST(other_texts_are_refused)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{"", "no registry"},
		{"docker://", "no registry"},
		{"/", "grammar"},
		{"/r", "grammar"},
		{"https://ghcr.io/o/r", "not a URL"},
		{"docker://https://ghcr.io/o/r", "not a URL"},
		{"ghcr.io/Foo/bar", "upper-case letters, but has at \"Foo/bar\""},
		{"ghcr.io/fOo", "upper-case letters, but has at \"Oo\""},
		{"Ubuntu", "upper-case"},
		{"ghcr.io/r/", "not complete"},
		{"ubuntu/", "not complete"},
		{"ghcr.io//r", "grammar of names at \"/r\""},
		{"ghcr.io/a..b", "grammar"},
		{"ghcr.io/a___b", "grammar"},
		{"ghcr.io/-a", "grammar"},
		{"ghcr.io/a-", "not complete"},
		{"ghcr.io/../a", "grammar"},
		{"ghcr.io/a b", "grammar"},
		{"ghcr.io/r:", "no tag"},
		{"ghcr.io/r:a/b", "no tag"},
		{"ghcr.io/r:-a", "no tag"},
		{"ghcr.io/r:a:b", "no tag"},
		{"ghcr.io/:a", "not complete"},
		{"ghcr.io/r@", "no digest"},
		{"ghcr.io/r@sha256:abc", "no digest"},
		{"ghcr.io/r:@" DIGEST, "no tag"},
		{"ghcr.io/r@" DIGEST ":v1", "no digest"},
		{"ghcr.io:v1", "port"},
		{"ghcr.io:0/r", "port"},
		{"ghcr.io:65536/r", "port"},
		{"ghcr.io:/r", "port"},
		{"ghcr.io:80:80/r", "port"},
		{"ghcr.io@" DIGEST, "host"},
		{"u:p@ghcr.io/r", "port"},
		{"u@ghcr.io/r", "host"},
		{".ghcr.io/r", "host"},
		{"ghcr.io./r", "host"},
		{"gh_cr.io/r", "host"},
		{"-a.io/r", "host"},
		{"[::1/r", "bracket"},
		{"[::g]/r", "IPv6"},
		{"[::1]5000/r", "port"},
		{"[fe80::1%eth0]/r", "IPv6"},
		{"oci:", "no folder"},
		{"oci::v1", "no folder"},
		{"oci:@" DIGEST, "no folder"},
		{"oci:/a:", "no tag"},
		{"oci:/a@sha256:abc", "no digest"},
		{"oci:/a:v1@" DIGEST, "not both"},
		{"oci://ghcr.io/o/r", "docker://"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct reference reference;
		struct error err = ERROR_INIT;

		ck_assert_msg(reference_parse(&reference, cases[i].text, &err) == -1, "%s",
			cases[i].text);
		ck_assert_int_eq(err.kind, ERROR_INVALID);
		ck_assert_msg(
			strstr(err.message, cases[i].why), "%s: %s", cases[i].text, err.message);
		ck_assert_ptr_null(reference.host);
		ck_assert_ptr_null(reference.path);
		ck_assert_ptr_null(reference.tag);
		ck_assert(!digest_is_set(&reference.digest));
	}
}
END_TEST

START_TEST(lengths_are_limited)
{
	char name[300], text[400];
	struct reference reference;
	struct error err = ERROR_INIT;

	memset(name, 'a', sizeof(name));
	name[255 - strlen("ghcr.io/")] = '\0';
	snprintf(text, sizeof(text), "ghcr.io/%s:v1", name);
	expect_text(text, text);
	snprintf(text, sizeof(text), "ghcr.io/%sb", name);
	ck_assert_int_eq(reference_parse(&reference, text, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.message, "255"));

	char *huge = malloc(1 << 20);
	ck_assert_ptr_nonnull(huge);
	memset(huge, 'a', 1 << 20);
	huge[(1 << 20) - 1] = '\0';
	error_clear(&err);
	ck_assert_int_eq(reference_parse(&reference, huge, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_INVALID);
	free(huge);
}
END_TEST

START_TEST(tags)
{
	char longest[TAG_MAX + 2];

	memset(longest, 'a', sizeof(longest));
	longest[TAG_MAX + 1] = '\0';
	ck_assert(!tag_valid(longest));
	longest[TAG_MAX] = '\0';
	ck_assert(tag_valid(longest));
	ck_assert(tag_valid("v1.2-3_X"));
	ck_assert(tag_valid("_"));
	ck_assert(!tag_valid(""));
	ck_assert(!tag_valid("."));
	ck_assert(!tag_valid(".."));
	ck_assert(!tag_valid(".oci"));
	ck_assert(!tag_valid("-a"));
	ck_assert(!tag_valid("a/b"));
	ck_assert(!tag_valid("a b"));
	ck_assert(!tag_valid("a\n"));
	ck_assert(!tag_valid("caf\xc3\xa9"));
}
END_TEST

START_TEST(loopback_hosts)
{
	static const char *const here[] = {"localhost", "LOCALHOST", "localhost:5000", "127.0.0.1",
		"127.1.2.3:80", "[::1]", "[::1]:5000", "[0:0::1]"};
	static const char *const elsewhere[] = {"", "localhost.example", "127.example", "127.1",
		"128.0.0.1", "0.0.0.0", "::1", "[::2]", "[::1", "[localhost]", "[127.0.0.1]",
		"127.0.0.1.example", "docker.io", "a:127.0.0.1"};

	for (size_t i = 0; i < sizeof(here) / sizeof(*here); i++)
		ck_assert_msg(host_is_loopback(here[i]), "%s", here[i]);
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(*elsewhere); i++)
		ck_assert_msg(!host_is_loopback(elsewhere[i]), "%s", elsewhere[i]);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("reference");
	TCase *tests = tcase_create("all");

	tcase_add_test(tests, registries);
	tcase_add_test(tests, layouts);
	tcase_add_test(tests, other_texts_are_refused);
	tcase_add_test(tests, lengths_are_limited);
	tcase_add_test(tests, tags);
	tcase_add_test(tests, loopback_hosts);
	suite_add_tcase(suite, tests);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(make_suite());

	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
