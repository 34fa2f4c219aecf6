#include "fs/work/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "crash_point.h"
#include "digest.h"

#define HEADER_BEGIN "indexfs journal "
static const char header[] = HEADER_BEGIN "1\n";
static const char kept[] = "journal.damaged";
#define HEADER_LEN (sizeof header - 1)

#define GROWN_LEAST ((off_t)1 << 20)
#define GROWN_TIMES 4

#define CHECKSUM_LEN 16
/* LENGTH, a space, CHECKSUM, a space */
#define PREFIX_LEN (8 + 1 + CHECKSUM_LEN + 1)

struct journal {
	int dir_fd; /* our own */
	int fd; /* -1 where there is no file yet */
	char *name;
	bool damaged;
	size_t cut; /* bytes at the end that were no whole record */
	off_t end; /* of the last whole record; 0 where there is no header yet */
	off_t fresh; /* where it ended when it was made anew */
};

int journal_open(struct journal **out, int dir_fd, const char *name, struct error *err)
{
	struct journal *journal = calloc(1, sizeof *journal);
	struct stat st;

	*out = NULL;
	if (!journal)
		return error_set_memory(err);
	journal->fd = -1;
	journal->name = strdup(name);
	journal->dir_fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 0);
	if (!journal->name || journal->dir_fd < 0) {
		journal_close(journal);
		return error_set_memory(err);
	}
	journal->fd = openat(dir_fd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if ((journal->fd < 0 && errno != ENOENT) || (journal->fd >= 0 && fstat(journal->fd, &st))) {
		error_set_errno(err, errno, "can't open the journal");
		journal_close(journal);
		return -1;
	}
	journal->end = journal->fd < 0 ? 0 : st.st_size;
	*out = journal;
	return 0;
}

void journal_close(struct journal *journal)
{
	if (!journal)
		return;
	if (journal->fd >= 0)
		close(journal->fd);
	if (journal->dir_fd >= 0)
		close(journal->dir_fd);
	free(journal->name);
	free(journal);
}

bool journal_is_damaged(const struct journal *journal)
{
	return journal->damaged;
}

size_t journal_cut(const struct journal *journal)
{
	return journal->cut;
}

bool journal_is_empty(const struct journal *journal)
{
	return journal->end <= (off_t)HEADER_LEN;
}

static void checksum(char out[static CHECKSUM_LEN + 1], const char *bytes, size_t len)
{
	struct digest digest;

	digest_of_bytes(&digest, bytes, len);
	snprintf(out, CHECKSUM_LEN + 1, "%s", digest_encoded(&digest));
}

int journal_format(struct buf *out, const struct record *record, struct error *err)
{
	cleanup_with(buf_free) struct buf texts = BUF_INIT(JOURNAL_RECORD_MAX);
	char sum[CHECKSUM_LEN + 1];
	int result = buf_append(&texts, &record->kind, 1);
	size_t i;

	for (i = 0; i < JOURNAL_TEXTS && !result; i++) {
		const char *text = record->texts[i] ? record->texts[i] : "";

		result = buf_append(&texts, text, strlen(text) + 1);
	}
	if (!result) {
		checksum(sum, texts.data, texts.len);
		result = buf_printf(out, "%08zx %s ", texts.len, sum) ||
			 buf_append(out, texts.data, texts.len) || buf_append_text(out, "\n");
	}
	return result ? error_set_memory(err) : 0;
}

/* Whether a whole record stands at the beginning; *len is how long it is. */
static bool record_is_whole(const char *at, size_t left, size_t *len)
{
	char length[9] = "", sum[CHECKSUM_LEN + 1];
	size_t texts;

	if (left < PREFIX_LEN || at[8] != ' ' || at[PREFIX_LEN - 1] != ' ')
		return false;
	memcpy(length, at, 8);
	if (strspn(length, "0123456789abcdef") != 8)
		return false;
	texts = strtoul(length, NULL, 16);
	if (!texts || texts > JOURNAL_RECORD_MAX || left < PREFIX_LEN + texts + 1 ||
		at[PREFIX_LEN + texts] != '\n' || at[PREFIX_LEN + texts - 1] != '\0')
		return false;
	checksum(sum, at + PREFIX_LEN, texts);
	*len = PREFIX_LEN + texts + 1;
	return !memcmp(sum, at + 9, CHECKSUM_LEN);
}

