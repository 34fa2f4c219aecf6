#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/work/staging.h"

#define MIB ((size_t)1 << 20)

static char folder[40];
static char area[192];
static struct pool *pool;
static struct staging *staging;

static void open_area(void)
{
	struct error err = ERROR_INIT;

	ck_assert_int_eq(staging_open(&staging, area, pool, &err), 0);
}

static void setup(void)
{
	strcpy(folder, "/tmp/test_fs_staging.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(area, sizeof(area), "%s/area", folder);
	ck_assert_int_eq(pool_new(&pool, 4, NULL), 0);
	open_area();
}

/* Nothing may be left in the area. */
static void teardown(void)
{
	staging_close(staging);
	pool_free(pool);
	ck_assert_int_eq(rmdir(area), 0);
	ck_assert_int_eq(rmdir(folder), 0);
}

static struct staged *new_file(void)
{
	struct staged *staged;

	ck_assert_int_eq(staged_new(&staged, staging, NULL), 0);
	return staged;
}

static void put(struct staged *staged, uint64_t offset, const void *bytes, size_t len)
{
	ck_assert(staged_write_begin(staged));
	ck_assert_int_eq(pwrite(staged_fd(staged), bytes, len, (off_t)offset), (ssize_t)len);
	staged_write_end(staged, offset, len);
}

static void assert_sealed_as(struct staged *staged, const void *bytes, size_t len)
{
	struct error err = ERROR_INIT;
	struct digest want, got;
	int64_t size = -1;

	digest_of_bytes(&want, bytes, len);
	ck_assert_msg(staged_seal(staged, &got, &size, NULL, &err) == 0, "%s", err.message);
	ck_assert_str_eq(got.text, want.text);
	ck_assert_int_eq(size, (int64_t)len);
}

static void assert_holds(struct staged *staged, const void *bytes, size_t len)
{
	unsigned char *got = malloc(len + 1);

	ck_assert_int_eq(pread(staged_fd(staged), got, len + 1, 0), (ssize_t)len);
	ck_assert(memcmp(got, bytes, len) == 0);
	free(got);
}

static unsigned char *noise(size_t len, unsigned seed)
{
	unsigned char *bytes = malloc(len);
	uint64_t x = seed * 2654435761U + 1;

	ck_assert_ptr_nonnull(bytes);
	for (size_t i = 0; i < len; i++) {
		x = x * 6364136223846793005U + 1442695040888963407U;
		bytes[i] = (unsigned char)(x >> 56);
	}
	return bytes;
}

/* "abc" and "def", by gzip without names and times. */
static const unsigned char gzip_abc[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b, 0x4c, 0x4a, 6, 0,
	0xc2, 0x41, 0x24, 0x35, 3, 0, 0, 0};
static const unsigned char gzip_def[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b, 0x49, 0x4d, 3, 0,
	0x61, 0xe1, 0xc4, 0xc, 3, 0, 0, 0};

static void assert_diff_id(
	struct staged *staged, const char *media_type, const void *bytes, size_t len)
{
	struct digest want, got;
	struct error err = ERROR_INIT;

	digest_of_bytes(&want, bytes, len);
	ck_assert_msg(staged_diff_id(staged, &got, "name", media_type, NULL, &err) == 0, "%s",
		err.message);
	ck_assert_str_eq(got.text, want.text);
}

static struct staged *gzip_file(void)
{
	struct staged *staged = NULL;

	ck_assert_int_eq(staged_from_bytes(&staged, staging, gzip_abc, sizeof(gzip_abc), NULL), 0);
	assert_sealed_as(staged, gzip_abc, sizeof(gzip_abc));
	return staged;
}

START_TEST(test_a_diff_id_is_computed_once)
{
	struct staged *staged = gzip_file();

	assert_diff_id(staged, "a/b+gzip", "abc", 3);
	/* behind its back: nobody looks */
	ck_assert_int_eq(pwrite(staged_fd(staged), gzip_def, sizeof(gzip_def), 0),
		(ssize_t)sizeof(gzip_def));
	assert_diff_id(staged, "a/b+gzip", "abc", 3);
	staged_put_back(staged);
}
END_TEST

START_TEST(test_a_diff_id_is_of_a_type_and_a_content)
{
	struct staged *staged = gzip_file();

	assert_diff_id(staged, "a/b+gzip", "abc", 3);
	assert_diff_id(staged, "a/b", gzip_abc, sizeof(gzip_abc));
	assert_diff_id(staged, "a/b+gzip", "abc", 3);
	ck_assert_int_eq(staged_make_writable(&staged, INT64_MAX, NULL), 0);
	put(staged, 0, gzip_def, sizeof(gzip_def));
	assert_diff_id(staged, "a/b+gzip", "def", 3);
	assert_sealed_as(staged, gzip_def, sizeof(gzip_def));
	assert_diff_id(staged, "a/b+gzip", "def", 3);
	staged_put_back(staged);
}
END_TEST

START_TEST(test_a_damaged_file_has_no_diff_id)
{
	struct staged *staged = NULL;
	struct error err = ERROR_INIT;
	struct digest digest;

	ck_assert_int_eq(
		staged_from_bytes(&staged, staging, gzip_abc, sizeof(gzip_abc) - 4, NULL), 0);
	ck_assert_int_eq(
		staged_diff_id(staged, &digest, "linux-amd64/a.tar.gz", "a/b+gzip", NULL, &err),
		-1);
	ck_assert_int_eq(err.kind, ERROR_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "linux-amd64/a.tar.gz: "));
	staged_put_back(staged);
}
END_TEST

