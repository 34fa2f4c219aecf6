/*
 * array.h - arrays that grow by doubling and carry only their count.
 *
 * The capacity is the power of two at or above the count, so it needn't be stored: an array that
 * is only ever grown here has room until its count is a power of two.
 */
#ifndef INDEXFS_MODEL_ARRAY_H
#define INDEXFS_MODEL_ARRAY_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

/* items with room for one more than count; NULL when out of memory, and items is as it was. */
static inline void *array_grow(void *items, size_t count, size_t item_size)
{
	size_t capacity = count == 0 ? 1 : count * 2;

	if (count != 0 && (count & (count - 1)) != 0)
		return items;
	if (capacity > SIZE_MAX / 2 / item_size) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(items, capacity * item_size);
}

#endif
