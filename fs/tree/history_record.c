#include "fs/tree/history_record.h"

#include <inttypes.h>
#include <stdio.h>

#include "fs/tree/file.h"
#include "fs/tree/folder.h"
#include "fs/tree/tag.h"

struct record record_base(const struct node *root)
{
	const struct version *base = tag_origin(root->tag);
	struct record record = {.kind = RECORD_BASE, .texts = {""}};

	if (version_exists(base))
		record.texts[0] = base->root.digest.text;
	if (version_is_single(base))
		record.texts[1] = base->entry.json;
	return record;
}

int record_notes(struct buf *text, const struct node *owner, struct error *err)
{
	if (owner->kind == NODE_TAG)
		return index_annotations_format(text, &owner->tag->annotations, err);
	return annotation_file_format(text, &owner->folder->notes, err);
}

void record_time(char out[static RECORD_NUMBER_SIZE], const struct timespec *time)
{
	snprintf(out, RECORD_NUMBER_SIZE, "%lld.%09ld", (long long)time->tv_sec, time->tv_nsec);
}

struct record record_node(const struct node *node, const char *path, struct record_numbers *numbers)
{
	struct record record = {.kind = RECORD_FOLDER, .texts = {path}};

	if (node->kind != NODE_FILE)
		return record;
	snprintf(numbers->mode, RECORD_NUMBER_SIZE, "%o", (unsigned)(node->mode & 0777));
	snprintf(numbers->order, RECORD_NUMBER_SIZE, "%" PRIu64, node->order);
	record_time(numbers->time, &node->mtime);
	record.kind = RECORD_LAYER;
	record.texts[1] = node->file->has_layer ? node->file->layer.json : "";
	if (node->file->staged) {
		snprintf(
			numbers->id, RECORD_NUMBER_SIZE, "%" PRIu64, staged_id(node->file->staged));
		record.kind = RECORD_FILE;
		record.texts[1] = numbers->id;
		record.texts[5] = node->file->has_layer ? node->file->layer.json : "";
	}
	record.texts[2] = numbers->mode;
	record.texts[3] = numbers->order;
	record.texts[4] = numbers->time;
	return record;
}

bool record_disk(struct record *out, struct staged *staged, struct record_numbers *numbers)
{
	enum staged_disk disk = staged ? staged_disk(staged) : STAGED_CACHED;

	if (disk == STAGED_CACHED)
		return false;
	*out = (struct record){.kind = disk == STAGED_ON_DISK ? RECORD_ON_DISK : RECORD_DOUBTFUL,
		.texts = {numbers->id, numbers->order}};
	snprintf(numbers->id, RECORD_NUMBER_SIZE, "%" PRIu64, staged_id(staged));
	snprintf(numbers->order, RECORD_NUMBER_SIZE, "%" PRId64, staged_size(staged));
	return true;
}

struct record record_intent(const struct intent *intent)
{
	return (struct record){
		.kind = RECORD_INTENT, .texts = {intent->root.text, intent->ours.text}};
}

struct record record_given(const char *path, const char *name, const char *text, bool whole)
{
	return (struct record){
		.kind = RECORD_GIVEN, .texts = {path, name, text, whole ? "whole" : ""}};
}
