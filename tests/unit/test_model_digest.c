#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "media_type.h"

#define SHA256_ABC "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define SHA256_NOTHING "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const char sha512_abc[] =
	"sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";

START_TEST(grammar_is_kept)
{
	static const char *const good[] = {SHA256_ABC, sha512_abc,
		"multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8",
		"sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564", "a.b_c-d:x=="};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct digest digest = DIGEST_NONE;

		ck_assert(!digest_is_set(&digest));
		ck_assert_msg(digest_parse(&digest, good[i]), "%s", good[i]);
		ck_assert_str_eq(digest.text, good[i]);
		ck_assert_int_eq(digest_verifiable(&digest), i < 2);
		ck_assert_uint_eq(digest_algorithm_len(&digest), strcspn(good[i], ":"));
		ck_assert_str_eq(digest_encoded(&digest), strchr(good[i], ':') + 1);
	}
}
END_TEST

START_TEST(other_text_is_refused)
{
	char upper[] = SHA256_ABC;
	char longer[] = SHA256_ABC "0";
	char shorter[] = SHA256_ABC;
	char huge[DIGEST_TEXT_SIZE + 1];
	upper[strlen("sha256:")] = 'B';
	shorter[strlen(shorter) - 1] = '\0';
	memset(huge, 'a', sizeof(huge));
	memcpy(huge, "x:", 2);
	huge[DIGEST_TEXT_SIZE] = '\0';
	const char *const bad[] = {"", ":", "sha256", "sha256:", ":abc", "sha256:abc", "SHA256:ab",
		"a++b:c", "+a:b", "a+:b", "a:b/c", "a:../..", "a:b:c", "a:b\n", "a b:c",
		"\xc3\xa9:a", "a:\xc3\xa9", upper, longer, shorter, huge};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct digest digest = {.text = "untouched"};

		ck_assert_msg(!digest_parse(&digest, bad[i]), "%s", bad[i]);
		ck_assert_str_eq(digest.text, "untouched");
	}
	huge[DIGEST_TEXT_SIZE - 1] = '\0';
	struct digest digest;
	ck_assert(digest_parse(&digest, huge));
}
END_TEST

START_TEST(known_hashes)
{
	struct digest digest;

	digest_of_bytes(&digest, "abc", 3);
	ck_assert_str_eq(digest.text, SHA256_ABC);
	digest_of_bytes(&digest, NULL, 0);
	ck_assert_str_eq(digest.text, SHA256_NOTHING);
	digest_of_bytes(&digest, EMPTY_JSON, strlen(EMPTY_JSON));
	ck_assert_str_eq(digest.text, EMPTY_JSON_DIGEST);
}
END_TEST

START_TEST(hashing_goes_on_after_a_digest)
{
	struct digest digest;
	struct hasher *hasher = hasher_new(NULL);

	hasher_digest(hasher, &digest);
	ck_assert_str_eq(digest.text, SHA256_NOTHING);
	hasher_update(hasher, "a", 1);
	hasher_digest(hasher, &digest);
	hasher_update(hasher, NULL, 0);
	hasher_update(hasher, "bc", 2);
	for (int i = 0; i < 2; i++) {
		hasher_digest(hasher, &digest);
		ck_assert_str_eq(digest.text, SHA256_ABC);
	}
	hasher_reset(hasher);
	hasher_update(hasher, "abc", 3);
	hasher_digest(hasher, &digest);
	ck_assert_str_eq(digest.text, SHA256_ABC);
	hasher_free(hasher);
	hasher_free(NULL);
}
END_TEST

START_TEST(hashes_by_the_algorithm_asked_for)
{
	struct digest like, digest;

	ck_assert(digest_parse(&like, sha512_abc));
	struct hasher *hasher = hasher_new(&like);
	hasher_update(hasher, "abc", 3);
	hasher_digest(hasher, &digest);
	ck_assert(digest_equal(&digest, &like));
	hasher_free(hasher);

	ck_assert(digest_parse(&like, "blake3:abc"));
	ck_assert_ptr_null(hasher_new(&like));
}
END_TEST

