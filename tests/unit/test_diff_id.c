/* What a compressed layer holds, against what gzip, zstd and sha256sum say of it. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "diff_id.h"
#include "registry/compress/unpack.h"
#include "registry_process.h"

#define LAYER "application/vnd.oci.image.layer.v1.tar"

static char folder[32];

static void run(const char *command)
{
	ck_assert_msg(shell_run(command, folder), "%s", command);
}

/* Twenty thousand numbered lines, 0.6 MB of noise, and what is made of them. */
static void setup_once(void)
{
	strcpy(folder, "/tmp/test_diff_id.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
	run("seq 20000 > lines; head -c 600000 /dev/urandom > noise; : > nothing; printf x > x");
	run("for f in lines noise nothing x; do gzip -c $f > $f.gz; zstd -qc $f > $f.zst; done");
	run("cat lines.gz nothing.gz x.gz noise.gz > many.gz");
	run("cat lines.zst nothing.zst x.zst noise.zst > many.zst");
	run("zstd -qc --long=27 -19 lines > long.zst; zstd -qc --no-check x > nocheck.zst");
	run("gzip -c --best lines > named.gz; tar cf plain.tar lines x; gzip -k plain.tar");
	/* a skippable frame of four bytes, then a real one */
	run("printf '\\120\\052\\115\\030\\004\\000\\000\\000abcd' | cat - lines.zst > skip.zst");
}

static void teardown_once(void)
{
	ck_assert_int_eq(chdir("/"), 0);
	run("rm -rf \"$1\"");
}

static int diff_id(struct digest *out, const char *path, const char *media_type, struct error *err)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return diff_id_of_fd(out, fd, path, media_type, NULL, err);
}

static void expect_same(const char *path, const char *media_type, const char *reader)
{
	char command[256], want[256] = "sha256:";
	struct digest digest = DIGEST_NONE;
	struct error err = ERROR_INIT;
	FILE *file;

	snprintf(command, sizeof(command), "%s %s > unpacked && sha256sum unpacked > want", reader,
		path);
	run(command);
	file = fopen("want", "re");
	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(fgets(want + strlen(want), 128, file));
	ck_assert_int_eq(fclose(file), 0);
	want[strcspn(want, " ")] = '\0';
	ck_assert_msg(diff_id(&digest, path, media_type, &err) == 0, "%s: %s", path, err.message);
	ck_assert_str_eq(digest.text, want);
}

static const struct {
	const char *path, *media_type, *reader;
} readable[] = {
	{"lines.gz", LAYER "+gzip", "gzip -dc"},
	{"noise.gz", LAYER "+gzip", "gzip -dc"},
	{"nothing.gz", LAYER "+gzip", "gzip -dc"},
	{"many.gz", LAYER "+gzip", "gzip -dc"},
	{"named.gz", "application/vnd.docker.image.rootfs.diff.tar.gzip", "gzip -dc"},
	{"plain.tar.gz", "Application/GZIP", "gzip -dc"},
	{"lines.zst", LAYER "+zstd", "zstd -dc"},
	{"noise.zst", LAYER "+zstd", "zstd -dc"},
	{"nothing.zst", LAYER "+zstd", "zstd -dc"},
	{"many.zst", LAYER "+zstd", "zstd -dc"},
	{"long.zst", LAYER "+zstd", "zstd -dc"},
	{"nocheck.zst", "application/zstd", "zstd -dc"},
	{"skip.zst", LAYER "+zstd", "zstd -dc"},
	{"plain.tar", LAYER, "cat"},
	{"noise", "application/octet-stream", "cat"},
	{"nothing", LAYER, "cat"},
	/* the media type decides, not the content */
	{"lines.gz", LAYER, "cat"},
	{"lines.zst", "application/octet-stream", "cat"},
	/* where there is none, the content does */
	{"many.gz", NULL, "gzip -dc"},
	{"many.zst", NULL, "zstd -dc"},
	{"plain.tar", NULL, "cat"},
	{"x", NULL, "cat"},
	{"nothing", NULL, "cat"},
};

START_TEST(is_what_the_programs_say)
{
	for (size_t i = 0; i < sizeof(readable) / sizeof(*readable); i++)
		expect_same(readable[i].path, readable[i].media_type, readable[i].reader);
}
END_TEST