START_TEST(test_files_are_private)
{
	struct staged *staged = new_file();
	struct stat st;

	ck_assert_int_eq(stat(area, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	ck_assert_int_eq(fstat(staged_fd(staged), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	staged_put_back(staged);
}
END_TEST

START_TEST(test_numbers_in_use_are_not_given_again)
{
	char name[256];

	snprintf(name, sizeof(name), "%s/41", area);
	staging_close(staging);
	close(open(name, O_CREAT | O_WRONLY, 0600));
	open_area();
	struct staged *staged = new_file();
	ck_assert_uint_eq(staged_id(staged), 42);
	staged_put_back(staged);
	ck_assert_int_eq(access(name, F_OK), 0);
	unlink(name);
}
END_TEST

START_TEST(test_folder_that_is_a_link_is_refused)
{
	struct staging *other;
	struct error err = ERROR_INIT;
	char name[256];

	snprintf(name, sizeof(name), "%s/link", folder);
	ck_assert_int_eq(symlink(area, name), 0);
	ck_assert_int_eq(staging_open(&other, name, pool, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_SYSTEM);
	unlink(name);
}
END_TEST

START_TEST(test_empty_file)
{
	struct staged *staged = new_file();

	assert_sealed_as(staged, "", 0);
	staged_put_back(staged);
}
END_TEST

START_TEST(test_sequential_writing)
{
	size_t len = 9 * MIB + 123;
	unsigned char *bytes = noise(len, 1);
	struct staged *staged = new_file();

	for (size_t at = 0; at < len; at += 128 << 10)
		put(staged, at, bytes + at, len - at < 128 << 10 ? len - at : 128 << 10);
	assert_sealed_as(staged, bytes, len);
	assert_sealed_as(staged, bytes, len);
	staged_put_back(staged);
	free(bytes);
}
END_TEST

/* Each thread of the kernel may bring its piece when it likes. */
START_TEST(test_writes_out_of_order)
{
	size_t len = 8 * MIB, step = 64 << 10;
	unsigned char *bytes = noise(len, 2);
	struct staged *staged = new_file();

	for (size_t at = 0; at < len; at += 4 * step) {
		put(staged, at + 2 * step, bytes + at + 2 * step, step);
		put(staged, at + 1 * step, bytes + at + 1 * step, step);
		put(staged, at + 3 * step, bytes + at + 3 * step, step);
		put(staged, at, bytes + at, step);
	}
	assert_sealed_as(staged, bytes, len);
	staged_put_back(staged);
	free(bytes);
}
END_TEST

START_TEST(test_write_below_the_hash)
{
	size_t len = 6 * MIB;
	unsigned char *bytes = noise(len, 3);
	struct staged *staged = new_file();

	put(staged, 0, bytes, len);
	usleep(20000);
	memcpy(bytes + 100, "changed", 7);
	put(staged, 100, "changed", 7);
	assert_sealed_as(staged, bytes, len);
	staged_put_back(staged);
	free(bytes);
}
END_TEST

START_TEST(test_append_after_seal)
{
	size_t len = 5 * MIB, half = 2 * MIB + 7;
	unsigned char *bytes = noise(len, 4);
	struct staged *staged = new_file(), *before = staged;

	put(staged, 0, bytes, half);
	assert_sealed_as(staged, bytes, half);
	ck_assert(!staged_write_begin(staged));
	ck_assert_int_eq(staged_make_writable(&staged, INT64_MAX, NULL), 0);
	ck_assert_ptr_eq(staged, before);
	put(staged, half, bytes + half, len - half);
	assert_sealed_as(staged, bytes, len);
	staged_put_back(staged);
	free(bytes);
}
END_TEST

START_TEST(test_cut_of_a_sealed_file)
{
	struct error err = ERROR_INIT;
	struct staged *staged = new_file();

	put(staged, 0, "abc", 3);
	assert_sealed_as(staged, "abc", 3);
	ck_assert_int_eq(staged_truncate(staged, 1, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_SYSTEM);
	ck_assert_int_eq(err.status, ETXTBSY);
	ck_assert_int_eq(staged_size(staged), 3);
	staged_put_back(staged);
}
END_TEST

START_TEST(test_copy_leaves_the_sealed_file)
{
	size_t len = 3 * MIB;
	unsigned char *bytes = noise(len, 5), *other = noise(len, 5);
	struct staged *staged = new_file(), *reader;

	put(staged, 0, bytes, len);
	assert_sealed_as(staged, bytes, len);
	reader = staged_ref(staged);
	ck_assert_int_eq(staged_make_writable(&staged, 2 * MIB, NULL), 0);
	ck_assert_ptr_ne(staged, reader);
	ck_assert_int_eq(staged_size(staged), 2 * MIB);
	put(staged, 10, "xyz", 3);
	memcpy(other + 10, "xyz", 3);
	assert_sealed_as(staged, other, 2 * MIB);
	assert_sealed_as(reader, bytes, len);
	assert_holds(reader, bytes, len);
	staged_put_back(reader);
	staged_put_back(staged);
	free(bytes);
	free(other);
}
END_TEST

/* Two that show one file, told of by one number: who writes first gets a copy, the last one the
 * file. */
START_TEST(test_opened_again_for_several)
{
	struct staged *staged = new_file(), *one, *other;
	uint64_t id = staged_id(staged);

	put(staged, 0, "abc", 3);
	staging_keep_files(staging, true);
	staged_put_back(staged);
	staging_keep_files(staging, false);
	ck_assert_ptr_null(staged_find(staging, id));
	ck_assert_int_eq(staged_reopen(&one, staging, id, NULL), 0);
	ck_assert_int_eq(staged_reopen(&other, staging, id, NULL), 0);
	ck_assert_ptr_eq(one, other);
	ck_assert(!staged_write_begin(one));
	ck_assert(!staged_unseal(one));
	ck_assert_int_eq(staged_make_writable(&one, INT64_MAX, NULL), 0);
	ck_assert_ptr_ne(one, other);
	put(one, 0, "xyz", 3);
	assert_holds(one, "xyz", 3);
	assert_holds(other, "abc", 3);
	ck_assert(staged_unseal(other));
	put(other, 3, "d", 1);
	assert_holds(other, "abcd", 4);
	staged_put_back(one);
	staged_put_back(other);
}
END_TEST

/* What the blob cache has linked must not be written to. */
START_TEST(test_linked_file_is_copied)
{
	struct staged *staged = new_file();
	char from[64], to[128], got[4] = "";

	put(staged, 0, "abc", 3);
	assert_sealed_as(staged, "abc", 3);
	snprintf(from, sizeof(from), "/proc/self/fd/%d", staged_fd(staged));
	snprintf(to, sizeof(to), "%s/linked", folder);
	ck_assert_int_eq(linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW), 0);
	ck_assert_int_eq(staged_make_writable(&staged, 3, NULL), 0);
	put(staged, 0, "x", 1);
	int fd = open(to, O_RDONLY);
	ck_assert_int_eq(read(fd, got, 3), 3);
	ck_assert_str_eq(got, "abc");
	close(fd);
	unlink(to);
	assert_sealed_as(staged, "xbc", 3);
	staged_put_back(staged);
}
END_TEST

START_TEST(test_holes)
{
	size_t len = 20 * MIB;
	unsigned char *bytes = calloc(1, len);
	struct staged *staged = new_file(), *copy;
	struct stat st;

	memcpy(bytes + 7 * MIB, "island", 6);
	put(staged, 7 * MIB, "island", 6);
	ck_assert_int_eq(staged_truncate(staged, (int64_t)len, NULL), 0);
	assert_sealed_as(staged, bytes, len);
	ck_assert_int_eq(
		staged_from_fd(&copy, staging, staged_fd(staged), INT64_MAX, NULL, NULL), 0);
	assert_sealed_as(copy, bytes, len);
	ck_assert_int_eq(fstat(staged_fd(copy), &st), 0);
	ck_assert_int_lt(st.st_blocks * 512, (int64_t)MIB);
	staged_put_back(copy);
	staged_put_back(staged);
	free(bytes);
}
END_TEST

START_TEST(test_copy_keeps_only_what_is_there)
{
	struct staged *staged = new_file(), *copy;

	put(staged, 0, "abcdef", 6);
	ck_assert_int_eq(staged_from_fd(&copy, staging, staged_fd(staged), 4, NULL, NULL), 0);
	assert_sealed_as(copy, "abcd", 4);
	staged_put_back(copy);
	ck_assert_int_eq(staged_from_fd(&copy, staging, staged_fd(staged), 100, NULL, NULL), 0);
	assert_sealed_as(copy, "abcdef", 6);
	staged_put_back(copy);
	staged_put_back(staged);
}
END_TEST

/* 2^32 bytes of zeros and one more; the digest is of coreutils' sha256sum. */
START_TEST(test_over_4_gib)
{
	struct staged *staged = new_file();
	struct digest got;
	int64_t size;

	put(staged, (uint64_t)1 << 32, "x", 1);
	ck_assert_int_eq(staged_seal(staged, &got, &size, NULL, NULL), 0);
	ck_assert_int_eq(size, ((int64_t)1 << 32) + 1);
	ck_assert_str_eq(got.text,
		"sha256:07d357bda5c988a206bb478ade5af844c26eaf242e951e5ac4d4f85b417ed69f");
	staged_put_back(staged);
}
END_TEST

START_TEST(test_seal_is_interrupted)
{
	struct error err = ERROR_INIT;
	struct staged *staged = new_file();
	struct cancel cancel;
	struct digest digest;
	int64_t size;

	cancel_init(&cancel);
	put(staged, 0, "abc", 3);
	cancel_fire(&cancel);
	ck_assert_int_eq(staged_seal(staged, &digest, &size, &cancel, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_INTERRUPTED);
	put(staged, 3, "def", 3);
	assert_sealed_as(staged, "abcdef", 6);
	/* What is sealed already costs nothing, so nothing is interrupted. */
	ck_assert_int_eq(staged_seal(staged, &digest, &size, &cancel, NULL), 0);
	cancel_destroy(&cancel);
	staged_put_back(staged);
}
END_TEST

struct sealer {
	pthread_t thread;
	struct staged *staged;
	struct cancel *cancel;
	struct error err;
	struct digest digest;
	int result;
};

static void *seal_thread(void *context)
{
	struct sealer *sealer = context;
	int64_t size;

	sealer->result =
		staged_seal(sealer->staged, &sealer->digest, &size, sealer->cancel, &sealer->err);
	return NULL;
}

/* Begins a seal that has to wait for the writer that the caller is. */
static void sealer_start(struct sealer *sealer, struct staged *staged, struct cancel *cancel)
{
	*sealer = (struct sealer){.staged = staged, .cancel = cancel};
	ck_assert_int_eq(pthread_create(&sealer->thread, NULL, seal_thread, sealer), 0);
	while (staged_write_begin(staged)) {
		staged_write_end(staged, 0, 0);
		usleep(1000);
	}
}

START_TEST(test_seal_waits_for_writers)
{
	struct staged *staged = new_file();
	struct sealer sealer;
	struct digest want;

	put(staged, 0, "abc", 3);
	ck_assert(staged_write_begin(staged));
	sealer_start(&sealer, staged, NULL);
	ck_assert_int_eq(pwrite(staged_fd(staged), "def", 3, 3), 3);
	staged_write_end(staged, 3, 3);
	pthread_join(sealer.thread, NULL);
	ck_assert_int_eq(sealer.result, 0);
	digest_of_bytes(&want, "abcdef", 6);
	ck_assert_str_eq(sealer.digest.text, want.text);
	staged_put_back(staged);
}
END_TEST

START_TEST(test_wait_for_writers_is_interrupted)
{
	struct staged *staged = new_file();
	struct cancel cancel;
	struct sealer sealer;

	cancel_init(&cancel);
	ck_assert(staged_write_begin(staged));
	sealer_start(&sealer, staged, &cancel);
	cancel_fire(&cancel);
	pthread_join(sealer.thread, NULL);
	ck_assert_int_eq(sealer.result, -1);
	ck_assert_int_eq(sealer.err.kind, ERROR_INTERRUPTED);
	/* The file is open again. */
	ck_assert(staged_write_begin(staged));
	staged_write_end(staged, 0, 0);
	staged_write_end(staged, 0, 0);
	cancel_destroy(&cancel);
	staged_put_back(staged);
}
END_TEST

#define WRITERS 4

struct writer {
	pthread_t thread;
	struct staged *staged;
	const unsigned char *bytes;
	size_t first, len;
};

static void *writer_thread(void *context)
{
	struct writer *writer = context;
	size_t step = 64 << 10;

	for (size_t at = writer->first; at < writer->len; at += WRITERS * step)
		put(writer->staged, at, writer->bytes + at, step);
	return NULL;
}

START_TEST(test_many_writers)
{
	size_t len = 16 * MIB;
	unsigned char *bytes = noise(len, 6);
	struct staged *staged = new_file();
	struct writer writers[WRITERS];

	for (size_t i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){
			.staged = staged, .bytes = bytes, .first = i * (64 << 10), .len = len};
		pthread_create(&writers[i].thread, NULL, writer_thread, &writers[i]);
	}
	for (size_t i = 0; i < WRITERS; i++)
		pthread_join(writers[i].thread, NULL);
	assert_sealed_as(staged, bytes, len);
	staged_put_back(staged);
	free(bytes);
}
END_TEST

/* The last reference may go while the follower is at work. */
START_TEST(test_put_back_while_hashing)
{
	unsigned char *bytes = noise(4 * MIB, 7);

	for (int i = 0; i < 20; i++) {
		struct staged *staged = new_file();

		put(staged, 0, bytes, 4 * MIB);
		staged_put_back(staged);
	}
	free(bytes);
}
END_TEST

/* A full disk: the error is told, and what was sealed stays whole. */
START_TEST(test_full_disk)
{
	struct error err = ERROR_INIT;
	unsigned char *bytes = noise(3 * MIB, 8);
	char small[64];

	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_SLAVE, NULL) < 0) {
		fprintf(stderr, "test_full_disk left out: needs to mount\n");
		free(bytes);
		return;
	}
	staging_close(staging);
	snprintf(small, sizeof(small), "%s/small", folder);
	ck_assert_int_eq(mkdir(small, 0700), 0);
	ck_assert_int_eq(mount("tmpfs", small, "tmpfs", 0, "size=4m"), 0);
	snprintf(area, sizeof(area), "%s/area", small);
	open_area();

	struct staged *staged = new_file(), *reader, *before = staged;
	put(staged, 0, bytes, 3 * MIB);
	assert_sealed_as(staged, bytes, 3 * MIB);
	reader = staged_ref(staged);
	ck_assert_int_eq(staged_make_writable(&staged, INT64_MAX, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_SYSTEM);
	ck_assert_int_eq(err.status, ENOSPC);
	ck_assert_ptr_eq(staged, before);
	assert_holds(reader, bytes, 3 * MIB);
	/* There is room for a smaller copy: nothing of the failed one is left. */
	ck_assert_int_eq(staged_make_writable(&staged, (int64_t)(MIB / 2), NULL), 0);
	assert_sealed_as(staged, bytes, MIB / 2);
	staged_put_back(staged);
	staged_put_back(reader);
	staging_close(staging);
	ck_assert_int_eq(umount(small), 0);
	ck_assert_int_eq(rmdir(small), 0);
	snprintf(area, sizeof(area), "%s/area", folder);
	open_area();
	free(bytes);
}
END_TEST

/* What the property test believes of one reference. */
struct model {
	struct staged *staged;
	unsigned char *bytes;
	size_t len;
};

#define MODEL_MAX (6 * MIB)

static bool model_is_open(const struct model *model)
{
	if (!staged_write_begin(model->staged))
		return false;
	staged_write_end(model->staged, 0, 0);
	return true;
}

static void model_write(struct model *model, const unsigned char *source, bool append)
{
	size_t len = 1 + (size_t)rand() % (rand() % 4 ? 5000 : 2 * MIB);
	size_t offset = append ? model->len : (size_t)rand() % MODEL_MAX;

	if (offset >= MODEL_MAX)
		return;
	if (len > MODEL_MAX - offset)
		len = MODEL_MAX - offset;
	source += (size_t)rand() % MODEL_MAX;
	if (offset > model->len)
		memset(model->bytes + model->len, 0, offset - model->len);
	memcpy(model->bytes + offset, source, len);
	put(model->staged, offset, source, len);
	if (offset + len > model->len)
		model->len = offset + len;
}

static void model_truncate(struct model *model)
{
	size_t len = rand() % 3 ? (size_t)rand() % MODEL_MAX : 0;

	ck_assert_int_eq(staged_truncate(model->staged, (int64_t)len, NULL), 0);
	if (len > model->len)
		memset(model->bytes + model->len, 0, len - model->len);
	model->len = len;
}

static void model_make_writable(struct model *model)
{
	struct staged *before = model->staged;
	size_t keep = (size_t)rand() % MODEL_MAX;

	ck_assert_int_eq(staged_make_writable(&model->staged, (int64_t)keep, NULL), 0);
	if (model->staged != before && keep < model->len)
		model->len = keep;
}

/* The second reference is to the same file, sealed, or to one of its own. */
static void model_share(struct model *to, const struct model *from)
{
	assert_sealed_as(from->staged, from->bytes, from->len);
	staged_put_back(to->staged);
	to->staged = staged_ref(from->staged);
	to->len = from->len;
	memcpy(to->bytes, from->bytes, from->len);
}

static void model_step(struct model models[2], const unsigned char *source)
{
	int which = rand() % 2;
	struct model *model = &models[which];

	if (rand() % 20 == 0) {
		model_share(model, &models[!which]);
	} else if (!model_is_open(model)) {
		model_make_writable(model);
	} else {
		switch (rand() % 8) {
		case 0:
			assert_sealed_as(model->staged, model->bytes, model->len);
			break;
		case 1:
			model_truncate(model);
			break;
		case 2:
			model_write(model, source, false);
			break;
		default:
			model_write(model, source, true);
			break;
		}
	}
	ck_assert_int_eq(staged_size(model->staged), (int64_t)model->len);
}

START_TEST(test_random_sequences)
{
	unsigned char *source = noise(MODEL_MAX * 2, 9);
	struct model models[2];

	srand((unsigned)_i + 1);
	for (int i = 0; i < 2; i++)
		models[i] = (struct model){.staged = new_file(), .bytes = malloc(MODEL_MAX)};
	for (int step = 0; step < 250; step++)
		model_step(models, source);
	for (int i = 0; i < 2; i++) {
		assert_sealed_as(models[i].staged, models[i].bytes, models[i].len);
		assert_holds(models[i].staged, models[i].bytes, models[i].len);
		staged_put_back(models[i].staged);
		free(models[i].bytes);
	}
	free(source);
}
END_TEST

/* With a second reference: nobody syncs what nobody else has. */
static int sync_one(struct staged *staged)
{
	int result;

	staged_ref(staged);
	result = staging_sync(staging, &staged, 1, NULL, NULL);
	staged_put_back(staged);
	return result;
}

START_TEST(test_a_write_takes_a_file_from_the_disk)
{
	struct staged *staged = new_file();

	ck_assert_int_eq(staged_disk(staged), STAGED_CACHED);
	put(staged, 0, "one", 3);
	ck_assert_int_eq(sync_one(staged), 0);
	ck_assert_int_eq(staged_disk(staged), STAGED_ON_DISK);
	put(staged, 0, "two", 3);
	ck_assert_int_eq(staged_disk(staged), STAGED_CACHED);
	staged_set_disk(staged, STAGED_DOUBTFUL);
	ck_assert_int_eq(staged_truncate(staged, 1, NULL), 0);
	ck_assert_int_eq(staged_disk(staged), STAGED_CACHED);
	staged_put_back(staged);
}
END_TEST

START_TEST(test_what_is_being_written_is_not_on_disk)
{
	struct staged *staged = new_file();

	ck_assert(staged_write_begin(staged));
	ck_assert_int_eq(sync_one(staged), 0);
	ck_assert_int_eq(staged_disk(staged), STAGED_CACHED);
	staged_write_end(staged, 0, 0);
	ck_assert_int_eq(sync_one(staged), 0);
	ck_assert_int_eq(staged_disk(staged), STAGED_ON_DISK);
	staged_put_back(staged);
}
END_TEST

START_TEST(test_many_files_at_once)
{
	struct staged *files[100];

	for (size_t i = 0; i < 100; i++) {
		files[i] = new_file();
		put(files[i], 0, "x", 1);
	}
	ck_assert_int_eq(staging_sync(staging, files, 100, NULL, NULL), 0);
	for (size_t i = 0; i < 100; i++) {
		ck_assert_int_eq(staged_disk(files[i]), STAGED_ON_DISK);
		staged_put_back(files[i]);
	}
}
END_TEST

START_TEST(test_what_is_given_up_is_not_synced)
{
	struct staged *staged = new_file();
	struct cancel cancel;
	struct error err = ERROR_INIT;

	put(staged, 0, "x", 1);
	ck_assert_int_eq(staging_sync(staging, &staged, 1, NULL, NULL), 0);
	ck_assert_int_eq(staged_disk(staged), STAGED_CACHED);
	staged_ref(staged);
	cancel_init(&cancel);
	cancel_fire(&cancel);
	ck_assert_int_eq(staging_sync(staging, &staged, 1, &cancel, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_INTERRUPTED);
	ck_assert_int_eq(staged_disk(staged), STAGED_CACHED);
	cancel_destroy(&cancel);
	staged_put_back(staged);
	staged_put_back(staged);
}
END_TEST

static bool is_there(uint64_t id)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%llu", area, (unsigned long long)id);
	return access(path, F_OK) == 0;
}

/* What is on disk stays until the journal that doesn't tell of it is there too. */
START_TEST(test_what_is_on_disk_goes_when_it_is_told_to)
{
	struct staged *on_disk = new_file(), *cached = new_file(), *later = new_file();
	uint64_t ids[] = {staged_id(on_disk), staged_id(cached), staged_id(later)};
	struct staging_gone gone;

	staging_keep_gone(staging, true);
	ck_assert_int_eq(sync_one(on_disk), 0);
	ck_assert_int_eq(sync_one(later), 0);
	staged_put_back(on_disk);
	staged_put_back(cached);
	ck_assert(is_there(ids[0]));
	ck_assert(!is_there(ids[1]));
	gone = staging_take_gone(staging);
	staged_put_back(later);
	ck_assert_uint_eq(gone.count, 1);
	staging_remove_gone(staging, &gone);
	ck_assert(!is_there(ids[0]));
	ck_assert(is_there(ids[2]));
	/* the end of all takes the rest: teardown() finds the area empty */
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("staging");
	TCase *area_case = tcase_create("area"), *random = tcase_create("random");
	TCase *slow = tcase_create("slow");

	tcase_add_checked_fixture(area_case, setup, teardown);
	tcase_set_timeout(area_case, 60);
	tcase_add_test(area_case, test_files_are_private);
	tcase_add_test(area_case, test_numbers_in_use_are_not_given_again);
	tcase_add_test(area_case, test_folder_that_is_a_link_is_refused);
	tcase_add_test(area_case, test_empty_file);
	tcase_add_test(area_case, test_sequential_writing);
	tcase_add_test(area_case, test_writes_out_of_order);
	tcase_add_test(area_case, test_write_below_the_hash);
	tcase_add_test(area_case, test_append_after_seal);
	tcase_add_test(area_case, test_cut_of_a_sealed_file);
	tcase_add_test(area_case, test_copy_leaves_the_sealed_file);
	tcase_add_test(area_case, test_opened_again_for_several);
	tcase_add_test(area_case, test_linked_file_is_copied);
	tcase_add_test(area_case, test_holes);
	tcase_add_test(area_case, test_copy_keeps_only_what_is_there);
	tcase_add_test(area_case, test_seal_is_interrupted);
	tcase_add_test(area_case, test_seal_waits_for_writers);
	tcase_add_test(area_case, test_wait_for_writers_is_interrupted);
	tcase_add_test(area_case, test_many_writers);
	tcase_add_test(area_case, test_put_back_while_hashing);
	tcase_add_test(area_case, test_a_write_takes_a_file_from_the_disk);
	tcase_add_test(area_case, test_what_is_being_written_is_not_on_disk);
	tcase_add_test(area_case, test_many_files_at_once);
	tcase_add_test(area_case, test_what_is_on_disk_goes_when_it_is_told_to);
	tcase_add_test(area_case, test_what_is_given_up_is_not_synced);
	tcase_add_test(area_case, test_full_disk);
	tcase_add_test(area_case, test_a_diff_id_is_computed_once);
	tcase_add_test(area_case, test_a_diff_id_is_of_a_type_and_a_content);
	tcase_add_test(area_case, test_a_damaged_file_has_no_diff_id);
	suite_add_tcase(suite, area_case);

	tcase_add_checked_fixture(random, setup, teardown);
	tcase_set_timeout(random, 60);
	tcase_add_loop_test(random, test_random_sequences, 0, 1);
	suite_add_tcase(suite, random);

	/* Gigabytes, and more of the same. */
	tcase_add_checked_fixture(slow, setup, teardown);
	tcase_set_timeout(slow, 120);
	tcase_set_tags(slow, "slow");
	tcase_add_loop_test(slow, test_random_sequences, 1, 8);
	tcase_add_test(slow, test_over_4_gib);
	suite_add_tcase(suite, slow);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
