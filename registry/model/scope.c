#include "registry/model/scope.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "cleanup.h"

#define RESOURCES_MAX 32
#define ACTIONS_MAX 16

struct span {
	const char *text;
	size_t len;
};

struct resource {
	struct span name; /* "TYPE:NAME", or all of what has another form */
	struct span actions[ACTIONS_MAX]; /* sorted */
	size_t count;
};

struct scope {
	struct resource resources[RESOURCES_MAX];
	size_t count;
};

static int span_compare(struct span a, struct span b)
{
	int order = memcmp(a.text, b.text, a.len < b.len ? a.len : b.len);

	return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int too_much(struct error *err)
{
	return error_set(err, ERROR_PROTOCOL, "the registry asks for too much of a scope");
}

static struct resource *find_or_add(struct scope *scope, struct span name)
{
	struct resource *resource = scope->resources;

	for (size_t i = 0; i < scope->count; i++, resource++) {
		if (span_compare(resource->name, name) == 0)
			return resource;
	}
	if (scope->count == RESOURCES_MAX)
		return NULL;
	*resource = (struct resource){.name = name};
	scope->count++;
	return resource;
}

static int add_action(struct resource *resource, struct span action, struct error *err)
{
	size_t at = 0;

	while (at < resource->count && span_compare(resource->actions[at], action) < 0)
		at++;
	if (at < resource->count && span_compare(resource->actions[at], action) == 0)
		return 0;
	if (resource->count == ACTIONS_MAX)
		return too_much(err);
	memmove(resource->actions + at + 1, resource->actions + at,
		(resource->count++ - at) * sizeof(action));
	resource->actions[at] = action;
	return 0;
}

/* Splits at the last of two or more colons. What has no action behind it asks for nothing. */
static int add_one(struct scope *scope, struct span one, struct error *err)
{
	const char *first = memchr(one.text, ':', one.len);
	const char *last = memrchr(one.text, ':', one.len);
	const char *end = one.text + one.len;
	struct span name = one;
	struct resource *resource;

	if (first != last) {
		name.len = (size_t)(last - one.text);
		if (last + 1 + strspn(last + 1, ",") >= end)
			return 0;
	}
	resource = find_or_add(scope, name);
	if (!resource)
		return too_much(err);
	for (const char *at = one.text + name.len; at < end;) {
		struct span action = {.text = at + 1};

		while (action.text + action.len < end && action.text[action.len] != ',')
			action.len++;
		if (action.len && add_action(resource, action, err))
			return -1;
		at = action.text + action.len;
	}
	return 0;
}

static int add_text(struct scope *scope, const char *text, struct error *err)
{
	for (const char *at = text; *at; at++) {
		if (*at < 0x20 || *at == '"' || *at == '\\' || *at == 0x7f)
			return error_set(err, ERROR_PROTOCOL,
				"the registry asks for a scope that can't be one");
	}
	while (*(text += strspn(text, " "))) {
		struct span one = {.text = text, .len = strcspn(text, " ")};

		if (add_one(scope, one, err))
			return -1;
		text += one.len;
	}
	return 0;
}

static int append_resource(struct buf *out, const struct resource *resource)
{
	if (out->len && buf_append(out, " ", 1))
		return -1;
	if (buf_append(out, resource->name.text, resource->name.len))
		return -1;
	for (size_t i = 0; i < resource->count; i++) {
		if (buf_append(out, i ? "," : ":", 1) ||
			buf_append(out, resource->actions[i].text, resource->actions[i].len))
			return -1;
	}
	return 0;
}

int scope_merge(char **out, const char *a, const char *b, struct error *err)
{
	cleanup_free struct scope *scope = calloc(1, sizeof(*scope));
	cleanup_with(buf_free) struct buf text = BUF_INIT(SCOPE_TEXT_MAX);

	*out = NULL;
	if (!scope)
		return error_set_memory(err);
	if ((a && add_text(scope, a, err)) || (b && add_text(scope, b, err)))
		return -1;
	for (size_t i = 0; i < scope->count; i++) {
		if (append_resource(&text, &scope->resources[i]))
			return errno == EFBIG ? too_much(err) : error_set_memory(err);
	}
	*out = buf_steal(&text);
	return *out ? 0 : error_set_memory(err);
}