START_TEST(position_of_the_file_stays)
{
	struct digest digest = DIGEST_NONE;
	struct error err = ERROR_INIT;
	cleanup_close int fd = open("many.gz", O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(lseek(fd, 7, SEEK_SET), 7);
	ck_assert_int_eq(diff_id_of_fd(&digest, fd, "many.gz", NULL, NULL, &err), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 7);
}
END_TEST

static void expect_bad(
	const char *path, const char *media_type, enum error_kind kind, const char *message)
{
	struct digest digest = DIGEST_NONE;
	struct error err = ERROR_INIT;

	ck_assert_msg(
		diff_id(&digest, path, media_type, &err) == -1, "%s (%s) passed", path, message);
	ck_assert_int_eq(err.kind, kind);
	ck_assert_msg(strncmp(err.message, path, strlen(path)) == 0, "%s", err.message);
	ck_assert_msg(strstr(err.message, message) != NULL, "%s", err.message);
	ck_assert(!digest_is_set(&digest));
}

static const struct {
	const char *make, *media_type, *message;
} broken[] = {
	{": > bad", LAYER "+gzip", "end too early"},
	{": > bad", LAYER "+zstd", "end too early"},
	{"cat x > bad", LAYER "+gzip", "end too early"},
	{"cat x > bad", LAYER "+zstd", "not zstd"},
	{"cat lines > bad", LAYER "+zstd", "not zstd"},
	{"cat lines.zst > bad", LAYER "+gzip", "not gzip"},
	{"cat lines.gz > bad", LAYER "+zstd", "not zstd"},
	{"head -c -1 lines.gz > bad", LAYER "+gzip", "end too early"},
	{"head -c 300000 noise.gz > bad", LAYER "+gzip", "end too early"},
	{"head -c 10 lines.gz > bad", LAYER "+gzip", "end too early"},
	{"head -c -1 lines.zst > bad", LAYER "+zstd", "end too early"},
	{"head -c 300000 noise.zst > bad", LAYER "+zstd", "end too early"},
	{"head -c 10 lines.zst > bad", LAYER "+zstd", "end too early"},
	{"(cat lines.gz; head -c 100 noise.gz) > bad", LAYER "+gzip", "end too early"},
	{"(cat lines.zst; head -c 100 noise.zst) > bad", LAYER "+zstd", "end too early"},
	/* after the end: a container runtime refuses each of them too */
	{"(cat lines.gz; printf junk) > bad", LAYER "+gzip", "not gzip"},
	{"(cat lines.gz; head -c 512 /dev/zero) > bad", LAYER "+gzip", "not gzip"},
	{"printf '\\046\\265\\057\\375\\004\\0\\0\\0\\0' > bad", LAYER "+zstd", "not zstd"},
	{"(cat lines.zst; printf junk) > bad", LAYER "+zstd", "not zstd"},
	/* the checksum at the end, and a byte within */
	{"(head -c -8 x.gz; printf '\\0\\0\\0\\0\\1\\0\\0\\0') > bad", LAYER "+gzip", "check"},
	{"(head -c -4 x.zst; printf '\\0\\0\\0\\0') > bad", LAYER "+zstd", "checksum"},
	{"(head -c 5000 lines.gz; printf '\\377\\0\\377\\0\\377\\0'; tail -c +5007 lines.gz) > bad",
		LAYER "+gzip", "damaged"},
};

START_TEST(damage_is_told)
{
	for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
		run(broken[i].make);
		expect_bad("bad", broken[i].media_type, ERROR_INVALID, broken[i].message);
	}
}
END_TEST

/* A frame of no content whose header asks for a window of 2^log bytes. */
static void window_write(const char *path, int log)
{
	unsigned char frame[] = {0x28, 0xb5, 0x2f, 0xfd, 0, 0, 1, 0, 0};
	FILE *file = fopen(path, "we");

	frame[5] = (unsigned char)((log - 10) << 3);
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(frame, 1, sizeof(frame), file), sizeof(frame));
	ck_assert_int_eq(fclose(file), 0);
}

START_TEST(a_window_has_a_limit)
{
	window_write("window", 27);
	expect_same("window", LAYER "+zstd", "zstd -dc");
	window_write("window", 28);
	expect_bad("window", LAYER "+zstd", ERROR_INVALID, "over 128 MiB");
	window_write("window", 41);
	expect_bad("window", LAYER "+zstd", ERROR_INVALID, "over 128 MiB");
}
END_TEST

