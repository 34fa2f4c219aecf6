#include <limits.h>

#include "fs/cache/blob.h"

#define WINDOW_MIN ((uint64_t)256 << 10)
/* The kernel reads ahead in several requests, which may come in any order. */
#define SLACK ((uint64_t)1 << 20)
#define AHEAD_FETCHES 3 /* read-ahead begins no more than so many at a time */
#define WHOLE_FETCHES 2

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static unsigned fetch_count(const struct blob *blob)
{
	unsigned count = 0;

	for (const struct fetch *fetch = blob->fetches; fetch; fetch = fetch->next)
		count++;
	return count;
}

/* The first place from offset on that is neither here nor being fetched. */
static uint64_t covered_to(const struct blob *blob, uint64_t offset)
{
	while (offset < blob->size) {
		const struct fetch *fetch = fetch_at(blob, offset);

		if (block_map_here(&blob->map, offset))
			offset = block_map_skip(&blob->map, offset, true);
		else if (fetch)
			offset = fetch->end;
		else
			break;
	}
	return offset;
}

/* Where the gap that begins at offset ends, at most at limit: a block that is here, or a fetch. */
static uint64_t gap_end(const struct blob *blob, uint64_t offset, uint64_t limit)
{
	uint64_t end = least(block_map_skip(&blob->map, offset, false), limit);

	for (const struct fetch *fetch = blob->fetches; fetch; fetch = fetch->next) {
		if (fetch->start > offset && fetch->start < end)
			end = fetch->start;
	}
	return least(end, offset + CACHE_WINDOW_MAX);
}

/* Begins a fetch for each gap between start and end, as long as fewer than limit are under way. */
static int cover(struct blob *blob, uint64_t start, uint64_t end, unsigned limit, struct error *err)
{
	const struct block_map *map = &blob->map;

	start = block_map_floor(map, start);
	end = block_map_ceiling(map, least(end, blob->size));
	while ((start = covered_to(blob, start)) < end && fetch_count(blob) < limit) {
		if (blob->rangeless)
			return fetch_start(blob, 0, blob->size, err);
		uint64_t stop = block_map_ceiling(map, gap_end(blob, start, end));

		if (fetch_start(blob, start, stop, err) < 0)
			return -1;
		start = stop;
	}
	return 0;
}

/* All of the blob is wanted: long ranges, the next one asked for before the one before it ends. */
static int cover_whole(struct blob *blob, struct error *err)
{
	uint64_t start = covered_to(blob, 0);

	while (start < blob->size && fetch_count(blob) < WHOLE_FETCHES) {
		if (cover(blob, start, gap_end(blob, start, blob->size), WHOLE_FETCHES, err) < 0)
			return -1;
		start = covered_to(blob, start);
	}
	return 0;
}

int plan_read(struct blob *blob, const struct blob_read *read, struct error *err)
{
	if (read->whole || blob_is_gated(blob))
		return cover_whole(blob, err);
	uint64_t len = least(read->len, blob->size - read->offset);
	return cover(blob, read->offset, read->offset + len, UINT_MAX, err);
}

/* Moves the cursor past a read. The window grows by twice what has been read in order, so what is
 * fetched in vain stays in proportion. */
static void cursor_move(struct blob_cursor *cursor, uint64_t offset, uint64_t end)
{
	if (offset > cursor->next + SLACK || offset + SLACK < cursor->next) {
		cursor->window = 0;
		cursor->next = end;
		return;
	}
	if (cursor->window == 0)
		cursor->window = WINDOW_MIN;
	else
		cursor->window = least(cursor->window + 2 * (end - offset), CACHE_WINDOW_MAX);
	if (end > cursor->next)
		cursor->next = end;
}

void plan_ahead(struct blob *blob, struct blob_cursor *cursor, uint64_t offset, uint64_t end)
{
	cursor_move(cursor, offset, end);
	if (cursor->window == 0)
		return;
	/* What was asked for and what lies ahead are one range where both are missing. */
	uint64_t ahead = covered_to(blob, offset);
	if (ahead < end)
		ahead = end;
	if (ahead < cursor->next + cursor->window)
		cover(blob, offset, ahead + cursor->window, AHEAD_FETCHES, NULL);
}
