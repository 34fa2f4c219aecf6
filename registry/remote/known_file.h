/*
 * known_file.h - the slots of known.h on disk: a small file for each.
 *
 * Their names are slot numbers, and so never a word of anybody else.
 */
#ifndef INDEXFS_REMOTE_KNOWN_FILE_H
#define INDEXFS_REMOTE_KNOWN_FILE_H

/* The folder, open, made if missing; -1 where it can't be used. */
int known_folder_open(const char *path);

/* What the slot holds, the caller's to free; NULL where there is nothing. */
char *known_file_read(int dir, unsigned slot);

/* Replaces what it holds, at once. Not durable: it's a hint. */
void known_file_write(int dir, unsigned slot, const char *text);
void known_file_remove(int dir, unsigned slot);

#endif