static void record_parse(struct record *out, const char *texts, size_t len)
{
	const char *at = texts + 1, *end = texts + len;
	size_t i;

	out->kind = texts[0];
	for (i = 0; i < JOURNAL_TEXTS; i++) {
		out->texts[i] = at < end ? at : "";
		if (at < end)
			at += strlen(at) + 1;
	}
}

void journal_keep(struct journal *journal)
{
	unlinkat(journal->dir_fd, kept, 0);
	linkat(journal->dir_fd, journal->name, journal->dir_fd, kept, 0);
}

bool journal_is_kept(const struct journal *journal)
{
	return faccessat(journal->dir_fd, kept, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Where the next whole record begins after a damaged one; size where there is none. */
static size_t next_whole(const char *bytes, size_t size, size_t at)
{
	const char *newline;
	size_t len;

	while ((newline = memchr(bytes + at, '\n', size - at))) {
		at = (size_t)(newline + 1 - bytes);
		if (record_is_whole(bytes + at, size - at, &len))
			return at;
	}
	return size;
}

/* What stands in the middle and is damaged is left out, and a copy of it all is kept. */
static void keep_damaged(struct journal *journal)
{
	journal_keep(journal);
	journal->damaged = true;
}

static int replay(struct journal *journal, const char *bytes, size_t size,
	int (*take)(void *context, const struct record *record, struct error *err), void *context,
	struct error *err)
{
	size_t at = HEADER_LEN, end = HEADER_LEN, len;

	while (at < size) {
		struct record record;

		if (!record_is_whole(bytes + at, size - at, &len)) {
			at = next_whole(bytes, size, at);
			if (at < size)
				keep_damaged(journal);
			continue;
		}
		record_parse(&record, bytes + at + PREFIX_LEN, len - PREFIX_LEN - 1);
		if (take(context, &record, err))
			return -1;
		at += len;
		end = at;
	}
	journal->end = (off_t)end;
	journal->cut += size > end ? size - end : 0;
	CRASH_POINT("journal.replayed");
	if (end < size && ftruncate(journal->fd, journal->end))
		return error_set_errno(err, errno, "can't mend the journal");
	return 0;
}

/* Whether it is a header, of a version that this program doesn't know. */
static bool is_of_other_version(const char *bytes, size_t size)
{
	static const size_t len = sizeof HEADER_BEGIN - 1;
	size_t digits;

	if (size < HEADER_LEN || !memcmp(bytes, header, HEADER_LEN) ||
		memcmp(bytes, HEADER_BEGIN, len) != 0)
		return false;
	for (digits = 0; len + digits < size; digits++)
		if (bytes[len + digits] < '0' || bytes[len + digits] > '9')
			break;
	return digits && len + digits < size && bytes[len + digits] == '\n';
}

static int read_all(int fd, char *bytes, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = pread(fd, bytes + done, size - done, (off_t)done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -1;
		done += (size_t)got;
	}
	return 0;
}

int journal_replay(struct journal *journal,
	int (*take)(void *context, const struct record *record, struct error *err), void *context,
	struct error *err)
{
	cleanup_free char *bytes = NULL;
	size_t size = (size_t)journal->end;

	if (!size)
		return 0;
	bytes = malloc(size);
	if (!bytes)
		return error_set_memory(err);
	if (read_all(journal->fd, bytes, size))
		return error_set_errno(err, errno, "can't read the journal");
	/* the header itself can have been cut off: nothing was done then */
	if (size < HEADER_LEN && !memcmp(bytes, header, size)) {
		journal->end = 0;
		return 0;
	}
	if (is_of_other_version(bytes, size))
		return error_set(err, ERROR_INVALID,
			"the journal was written by another version of this program");
	if (size < HEADER_LEN || memcmp(bytes, header, HEADER_LEN) != 0)
		keep_damaged(journal);
	return replay(journal, bytes, size, take, context, err);
}

static int write_all(int fd, const char *bytes, size_t len, off_t at)
{
	while (len) {
		ssize_t written = pwrite(fd, bytes, len, at);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -1;
		bytes += written;
		len -= (size_t)written;
		at += written;
	}
	return 0;
}

/* The file with its header. */
static int begin(struct journal *journal, struct error *err)
{
	if (journal->fd < 0)
		journal->fd = openat(journal->dir_fd, journal->name,
			O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (journal->fd < 0)
		return error_set_errno(err, errno, "can't make the journal");
	if (journal->end)
		return 0;
	CRASH_TORN("journal.header.torn", journal->fd, header, HEADER_LEN, 0);
	if (write_all(journal->fd, header, HEADER_LEN, 0))
		return error_set_errno(err, errno, "can't write the journal");
	journal->end = HEADER_LEN;
	return 0;
}

int journal_append(
	struct journal *journal, const struct record *records, size_t count, struct error *err)
{
	cleanup_with(buf_free) struct buf text = BUF_INIT((count + 1) * JOURNAL_RECORD_MAX);

	for (size_t i = 0; i < count; i++)
		if (journal_format(&text, &records[i], err))
			return -1;
	if (begin(journal, err))
		return -1;
	CRASH_POINT("journal.append");
	CRASH_TORN("journal.append.torn", journal->fd, text.data, text.len, journal->end);
	if (write_all(journal->fd, text.data, text.len, journal->end)) {
		error_set_errno(err, errno, "can't write the journal");
		/* half a record would hide all that comes after it */
		if (ftruncate(journal->fd, journal->end))
			error_set_errno(err, errno, "can't mend the journal");
		return -1;
	}
	CRASH_POINT("journal.appended");
	journal->end += (off_t)text.len;
	return 0;
}

int journal_sync(struct journal *journal, struct error *err)
{
	CRASH_POINT("journal.sync");
	if (journal->fd >= 0 && (fdatasync(journal->fd) || fsync(journal->dir_fd)))
		return error_set_errno(err, errno, "can't write the journal");
	CRASH_POINT("journal.synced");
	return 0;
}

/* The file that takes the old one's place, all of it and durably. */
static int write_fresh(int fd, const struct buf *records)
{
	if (fd < 0 || write_all(fd, header, HEADER_LEN, 0))
		return -1;
	CRASH_TORN("journal.replace.torn", fd, records->data, records->len, HEADER_LEN);
	return write_all(fd, records->data, records->len, HEADER_LEN) || fdatasync(fd) ? -1 : 0;
}

static int take_place(const struct journal *journal, const char *fresh)
{
	CRASH_POINT("journal.replace.written");
	if (renameat(journal->dir_fd, fresh, journal->dir_fd, journal->name))
		return -1;
	CRASH_POINT("journal.replace.renamed");
	return 0;
}

/* Needs no room on the disk. */
static int empty(struct journal *journal, struct error *err)
{
	if (ftruncate(journal->fd, HEADER_LEN) || fdatasync(journal->fd))
		return error_set_errno(err, errno, "can't empty the journal");
	CRASH_POINT("journal.emptied");
	journal->end = journal->fresh = HEADER_LEN;
	return 0;
}

int journal_dup(const struct journal *journal)
{
	return journal->fd < 0 ? -1 : fcntl(journal->fd, F_DUPFD_CLOEXEC, 0);
}

bool journal_has_grown(const struct journal *journal)
{
	return journal->end > GROWN_LEAST && journal->end / GROWN_TIMES > journal->fresh;
}

int journal_replace(struct journal *journal, const struct buf *records, struct error *err)
{
	static const char fresh[] = "journal.new";
	cleanup_close int fd = -1;

	if (!records->len && journal->end <= (off_t)HEADER_LEN)
		return 0;
	CRASH_POINT("journal.replace");
	if (!records->len && !journal_is_kept(journal))
		return empty(journal, err);
	fd = openat(
		journal->dir_fd, fresh, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (write_fresh(fd, records) || take_place(journal, fresh)) {
		error_set_errno(err, errno, "can't write the journal");
		unlinkat(journal->dir_fd, fresh, 0);
		return -1;
	}
	CRASH_POINT("journal.replaced");
	if (journal->fd >= 0)
		close(journal->fd);
	journal->fd = steal_fd(&fd);
	journal->end = journal->fresh = (off_t)(HEADER_LEN + records->len);
	if (fsync(journal->dir_fd))
		return error_set_errno(err, errno, "can't write the journal");
	return 0;
}
