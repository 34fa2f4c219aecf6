/*
 * check.h - judging a JSON text member by member, so that a fault has a path.
 */
#ifndef INDEXFS_MODEL_CHECK_H
#define INDEXFS_MODEL_CHECK_H

#include "registry/model/json.h"

/* The path to the value that is being judged. It stays where the first fault was found, and comes
 * before its message. */
struct check {
	struct json_text text;
	struct error *err;
	char path[256]; /* cut to fit */
	size_t path_len;
};

/* Judges the value at span: 0, or -1 with check->err set. */
typedef int check_judge(struct check *check, struct json_span span);

struct check_rule {
	const char *name;
	bool required;
	check_judge *judge;
};

/* Judges a whole text: that it's JSON, that no object in it has a member twice, then its one value.
 * ERROR_INVALID with the path; ERROR_TOO_LARGE. */
int check_run(const char *json, size_t len, check_judge *judge, struct error *err);

/* Fails at offset at, in the words given. Always returns -1. */
int check_error(struct check *check, size_t at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Judges a member: required and missing, or there and wrong, is a fault. */
int check_member(
	struct check *check, const struct json_object *object, const struct check_rule *rule);
int check_members(struct check *check, const struct json_object *object,
	const struct check_rule *rules, size_t count);

/* Fails with this message if the object has a member of this name. */
int check_absent(struct check *check, const struct json_object *object, const char *name,
	const char *message);

/* An array, each item of which is judged. */
int check_items(struct check *check, struct json_span span, check_judge *judge);

/* A string; the decoded value is the caller's to free. */
int check_string_read(char **out, struct check *check, struct json_span span);

/* Judges of common values. */
check_judge check_string;
check_judge check_strings; /* an array of strings */
check_judge check_media_type; /* RFC 6838, section 4.2 */
check_judge check_annotations;
check_judge check_descriptor;

#endif
