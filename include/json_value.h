/*
 * json_value.h - JSON that is only read: a tree of values.
 *
 * Every reader takes NULL, which is what a missing member or item is, so that reading goes on along
 * a path without a look at each step.
 */
#ifndef INDEXFS_JSON_VALUE_H
#define INDEXFS_JSON_VALUE_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct json_value;

/* ERROR_INVALID tells line and column; a text may be nested no deeper than 64 levels. NULL with
 * *err. The caller frees it. */
struct json_value *json_value_parse(const char *text, size_t len, struct error *err);
void json_value_free(struct json_value *value);

/* The cleanup form. */
static inline void json_value_freep(struct json_value **value)
{
	json_value_free(*value);
}

/* A member of an object; NULL where there is none, or no object. */
const struct json_value *json_value_member(const struct json_value *value, const char *name);

/* The items of an array: the first, the one after an item; NULL at the end. */
const struct json_value *json_value_first(const struct json_value *value);
const struct json_value *json_value_next(const struct json_value *item);

/* The string, or NULL where it's something else. As long as the tree lives. */
const char *json_value_text(const struct json_value *value);

/* The number without its fraction, within int64_t; other where it's something else. */
int64_t json_value_number(const struct json_value *value, int64_t other);

#endif
