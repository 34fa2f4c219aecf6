/*
 * json_equal.h - whether two JSON texts say the same, however they are written.
 *
 * White space, the order of an object's members (RFC 8259 section 4), escapes in strings and the
 * spelling of numbers make no difference; the order of an array's items does.
 */
#ifndef INDEXFS_MODEL_JSON_EQUAL_H
#define INDEXFS_MODEL_JSON_EQUAL_H

#include "registry/model/json.h"

/* Whether the values at two spans are equal: *same. The texts have passed json_check(), which
 * bounds the depth. Numbers are equal where they are so exactly, without any rounding; members of
 * one name, which only what this program doesn't know may have, are compared in their order. Fails
 * only when out of memory. */
int json_equal(bool *same, const struct json_text *a, struct json_span a_span,
	const struct json_text *b, struct json_span b_span, struct error *err);

/* The order of two string tokens by their characters, as strcmp(). */
int json_string_compare(const struct json_text *a, struct json_span a_span,
	const struct json_text *b, struct json_span b_span);

/* Whether two number tokens are one number; -0 isn't 0. */
bool json_number_equal(const struct json_text *a, struct json_span a_span,
	const struct json_text *b, struct json_span b_span);

#endif