START_TEST(check_tells_both_digests)
{
	struct digest want;
	struct error err = ERROR_INIT;

	ck_assert(digest_parse(&want, sha512_abc));
	ck_assert_int_eq(digest_check(&want, "abc", 3, &err), 0);
	ck_assert(digest_parse(&want, SHA256_ABC));
	ck_assert_int_eq(digest_check(&want, "abc", 3, &err), 0);
	ck_assert(!error_is_set(&err));
	ck_assert_int_eq(digest_check(&want, "", 0, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_CORRUPT);
	ck_assert_ptr_nonnull(strstr(err.message, SHA256_ABC));
	ck_assert_ptr_nonnull(strstr(err.message, SHA256_NOTHING));

	error_clear(&err);
	ck_assert(digest_parse(&want, "blake3:abc"));
	ck_assert_int_eq(digest_check(&want, "abc", 3, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_CORRUPT);
}
END_TEST

START_TEST(media_types)
{
	char longest[2 * 127 + 3];

	ck_assert(media_type_valid(MEDIA_TYPE_INDEX));
	ck_assert(media_type_valid("application/vnd.x-1.0!#$&^_+json"));
	ck_assert(!media_type_valid(""));
	ck_assert(!media_type_valid("application"));
	ck_assert(!media_type_valid("application/"));
	ck_assert(!media_type_valid("/json"));
	ck_assert(!media_type_valid("a/b/c"));
	ck_assert(!media_type_valid("a/.b"));
	ck_assert(!media_type_valid("text/plain; charset=utf-8"));
	ck_assert(!media_type_valid("a/b\n"));
	ck_assert(!media_type_valid("a/\xc3\xa9"));

	memset(longest, 'a', sizeof(longest));
	longest[127] = '/';
	longest[255] = '\0';
	ck_assert(media_type_valid(longest));
	longest[255] = 'a';
	longest[256] = '\0';
	ck_assert(!media_type_valid(longest));
}
END_TEST

START_TEST(media_types_by_name)
{
	static const struct {
		const char *name, *type, *suffix;
	} cases[] = {
		{"a.tar", "application/vnd.oci.image.layer.v1.tar", ".tar"},
		{"a.b.tar.gz", "application/vnd.oci.image.layer.v1.tar+gzip", ".tar.gz"},
		{"d/a.tgz", "application/vnd.oci.image.layer.v1.tar+gzip", ".tar.gz"},
		{"a.tar.zst", "application/vnd.oci.image.layer.v1.tar+zstd", ".tar.zst"},
		{"a.json", "application/json", ".json"},
		{"a.gz", "x/y", ""},
		{"tar", "x/y", ""},
		{"", "x/y", ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *type = media_type_for_name(cases[i].name, "x/y");

		ck_assert_str_eq(type, cases[i].type);
		ck_assert_str_eq(media_type_suffix(type), cases[i].suffix);
	}
	ck_assert_str_eq(
		media_type_suffix("application/vnd.docker.image.rootfs.diff.tar.gzip"), ".tar.gz");
	ck_assert_str_eq(media_type_suffix(MEDIA_TYPE_IMAGE_CONFIG), ".json");
	ck_assert_str_eq(media_type_suffix(MEDIA_TYPE_OCTETS), "");
	ck_assert(media_type_is_elsewhere(
		"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"));
	ck_assert(media_type_is_elsewhere(
		"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"));
	ck_assert(!media_type_is_elsewhere("application/vnd.oci.image.layer.v1.tar+gzip"));
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("digest");
	TCase *tests = tcase_create("all");

	tcase_add_test(tests, grammar_is_kept);
	tcase_add_test(tests, other_text_is_refused);
	tcase_add_test(tests, known_hashes);
	tcase_add_test(tests, hashing_goes_on_after_a_digest);
	tcase_add_test(tests, hashes_by_the_algorithm_asked_for);
	tcase_add_test(tests, check_tells_both_digests);
	tcase_add_test(tests, media_types);
	tcase_add_test(tests, media_types_by_name);
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
