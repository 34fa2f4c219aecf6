/*
 * block_map.h - which blocks of a blob are here.
 *
 * Blocks have 16 KiB, so that a reader who jumps gets little more than it asked for; those of a
 * very large blob are larger, so that a size that somebody made up can't fill the memory.
 */
#ifndef INDEXFS_FS_CACHE_BLOCK_MAP_H
#define INDEXFS_FS_CACHE_BLOCK_MAP_H

#include <stdbool.h>
#include <stdint.h>

struct block_map {
	uint64_t size; /* of the blob */
	unsigned shift; /* a block has 1 << shift bytes, the last one maybe fewer */
	uint64_t count, missing;
	uint64_t *words; /* a bit for each block; NULL before block_map_init() */
};

/* Nothing is here. -1 when out of memory. */
int block_map_init(struct block_map *map, uint64_t size);
void block_map_clear(struct block_map *map);

/* Where the block begins that holds offset, and where it ends. */
uint64_t block_map_floor(const struct block_map *map, uint64_t offset);
uint64_t block_map_ceiling(const struct block_map *map, uint64_t offset);

bool block_map_here(const struct block_map *map, uint64_t offset);

/* The first place at or after offset that isn't here (here true) or that is (false); the blob's
 * end where there is none. */
uint64_t block_map_skip(const struct block_map *map, uint64_t offset, bool here);

/* Marks the blocks that lie wholly within start and end; whether any is new. */
bool block_map_add(struct block_map *map, uint64_t start, uint64_t end);

#endif
