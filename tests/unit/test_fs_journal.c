#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/work/journal.h"

#define HEADER "indexfs journal 1\n"
#define HEADER_LEN (sizeof HEADER - 1)

/* A folder of the test, and what a replay has seen, as text. */
static char dir[64];
static int dir_fd = -1;
static char seen[65536];

static void setup(void)
{
	strcpy(dir, "/tmp/test-journal.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY);
	ck_assert_int_ge(dir_fd, 0);
}

static void teardown(void)
{
	unlinkat(dir_fd, "journal", 0);
	unlinkat(dir_fd, "journal.new", 0);
	close(dir_fd);
	rmdir(dir);
}

static int take(void *context, const struct record *record, struct error *err)
{
	size_t len = strlen(seen);

	(void)context;
	(void)err;
	snprintf(seen + len, sizeof seen - len, "%c(%s,%s)", record->kind, record->texts[0],
		record->texts[1]);
	return 0;
}

static struct journal *open_and_replay(void)
{
	struct error err = ERROR_INIT;
	struct journal *journal;

	seen[0] = '\0';
	ck_assert_int_eq(journal_open(&journal, dir_fd, "journal", &err), 0);
	ck_assert_int_eq(journal_replay(journal, take, NULL, &err), 0);
	return journal;
}

static void append(struct journal *journal, char kind, const char *a, const char *b)
{
	struct record record = {.kind = kind, .texts = {a, b}};

	ck_assert_int_eq(journal_append(journal, &record, 1, NULL), 0);
}

START_TEST(nothing_is_written_before_the_first_record)
{
	struct journal *journal = open_and_replay();
	struct stat st;

	ck_assert(journal_is_empty(journal));
	ck_assert_int_ne(fstatat(dir_fd, "journal", &st, 0), 0);
	append(journal, 'F', "a", "1");
	ck_assert(!journal_is_empty(journal));
	journal_close(journal);
}
END_TEST

START_TEST(records_come_back_in_order)
{
	struct journal *journal = open_and_replay();

	append(journal, 'F', "linux-amd64/a b\n", "1");
	append(journal, 'U', "", "");
	append(journal, 'R', "x", "caf\xc3\xa9");
	journal_close(journal);
	journal = open_and_replay();
	ck_assert_str_eq(seen, "F(linux-amd64/a b\n,1)U(,)R(x,caf\xc3\xa9)");
	append(journal, 'D', "more", "");
	journal_close(journal);
	journal = open_and_replay();
	ck_assert_str_eq(seen, "F(linux-amd64/a b\n,1)U(,)R(x,caf\xc3\xa9)D(more,)");
	journal_close(journal);
}
END_TEST

static size_t journal_size(void)
{
	struct stat st;

	ck_assert_int_eq(fstatat(dir_fd, "journal", &st, 0), 0);
	return (size_t)st.st_size;
}

static size_t journal_size_or_zero(void)
{
	struct stat st;

	return fstatat(dir_fd, "journal", &st, 0) ? 0 : (size_t)st.st_size;
}

/* Cut off at every byte: the records before the cut, and no other, and it can be gone on with. */
START_TEST(cut_at_every_byte)
{
	struct journal *journal = open_and_replay();
	size_t first, size, cut;
	char whole[4096];
	int fd;

	append(journal, 'F', "one", "1");
	first = journal_size();
	append(journal, 'F', "two", "2");
	journal_close(journal);
	size = journal_size();
	fd = openat(dir_fd, "journal", O_RDONLY);
	ck_assert_int_eq(read(fd, whole, sizeof whole), (ssize_t)size);
	close(fd);
	for (cut = 0; cut <= size; cut++) {
		const char *want = cut < first ? "" : cut < size ? "F(one,1)" : "F(one,1)F(two,2)";
		size_t kept = cut < first ? HEADER_LEN : cut < size ? first : size;
		char longer[64];

		fd = openat(dir_fd, "journal", O_WRONLY | O_TRUNC);
		ck_assert_int_eq(write(fd, whole, cut), (ssize_t)cut);
		close(fd);
		journal = open_and_replay();
		ck_assert_str_eq(seen, want);
		ck_assert_uint_eq(journal_cut(journal), cut > kept ? cut - kept : 0);
		append(journal, 'U', "after", "");
		journal_close(journal);
		journal_close(open_and_replay());
		snprintf(longer, sizeof longer, "%sU(after,)", want);
		ck_assert_str_eq(seen, longer);
	}
}
END_TEST

/* A flipped bit anywhere in the last record loses that record, and nothing before it. */
START_TEST(damaged_at_every_byte)
{
	struct journal *journal = open_and_replay();
	size_t first, size, at;
	int fd;

	append(journal, 'F', "one", "1");
	first = journal_size();
	append(journal, 'F', "two", "2");
	journal_close(journal);
	size = journal_size();
	for (at = first; at < size; at++) {
		char byte, whole[4096];

		fd = openat(dir_fd, "journal", O_RDWR);
		ck_assert_int_eq(pread(fd, whole, sizeof whole, 0), (ssize_t)size);
		byte = (char)(whole[at] ^ 0x10);
		ck_assert_int_eq(pwrite(fd, &byte, 1, (off_t)at), 1);
		journal_close(open_and_replay());
		ck_assert_msg(!strcmp(seen, "F(one,1)"), "byte %zu: %s", at, seen);
		ck_assert_int_eq(pwrite(fd, whole, size, 0), (ssize_t)size);
		close(fd);
	}
}
END_TEST

static void write_at(size_t at, const char *bytes, size_t len)
{
	int fd = openat(dir_fd, "journal", O_WRONLY);

	ck_assert_int_eq(pwrite(fd, bytes, len, (off_t)at), (ssize_t)len);
	close(fd);
}

/* The records stay; only what says another version is taken for one. */
START_TEST(damaged_header)
{
	static const char header[] = HEADER, other[] = "indexfs journal 2\n";
	struct journal *journal = open_and_replay();
	struct error err = ERROR_INIT;

	append(journal, 'F', "one", "1");
	append(journal, 'F', "two", "2");
	journal_close(journal);
	for (size_t at = 0; at < HEADER_LEN; at++) {
		char byte = (char)(header[at] ^ 0x40);

		write_at(at, &byte, 1);
		journal = open_and_replay();
		ck_assert_msg(!strcmp(seen, "F(one,1)F(two,2)"), "byte %zu: %s", at, seen);
		ck_assert(journal_is_damaged(journal));
		ck_assert(journal_is_kept(journal));
		journal_close(journal);
		unlinkat(dir_fd, "journal.damaged", 0);
		write_at(0, header, HEADER_LEN);
	}
	write_at(0, other, HEADER_LEN);
	ck_assert_int_eq(journal_open(&journal, dir_fd, "journal", &err), 0);
	ck_assert_int_eq(journal_replay(journal, take, NULL, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_INVALID);
	journal_close(journal);
}
END_TEST

/* In the middle: that record is left out, the others stay, and a copy is kept. */
START_TEST(damaged_in_the_middle)
{
	struct journal *journal = open_and_replay();
	size_t first;
	int fd;

	append(journal, 'F', "one", "1");
	first = journal_size();
	append(journal, 'F', "two", "2");
	append(journal, 'F', "three", "3");
	append(journal, 'F', "four", "4");
	journal_close(journal);
	fd = openat(dir_fd, "journal", O_WRONLY);
	ck_assert_int_eq(pwrite(fd, "X", 1, (off_t)first + 30), 1);
	close(fd);
	journal = open_and_replay();
	ck_assert_str_eq(seen, "F(one,1)F(three,3)F(four,4)");
	ck_assert(journal_is_damaged(journal));
	append(journal, 'U', "after", "");
	journal_close(journal);
	journal = open_and_replay();
	ck_assert_str_eq(seen, "F(one,1)F(three,3)F(four,4)U(after,)");
	journal_close(journal);
	ck_assert_int_eq(unlinkat(dir_fd, "journal.damaged", 0), 0);
}
END_TEST

START_TEST(replaced_at_once)
{
	struct record record = {.kind = 'N', .texts = {"new"}};
	struct buf text = BUF_INIT(BUF_UNBOUNDED);
	struct journal *journal = open_and_replay();

	append(journal, 'F', "old", "1");
	ck_assert_int_eq(journal_format(&text, &record, NULL), 0);
	ck_assert_int_eq(journal_replace(journal, &text, NULL), 0);
	append(journal, 'F', "later", "2");
	journal_close(journal);
	journal = open_and_replay();
	ck_assert_str_eq(seen, "N(new,)F(later,2)");
	buf_reset(&text);
	ck_assert_int_eq(journal_replace(journal, &text, NULL), 0);
	ck_assert(journal_is_empty(journal));
	journal_close(journal);
	journal_close(open_and_replay());
	ck_assert_str_eq(seen, "");
	buf_free(&text);
}
END_TEST

START_TEST(another_version_is_refused)
{
	struct error err = ERROR_INIT;
	struct journal *journal;
	int fd = openat(dir_fd, "journal", O_WRONLY | O_CREAT, 0600);

	ck_assert_int_eq(write(fd, "indexfs journal 9\nwhatever", 26), 26);
	close(fd);
	ck_assert_int_eq(journal_open(&journal, dir_fd, "journal", &err), 0);
	ck_assert_int_eq(journal_replay(journal, take, NULL, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_INVALID);
	ck_assert_int_eq(journal_size(), 26);
	journal_close(journal);
}
END_TEST

START_TEST(it_grows_and_is_made_anew)
{
	struct record record = {.kind = 'N', .texts = {"new"}};
	struct buf text = BUF_INIT(BUF_UNBOUNDED);
	struct journal *journal = open_and_replay();
	char long_text[10000];

	memset(long_text, 'x', sizeof long_text - 1);
	long_text[sizeof long_text - 1] = '\0';
	while (!journal_has_grown(journal)) {
		ck_assert_uint_lt(journal_size_or_zero(), 2 << 20);
		append(journal, 'F', long_text, "1");
	}
	ck_assert_uint_gt(journal_size(), 1 << 20);
	ck_assert_int_eq(journal_format(&text, &record, NULL), 0);
	ck_assert_int_eq(journal_replace(journal, &text, NULL), 0);
	ck_assert(!journal_has_grown(journal));
	journal_close(journal);
	buf_free(&text);
}
END_TEST

/* One that is large anew isn't made anew all the time. */
START_TEST(what_is_large_anew_has_not_grown)
{
	struct record record = {.kind = 'N'};
	struct buf text = BUF_INIT(BUF_UNBOUNDED);
	struct journal *journal = open_and_replay();
	char *long_text = malloc(2 << 20);

	memset(long_text, 'x', (2 << 20) - 1);
	long_text[(2 << 20) - 1] = '\0';
	record.texts[0] = long_text;
	ck_assert_int_eq(journal_format(&text, &record, NULL), 0);
	ck_assert_int_eq(journal_replace(journal, &text, NULL), 0);
	append(journal, 'F', "a", "1");
	ck_assert(!journal_has_grown(journal));
	journal_close(journal);
	free(long_text);
	buf_free(&text);
}
END_TEST

START_TEST(a_duplicate_can_be_synced_without_it)
{
	struct journal *journal = open_and_replay();
	int fd;

	ck_assert_int_eq(journal_dup(journal), -1);
	append(journal, 'F', "a", "1");
	fd = journal_dup(journal);
	ck_assert_int_ge(fd, 0);
	journal_close(journal);
	ck_assert_int_eq(fdatasync(fd), 0);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("journal");
	TCase *cases = tcase_create("journal");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_test(cases, nothing_is_written_before_the_first_record);
	tcase_add_test(cases, records_come_back_in_order);
	tcase_add_test(cases, cut_at_every_byte);
	tcase_add_test(cases, damaged_at_every_byte);
	tcase_add_test(cases, damaged_header);
	tcase_add_test(cases, damaged_in_the_middle);
	tcase_add_test(cases, replaced_at_once);
	tcase_add_test(cases, another_version_is_refused);
	tcase_add_test(cases, it_grows_and_is_made_anew);
	tcase_add_test(cases, what_is_large_anew_has_not_grown);
	tcase_add_test(cases, a_duplicate_can_be_synced_without_it);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