START_TEST(what_cannot_be_read_is_told)
{
	struct digest digest = DIGEST_NONE;
	struct error err = ERROR_INIT;

	ck_assert_int_eq(diff_id_of_fd(&digest, -1, "app", NULL, NULL, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_SYSTEM);
	ck_assert_int_eq(err.status, EBADF);
	ck_assert_msg(strncmp(err.message, "app: ", 5) == 0, "%s", err.message);
}
END_TEST

START_TEST(a_fired_token_ends_it)
{
	struct digest digest = DIGEST_NONE;
	struct error err = ERROR_INIT;
	struct cancel cancel;
	cleanup_close int fd = open("noise", O_RDONLY | O_CLOEXEC);

	cancel_init(&cancel);
	cancel_fire(&cancel);
	ck_assert_int_eq(diff_id_of_fd(&digest, fd, "noise", NULL, &cancel, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_INTERRUPTED);
	cancel_destroy(&cancel);
}
END_TEST

/* Feeds a whole file in pieces; what unpack_finish() or the first failure says. */
static int feed(struct digest *out, const char *path, enum compression compression,
	const struct unpack_limits *limits, size_t piece, struct error *err)
{
	struct unpack *unpack = unpack_new(compression, limits);
	cleanup_free char *bytes = malloc(piece);
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;
	int result = 0;

	ck_assert(unpack && bytes && fd >= 0);
	while (!result && (n = read(fd, bytes, piece)) > 0)
		result = unpack_feed(unpack, bytes, (size_t)n, err);
	if (!result)
		result = unpack_finish(unpack, out, err);
	unpack_free(unpack);
	return result;
}

START_TEST(pieces_make_no_difference)
{
	static const struct unpack_limits limits = UNPACK_LIMITS;
	static const struct {
		const char *path;
		enum compression compression;
	} cases[] = {
		{"many.gz", COMPRESSION_GZIP},
		{"many.zst", COMPRESSION_ZSTD},
		{"plain.tar", COMPRESSION_NONE},
	};
	static const size_t pieces[] = {3, 4096, (size_t)16 << 20};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct digest want = DIGEST_NONE;

		ck_assert_int_eq(diff_id(&want, cases[i].path, NULL, NULL), 0);
		for (size_t k = 0; k < sizeof(pieces) / sizeof(*pieces); k++) {
			struct digest digest = DIGEST_NONE;

			ck_assert_int_eq(feed(&digest, cases[i].path, cases[i].compression, &limits,
						 pieces[k], NULL),
				0);
			ck_assert_str_eq(digest.text, want.text);
		}
	}
}
END_TEST

START_TEST(limits_are_kept)
{
	static const struct {
		enum compression compression;
		const char *path;
		struct unpack_limits limits;
		const char *message; /* NULL: it passes */
	} cases[] = {
		{COMPRESSION_GZIP, "zeros.gz", {4000000, 0, 2000}, NULL},
		{COMPRESSION_GZIP, "zeros.gz", {3999999, 0, 2000}, "more than"},
		{COMPRESSION_GZIP, "zeros.gz", {4000000, 0, 500}, "more than 500 times"},
		{COMPRESSION_GZIP, "zeros.gz", {4000000, 4000000, 500}, NULL},
		{COMPRESSION_GZIP, "zeros.gz", {4000000, 3999999, 500}, "more than 500 times"},
		{COMPRESSION_ZSTD, "zeros.zst", {4000000, 0, 2000}, "more than 2000 times"},
		{COMPRESSION_ZSTD, "zeros.zst", {4000000, 4000000, 2000}, NULL},
		{COMPRESSION_ZSTD, "zeros.zst", {3999999, 4000000, 2000}, "more than"},
		{COMPRESSION_NONE, "zeros", {4000000, 0, 1}, NULL},
		{COMPRESSION_NONE, "zeros", {3999999, 0, 1}, "more than"},
	};

	run("head -c 4000000 /dev/zero > zeros; gzip -c zeros > zeros.gz; zstd -qc zeros > "
	    "zeros.zst");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct digest digest = DIGEST_NONE;
		struct error err = ERROR_INIT;
		int result = feed(&digest, cases[i].path, cases[i].compression, &cases[i].limits,
			65536, &err);

		ck_assert_msg(result == (cases[i].message ? -1 : 0), "%zu: %s", i, err.message);
		if (!cases[i].message)
			continue;
		ck_assert_int_eq(err.kind, ERROR_TOO_LARGE);
		ck_assert_msg(
			strstr(err.message, cases[i].message) != NULL, "%zu: %s", i, err.message);
	}
}
END_TEST

/* 64 KiB that hold 2 GiB of nothing: it ends at one. */
START_TEST(a_bomb_does_not_keep_us)
{
	run("head -c 16M /dev/zero | zstd -qc > 16m; for i in $(seq 128); do cat 16m; done > bomb");
	expect_bad("bomb", LAYER "+zstd", ERROR_TOO_LARGE, "more than 2000 times");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("diff_id");
	TCase *cases = tcase_create("diff_id"), *slow = tcase_create("slow");
	int failed;

	tcase_add_unchecked_fixture(cases, setup_once, teardown_once);
	tcase_set_timeout(cases, 30);
	tcase_add_test(cases, is_what_the_programs_say);
	tcase_add_test(cases, position_of_the_file_stays);
	tcase_add_test(cases, damage_is_told);
	tcase_add_test(cases, a_window_has_a_limit);
	tcase_add_test(cases, what_cannot_be_read_is_told);
	tcase_add_test(cases, a_fired_token_ends_it);
	tcase_add_test(cases, pieces_make_no_difference);
	tcase_add_test(cases, limits_are_kept);
	suite_add_tcase(suite, cases);
	tcase_add_unchecked_fixture(slow, setup_once, teardown_once);
	tcase_set_timeout(slow, 120);
	tcase_set_tags(slow, "slow");
	tcase_add_test(slow, a_bomb_does_not_keep_us);
	suite_add_tcase(suite, slow);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
