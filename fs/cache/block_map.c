#include "fs/cache/block_map.h"

#include <stdlib.h>

#define BLOCK_SHIFT 14
#define BLOCKS_MAX ((uint64_t)1 << 20)

int block_map_init(struct block_map *map, uint64_t size)
{
	*map = (struct block_map){.size = size, .shift = BLOCK_SHIFT};
	while (size >> map->shift >= BLOCKS_MAX)
		map->shift++;
	map->count = (size >> map->shift) + (size & (((uint64_t)1 << map->shift) - 1) ? 1 : 0);
	map->missing = map->count;
	map->words = calloc(map->count / 64 + 1, sizeof(*map->words));
	return map->words ? 0 : -1;
}

void block_map_clear(struct block_map *map)
{
	free(map->words);
	*map = (struct block_map){.words = NULL};
}

uint64_t block_map_floor(const struct block_map *map, uint64_t offset)
{
	return offset >> map->shift << map->shift;
}

uint64_t block_map_ceiling(const struct block_map *map, uint64_t offset)
{
	uint64_t block = (uint64_t)1 << map->shift;
	uint64_t floor = block_map_floor(map, offset);

	if (floor == offset)
		return offset;
	return map->size - floor < block ? map->size : floor + block;
}

static bool block_here(const struct block_map *map, uint64_t block)
{
	return map->words[block / 64] >> (block % 64) & 1;
}

bool block_map_here(const struct block_map *map, uint64_t offset)
{
	return block_here(map, offset >> map->shift);
}

uint64_t block_map_skip(const struct block_map *map, uint64_t offset, bool here)
{
	uint64_t alike = here ? ~(uint64_t)0 : 0;
	uint64_t block = offset >> map->shift;

	if (offset >= map->size || block_here(map, block) != here)
		return offset;
	while (block < map->count && block_here(map, block) == here) {
		if (block % 64 == 0 && map->words[block / 64] == alike)
			block += 64;
		else
			block++;
	}
	return block < map->count ? block << map->shift : map->size;
}

bool block_map_add(struct block_map *map, uint64_t start, uint64_t end)
{
	uint64_t block = block_map_ceiling(map, start) >> map->shift;
	uint64_t stop = end >= map->size ? map->count : end >> map->shift;
	uint64_t before = map->missing;

	for (; block < stop; block++) {
		if (block_here(map, block))
			continue;
		map->words[block / 64] |= (uint64_t)1 << (block % 64);
		map->missing--;
	}
	return map->missing < before;
}
