#include "registry/model/merge_members.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "registry/model/json_edit.h"
#include "registry/model/json_equal.h"

struct objects {
	struct json_object sides[SIDE_COUNT];
	struct merge_keys keys[SIDE_COUNT];
};

static void objects_free(struct objects *objects)
{
	for (int side = 0; side < SIDE_COUNT; side++) {
		json_object_clear(&objects->sides[side]);
		free(objects->keys[side].items);
	}
}

static int object_take(struct json_object *object, struct merge_keys *keys,
	const struct json_text *text, struct error *err)
{
	if (text->bytes && json_object_read(object, text, json_root(text), "an object", err))
		return -1;
	keys->items = calloc(object->count + 1, sizeof(*keys->items));
	if (!keys->items)
		return error_set_memory(err);
	for (; keys->count < object->count; keys->count++)
		keys->items[keys->count] =
			(struct merge_key){object->members[keys->count].name, "", TWINS_NTH};
	return 0;
}

/* What a merge of one member looks at. */
struct view {
	const struct merge_members *members;
	const struct objects *objects;
	const struct merge_row *row;
};

static const struct json_member *member_at(const struct view *view, enum merge_side side)
{
	return merge_row_has(view->row, side)
		       ? &view->objects->sides[side].members[view->row->at[side]]
		       : NULL;
}

static int member_same(bool *same, const struct view *view, enum merge_side a, enum merge_side b,
	struct error *err)
{
	const struct json_member *first = member_at(view, a), *second = member_at(view, b);

	*same = !first && !second;
	if (!first || !second)
		return 0;
	return json_equal(same, &view->members->sides[a], first->value, &view->members->sides[b],
		second->value, err);
}

static bool listed(const char *const *names, const char *name)
{
	for (; names && *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

static int member_pick(enum merge_pick *pick, struct merge_run *run, const struct view *view,
	const char *name, const struct merge_place *place, struct error *err)
{
	bool ours_same, theirs_same, alike;

	*pick = PICK_THEIRS;
	if (listed(view->members->ignored, name))
		return 0;
	if (view->members->content_pick != PICK_CLASH && listed(view->members->content, name)) {
		*pick = view->members->content_pick;
		return 0;
	}
	if (member_same(&ours_same, view, SIDE_BASE, SIDE_OURS, err) ||
		member_same(&theirs_same, view, SIDE_BASE, SIDE_THEIRS, err) ||
		member_same(&alike, view, SIDE_OURS, SIDE_THEIRS, err))
		return -1;
	*pick = merge_pick(ours_same, theirs_same, alike);
	return *pick == PICK_CLASH ? merge_clash_member(pick, run, place, name, err) : 0;
}

/* Makes the member what it is in ours. */
static int member_take(struct json_edit *edit, const struct view *view, struct error *err)
{
	const struct json_member *ours = member_at(view, SIDE_OURS);
	cleanup_with(buf_free) struct buf value = BUF_INIT(JSON_SIZE_MAX);
	size_t at = view->row->at[SIDE_THEIRS];

	if (!ours) {
		if (at != MERGE_ABSENT)
			edit->changes[at].action = JSON_REMOVE;
		return 0;
	}
	if (json_layout(&value, &view->members->sides[SIDE_OURS], ours->value, &edit->style, 1))
		return json_buf_error(err);
	if (at == MERGE_ABSENT)
		return json_edit_add(edit, ours->name, value.data, value.len, err);
	return json_edit_replace(edit, at, value.data, value.len, err);
}

static int member_merge(bool *changed, struct json_edit *edit, struct merge_run *run,
	const struct view *view, const struct merge_place *place, struct error *err)
{
	const struct json_member *ours = member_at(view, SIDE_OURS);
	const struct json_member *theirs = member_at(view, SIDE_THEIRS);
	enum merge_pick pick;

	if (!ours && !theirs)
		return 0;
	if (member_pick(&pick, run, view, ours ? ours->name : theirs->name, place, err))
		return -1;
	if (pick != PICK_OURS)
		return 0;
	*changed = true;
	return member_take(edit, view, err);
}

int merge_members(struct buf *out, struct merge_run *run, const struct merge_members *members,
	const struct merge_place *place, struct error *err)
{
	cleanup_with(objects_free) struct objects objects = {.sides = {JSON_OBJECT_INIT}};
	cleanup_with(merge_rows_clear) struct merge_rows rows = MERGE_ROWS_INIT;
	cleanup_with(json_edit_close) struct json_edit edit = JSON_EDIT_INIT;
	const struct json_text *theirs = &members->sides[SIDE_THEIRS];
	struct view view = {.members = members, .objects = &objects};
	bool changed = false;

	for (int side = 0; side < SIDE_COUNT; side++)
		if (object_take(
			    &objects.sides[side], &objects.keys[side], &members->sides[side], err))
			return -1;
	if (merge_rows_match(&rows, objects.keys, err) ||
		json_edit_open(&edit, theirs->bytes, theirs->len, err))
		return -1;
	for (size_t i = 0; i < rows.count; i++) {
		view.row = &rows.items[i];
		if (member_merge(&changed, &edit, run, &view, place, err))
			return -1;
	}
	return changed ? json_edit_write_text(&edit, out, err) : 0;
}
