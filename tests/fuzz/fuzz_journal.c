/*
 * A journal of any bytes is read, and what was read is all of it that is there the next time; one
 * of any records, cut off anywhere, comes back as the first of them. The first byte says which, and
 * where it's cut: a checksum is nothing that is found by trying.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "cleanup.h"
#include "fs/work/journal.h"

#define TOLD_MAX ((size_t)8 << 20)
#define CUT_PARTS 127

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char name[] = "journal";
static char folder[] = "/dev/shm/fuzz-journal.XXXXXX";
static int dir_fd = -1;

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void leave(void)
{
	unlinkat(dir_fd, name, 0);
	unlinkat(dir_fd, "journal.damaged", 0);
	rmdir(folder);
}

static void set_up(void)
{
	require(mkdtemp(folder) != NULL);
	dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	require(dir_fd >= 0 && atexit(leave) == 0);
}

static void write_file(const uint8_t *data, size_t size)
{
	cleanup_close int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
}

static int take(void *context, const struct record *record, struct error *err)
{
	return journal_format(context, record, err);
}

/* All records, as text; the file is mended by that. false: it is another version's. */
static bool read_file(struct buf *out)
{
	struct error err = ERROR_INIT;
	struct journal *journal;
	bool read;

	require(journal_open(&journal, dir_fd, name, &err) == 0);
	read = journal_replay(journal, take, out, &err) == 0;
	require(read || err.kind == ERROR_INVALID);
	journal_close(journal);
	return read;
}

static void any_bytes(const uint8_t *data, size_t size)
{
	cleanup_with(buf_free) struct buf first = BUF_INIT(TOLD_MAX);
	cleanup_with(buf_free) struct buf second = BUF_INIT(TOLD_MAX);

	write_file(data, size);
	if (!read_file(&first))
		return;
	require(first.len <= size && read_file(&second));
	require(first.len == second.len &&
		(!first.len || !memcmp(first.data, second.data, first.len)));
}

/* A line is a record, with tabs between its texts. */
static void append_line(struct journal *journal, struct buf *told, char *line)
{
	struct record record = {.kind = *line};

	if (!*line)
		return;
	line++;
	for (size_t i = 0; i < JOURNAL_TEXTS && line; i++)
		record.texts[i] = strsep(&line, "\t");
	require(journal_append(journal, &record, 1, NULL) == 0);
	require(journal_format(told, &record, NULL) == 0);
}

static void cut_file(unsigned part)
{
	cleanup_close int fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC);
	struct stat st;

	require(fd >= 0 && fstat(fd, &st) == 0);
	require(ftruncate(fd, st.st_size * part / CUT_PARTS) == 0);
}

static void any_records(unsigned part, const uint8_t *data, size_t size)
{
	cleanup_with(buf_free) struct buf told = BUF_INIT(TOLD_MAX);
	cleanup_with(buf_free) struct buf found = BUF_INIT(TOLD_MAX);
	cleanup_free char *text = strndup((const char *)data, size);
	struct journal *journal;
	char *rest = text, *line;

	require(text != NULL && journal_open(&journal, dir_fd, name, NULL) == 0);
	while ((line = strsep(&rest, "\n")))
		append_line(journal, &told, line);
	journal_close(journal);
	if (!told.len)
		return;
	cut_file(part);
	require(read_file(&found));
	require(found.len <= told.len && (!found.len || !memcmp(found.data, told.data, found.len)));
	require(part < CUT_PARTS || found.len == told.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (dir_fd < 0)
		set_up();
	unlinkat(dir_fd, name, 0);
	if (size && data[0] & 1)
		any_bytes(data + 1, size - 1);
	else if (size)
		any_records(data[0] >> 1, data + 1, size - 1);
	return 0;
}
