#include "merge.h"

#include <stdlib.h>
#include <string.h>

#include "registry/model/json_equal.h"
#include "registry/model/merge_entries.h"

static void manifests_clear(struct merge_result *result)
{
	for (size_t i = 0; i < result->manifest_count; i++)
		document_clear(&result->manifests[i]);
	free(result->manifests);
	result->manifests = NULL;
	result->manifest_count = 0;
}

static void configs_clear(struct merge_result *result)
{
	for (size_t i = 0; i < result->config_count; i++)
		free(result->configs[i].json);
	free(result->configs);
	result->configs = NULL;
	result->config_count = 0;
}

static void conflicts_clear(struct merge_result *result)
{
	for (size_t i = 0; i < result->conflict_count; i++)
		free(result->conflicts[i].path);
	free(result->conflicts);
	result->conflicts = NULL;
	result->conflict_count = 0;
}

void merge_result_clear(struct merge_result *result)
{
	document_clear(&result->root);
	manifests_clear(result);
	configs_clear(result);
	conflicts_clear(result);
}

/* Byte for byte, or both not there. */
static bool same_root(const struct document *a, const struct document *b)
{
	if (!a || !b)
		return a == b;
	return a->json_len == b->json_len && memcmp(a->json, b->json, a->json_len) == 0;
}

/* Whether they say the same. */
static int same_value(
	bool *same, const struct document *a, const struct document *b, struct error *err)
{
	struct json_text first = {a->json, a->json_len, ERROR_CORRUPT};
	struct json_text second = {b->json, b->json_len, ERROR_CORRUPT};

	return json_equal(same, &first, json_root(&first), &second, json_root(&second), err);
}

static int root_take(struct merge_result *out, const struct document *root, struct error *err)
{
	return root ? document_copy(&out->root, root, err) : 0;
}

/* One side's tag as it is: nothing smaller can be told apart. */
static int whole_settle(struct merge_run *run, struct error *err)
{
	const struct document *ours = run->input->ours, *theirs = run->input->theirs;
	enum merge_pick pick;

	merge_result_clear(run->out);
	if (merge_clash(&pick, run, MERGE_WHOLE, ours ? &ours->digest : NULL,
		    theirs ? &theirs->digest : NULL, err))
		return -1;
	return root_take(run->out, pick == PICK_OURS ? ours : theirs, err);
}

/* A tag that one side has removed: *decided where the other has changed nothing in it. */
static int removed_settle(bool *decided, const struct merge_input *input, struct error *err)
{
	const struct document *left = input->ours ? input->ours : input->theirs;

	return input->base ? same_value(decided, input->base, left, err) : 0;
}

static int run_merge(struct merge_run *run, struct error *err)
{
	const struct merge_input *input = run->input;
	bool there = input->ours && input->theirs, decided = false;

	if (same_root(input->ours, input->theirs) || same_root(input->base, input->ours))
		return root_take(run->out, input->theirs, err);
	if (same_root(input->base, input->theirs))
		return root_take(run->out, input->ours, err);
	if (there ? merge_entries(&decided, run, err) : removed_settle(&decided, input, err))
		return -1;
	return decided ? 0 : whole_settle(run, err);
}

int merge(struct merge_result *out, const struct merge_input *input, struct error *err)
{
	struct merge_run run = {.input = input, .out = out};

	*out = (struct merge_result)MERGE_RESULT_INIT;
	if (run_merge(&run, err)) {
		merge_result_clear(out);
		return -1;
	}
	if (out->conflict_count > 0) {
		document_clear(&out->root);
		manifests_clear(out);
		configs_clear(out);
	}
	return 0;
}
