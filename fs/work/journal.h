/*
 * journal.h - what was done since the last commit, in the order in which it was done.
 *
 * An append-only file of records, each with its length and a checksum. A record that was cut off at
 * the end never happened. One that is damaged with whole ones after it, or a damaged header, is
 * left out, and the file kept as it was under the name journal.damaged. A record is a letter and a
 * few texts; what they mean is its writer's business.
 *
 * A line of the file is "LENGTH CHECKSUM TEXTS\n": both numbers in hex, the checksum the beginning
 * of the sha256 of the texts, the texts with a NUL after each but the last. Not thread-safe.
 */
#ifndef INDEXFS_FS_WORK_JOURNAL_H
#define INDEXFS_FS_WORK_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "error.h"

#define JOURNAL_TEXTS 6
#define JOURNAL_RECORD_MAX ((size_t)8 << 20)

struct journal;

struct record {
	char kind;
	const char *texts[JOURNAL_TEXTS]; /* those that a kind has; the rest are "" */
};

/* Opens the file NAME in a folder, or makes it when something is appended first. */
int journal_open(struct journal **out, int dir_fd, const char *name, struct error *err);
void journal_close(struct journal *journal);

/* Whether there is nothing in it. */
bool journal_is_empty(const struct journal *journal);

/* Whether the replay has left out a damaged record. */
bool journal_is_damaged(const struct journal *journal);

/* How many bytes at the end the replay has cut off: no whole record. */
size_t journal_cut(const struct journal *journal);

/* Keeps the file as it is now, in place of what was kept before, under the name journal.damaged;
 * and whether something is kept. */
void journal_keep(struct journal *journal);
bool journal_is_kept(const struct journal *journal);

/* Calls take() for each whole record, the oldest first, and cuts off what comes after the last.
 * ERROR_INVALID for a journal of another version. Stops where take() fails. */
int journal_replay(struct journal *journal,
	int (*take)(void *context, const struct record *record, struct error *err), void *context,
	struct error *err);

/* Writes records to the end, or nothing at all (disk full). Durable after journal_sync(). */
int journal_append(
	struct journal *journal, const struct record *records, size_t count, struct error *err);
int journal_sync(struct journal *journal, struct error *err);

/* The same without holding up who appends: a descriptor of what there is now, to be synced without
 * the journal and closed by the caller; -1 where there is nothing, or it can't be had. */
int journal_dup(const struct journal *journal);

/* Whether it has become large, and much larger than when it was made anew. */
bool journal_has_grown(const struct journal *journal);

/* The text of a record, appended to what journal_replace() takes. */
int journal_format(struct buf *out, const struct record *record, struct error *err);

/* Puts other records in the place of all that there are, at once and durably; none empties it. */
int journal_replace(struct journal *journal, const struct buf *records, struct error *err);

#endif
