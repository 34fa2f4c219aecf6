#include "json_respell.h"

#include <check.h>
#include <string.h>

#include "buf.h"
#include "cleanup.h"
#include "registry/model/json.h"

struct respelling {
	struct json_text text;
	struct buf out;
	uint64_t state;
};

/* Knuth's MMIX generator, its high bits. */
static size_t roll(struct respelling *run, size_t sides)
{
	run->state = run->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (size_t)(run->state >> 33) % sides;
}

static void space(struct respelling *run)
{
	static const char *const spaces[] = {"", "", "", " ", "\n  ", "\t", "\r\n"};

	buf_append_text(&run->out, spaces[roll(run, sizeof(spaces) / sizeof(*spaces))]);
}

static void string(struct respelling *run, struct json_span span)
{
	const char *bytes = run->text.bytes;

	buf_append_text(&run->out, "\"");
	for (size_t at = span.start + 1; at < span.end - 1; at++) {
		size_t taken = bytes[at] != '\\' ? 1 : bytes[at + 1] == 'u' ? 6 : 2;

		if (taken == 1 && (unsigned char)bytes[at] < 0x80 && roll(run, 8) == 0)
			buf_printf(&run->out, "\\u%04X", (unsigned)bytes[at]);
		else
			buf_append(&run->out, bytes + at, taken);
		at += taken - 1;
	}
	buf_append_text(&run->out, "\"");
}

static void value(struct respelling *run, struct json_span span);

static void object(struct respelling *run, struct json_span span)
{
	struct json_object object;

	ck_assert_int_eq(json_object_read(&object, &run->text, span, "it", NULL), 0);
	for (size_t left = object.count; left > 0; left--) {
		size_t i = roll(run, left);
		struct json_member member = object.members[i];

		space(run);
		string(run, member.key);
		space(run);
		buf_append_text(&run->out, ":");
		value(run, member.value);
		buf_append_text(&run->out, left > 1 ? "," : "");
		/* Those that are left stand before those that are written. */
		object.members[i] = object.members[left - 1];
		object.members[left - 1] = member;
	}
	json_object_clear(&object);
}

static void array(struct respelling *run, struct json_span span)
{
	struct json_array array;

	ck_assert_int_eq(json_array_read(&array, &run->text, span, "it", NULL), 0);
	for (size_t i = 0; i < array.count; i++) {
		buf_append_text(&run->out, i ? "," : "");
		value(run, array.items[i]);
	}
	json_array_clear(&array);
}

static void value(struct respelling *run, struct json_span span)
{
	char mark = run->text.bytes[span.start];

	space(run);
	if (mark == '"') {
		string(run, span);
	} else if (mark == '{' || mark == '[') {
		buf_append(&run->out, &mark, 1);
		(mark == '{' ? object : array)(run, span);
		space(run);
		buf_append_text(&run->out, mark == '{' ? "}" : "]");
	} else {
		buf_append(&run->out, run->text.bytes + span.start, span.end - span.start);
	}
	space(run);
}

char *json_respell(const char *text, uint64_t seed)
{
	struct respelling run = {
		.text = {text, strlen(text), ERROR_INVALID},
		.out = BUF_INIT(BUF_UNBOUNDED),
		.state = seed,
	};

	value(&run, json_root(&run.text));
	return buf_steal(&run.out);
}
