#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "layer_path.h"
#include "registry/model/array.h"
#include "registry/model/merge_run.h"

/* The text of both, the caller's to free; NULL when out of memory. */
static char *join(const char *a, const char *b)
{
	char *text;

	return asprintf(&text, "%s%s", a, b) < 0 ? NULL : text;
}

void merge_place_clear(struct merge_place *place)
{
	free(place->content);
	free(place->notes);
	free(place->members);
	free(place->control);
	*place = (struct merge_place)MERGE_PLACE_INIT;
}

static int place_check(struct merge_place *place, bool has_control, struct error *err)
{
	if (place->content && place->notes && place->members && (place->control || !has_control))
		return 0;
	merge_place_clear(place);
	return error_set_memory(err);
}

int merge_place_index(struct merge_place *out, struct error *err)
{
	*out = (struct merge_place){
		.content = strdup(MERGE_WHOLE),
		.notes = strdup(ANNOTATIONS_NAME),
		.members = strdup(CONTROL_NAME "/index.json"),
		.control = strdup(CONTROL_NAME),
	};
	return place_check(out, true, err);
}

int merge_place_entry(struct merge_place *out, const char *folder, struct error *err)
{
	*out = (struct merge_place){
		.content = strdup(folder),
		.notes = join(folder, "/" ANNOTATIONS_NAME ": $descriptor"),
		.members = join(folder, "/" CONTROL_NAME "/descriptor.json"),
	};
	return place_check(out, false, err);
}

int merge_place_manifest(struct merge_place *out, const char *folder, struct error *err)
{
	*out = (struct merge_place){
		.content = strdup(folder),
		.notes = join(folder, "/" ANNOTATIONS_NAME ": $manifest"),
		.members = join(folder, "/" CONTROL_NAME "/manifest.json"),
		.control = join(folder, "/" CONTROL_NAME),
	};
	return place_check(out, true, err);
}

int merge_place_config(struct merge_place *out, const char *folder, struct error *err)
{
	*out = (struct merge_place){
		.content = join(folder, "/config"),
		.notes = join(folder, "/" ANNOTATIONS_NAME ": $config"),
		.members = join(folder, "/" CONTROL_NAME "/manifest.json"),
	};
	return place_check(out, false, err);
}

int merge_place_layer(
	struct merge_place *out, const char *folder, const char *path, struct error *err)
{
	cleanup_free char *file = join(folder, "/");

	*out = (struct merge_place)MERGE_PLACE_INIT;
	if (!file)
		return error_set_memory(err);
	out->content = join(file, path);
	out->members = join(file, path);
	/* "$" is for what isn't a layer: annotation_file.h. */
	if (asprintf(&out->notes, "%s" ANNOTATIONS_NAME ": %s%s", file, *path == '$' ? "./" : "",
		    path) < 0)
		out->notes = NULL;
	return place_check(out, false, err);
}

static int conflict_add(struct merge_result *out, const char *path, const struct digest *ours,
	const struct digest *theirs, struct error *err)
{
	struct merge_conflict *grown =
		array_grow(out->conflicts, out->conflict_count, sizeof(*grown));
	struct merge_conflict *conflict;

	if (!grown)
		return error_set_memory(err);
	out->conflicts = grown;
	conflict = &grown[out->conflict_count];
	*conflict = (struct merge_conflict){.path = strdup(path)};
	if (!conflict->path)
		return error_set_memory(err);
	if (ours)
		conflict->ours = *ours;
	if (theirs)
		conflict->theirs = *theirs;
	out->conflict_count++;
	return 0;
}

int merge_clash(enum merge_pick *pick, struct merge_run *run, const char *path,
	const struct digest *ours, const struct digest *theirs, struct error *err)
{
	const struct merge_input *input = run->input;
	enum merge_choice choice =
		input->settle ? input->settle(input->context, path) : MERGE_UNSETTLED;

	*pick = choice == MERGE_OURS ? PICK_OURS : PICK_THEIRS;
	return choice == MERGE_UNSETTLED ? conflict_add(run->out, path, ours, theirs, err) : 0;
}

static int clash_at(enum merge_pick *pick, struct merge_run *run, const struct merge_place *place,
	const char *path, struct error *err)
{
	if (!path)
		return error_set_memory(err);
	return merge_clash(pick, run, path, place->ours, place->theirs, err);
}

int merge_clash_note(enum merge_pick *pick, struct merge_run *run, const struct merge_place *place,
	const char *key, struct error *err)
{
	cleanup_free char *before = join(place->notes, ": ");
	cleanup_free char *path = before ? join(before, key) : NULL;

	return clash_at(pick, run, place, path, err);
}

int merge_clash_member(enum merge_pick *pick, struct merge_run *run,
	const struct merge_place *place, const char *name, struct error *err)
{
	cleanup_free char *path = NULL;

	if (place->control && strcmp(name, "artifactType") == 0)
		path = join(place->control, "/artifact-type");
	else if (place->control && strcmp(name, "subject") == 0)
		path = join(place->control, "/subject");
	else
		path = strdup(place->members);
	return clash_at(pick, run, place, path, err);
}
