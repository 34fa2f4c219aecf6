/*
 * history_record.h - the journal from inside: its records, for those who write and those who read
 * them.
 */
#ifndef INDEXFS_FS_TREE_HISTORY_RECORD_H
#define INDEXFS_FS_TREE_HISTORY_RECORD_H

#include "fs/tree/intent.h"
#include "fs/tree/node.h"
#include "fs/work/boot.h"
#include "fs/work/journal.h"
#include "fs/work/staging.h"

enum {
	RECORD_BASE = 'B', /* digest of the root ("": none), entry of a single manifest */
	RECORD_CLEAR = 'C', /* path: all that is in it goes, what follows is what it has */
	RECORD_ENTRY = 'E', /* name, number in the index: a folder of the base */
	RECORD_FOLDER = 'D', /* path: a directory; or a platform folder that is new, and its order
				("": the last) */
	RECORD_END = 'Z', /* of what was told when the journal was made anew */
	RECORD_FILE = 'F', /* path, number of the staged file, mode, order, time; the descriptor of
			      the layer that it was ("": none) */
	RECORD_LAYER = 'L', /* path, descriptor, mode, order, time: a layer of the repository */
	RECORD_REMOVED = 'U', /* path */
	RECORD_RENAMED = 'R', /* path, new path */
	RECORD_MODE = 'X', /* path, mode */
	RECORD_TIME = 'T', /* path, time */
	RECORD_INTENT =
		'I', /* digest of a root that the tag is about to get, and of what is ours */
	RECORD_NOTES = 'N', /* path of the tag or folder, text of its annotations.json */
	RECORD_GIVEN =
		'G', /* path of the tag or folder, name of a file in .oci, text, "whole" or "" */
	RECORD_LEFT =
		'W', /* path of the folder, annotations of files that were removed, likewise */
	RECORD_ANNOTATED = 'A', /* path, key, value */
	RECORD_UNANNOTATED = 'O', /* path, key */
	RECORD_MEDIA_TYPE = 'Y', /* path, media type ("": by its name) */
	RECORD_BOOT = 'K', /* boot id of the machine in which what follows was done */
	RECORD_ON_DISK = 'S', /* number of a staged file, its size: as it is, it's on disk */
	RECORD_DOUBTFUL = 'Q', /* number of a staged file of which nobody knows that */
};

struct history {
	struct journal *journal;
	int dir_fd; /* the state folder */
	int kept_fd; /* the documents that are kept, in it */
	char boot[BOOT_ID_SIZE]; /* of this life of the machine */
	bool boot_told; /* it stands in the journal */
	bool other_boot; /* what is being replayed was done in another */
	bool unfinished; /* what is being replayed began to tell of all there is, and hasn't ended
			  */
	bool unsynced; /* something was appended since history_flush_begin() */
	bool behind; /* it tells of another base: nothing can be appended to it */
};

#define RECORD_NUMBER_SIZE 48

/* Room for the texts of a record that are numbers. */
struct record_numbers {
	char id[RECORD_NUMBER_SIZE], mode[RECORD_NUMBER_SIZE], order[RECORD_NUMBER_SIZE],
		time[RECORD_NUMBER_SIZE];
};

/* What a record says of a thing as it is now; its texts are borrowed, from the thing, from numbers
 * and from the other arguments. The lock is held. */
struct record record_base(const struct node *root);
struct record record_node(
	const struct node *node, const char *path, struct record_numbers *numbers);
struct record record_intent(const struct intent *intent);
struct record record_given(const char *path, const char *name, const char *text, bool whole);
/* What is known of a file's bytes and the disk; false where that is nothing. */
bool record_disk(struct record *out, struct staged *staged, struct record_numbers *numbers);

void record_time(char out[static RECORD_NUMBER_SIZE], const struct timespec *time);
/* The notes of a tag or folder, as text. */
int record_notes(struct buf *text, const struct node *owner, struct error *err);

#endif
