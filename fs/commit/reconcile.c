#include "fs/commit/reconcile.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "fs/commit/base_config.h"
#include "fs/tree/conflict.h"
#include "fs/tree/folder.h"
#include "fs/tree/history.h"
#include "fs/tree/tag.h"
#include "merge.h"
#include "publish.h"

void reconciled_clear(struct reconciled *reconciled)
{
	version_clear(&reconciled->version);
	for (size_t i = 0; i < reconciled->manifest_count; i++)
		document_clear(&reconciled->manifests[i]);
	free(reconciled->manifests);
	for (size_t i = 0; i < reconciled->config_count; i++)
		staged_put_back(reconciled->configs[i].staged);
	free(reconciled->configs);
	*reconciled = (struct reconciled)RECONCILED_INIT;
}

struct context {
	struct tree *tree;
	struct node *tag;
	const struct plan *plan;
	const struct sides *sides;
	struct cancel *cancel;
	bool yield; /* theirs stays */
};

static const struct document *find_planned(const struct plan *plan, const struct digest *digest)
{
	for (size_t i = 0; plan && i < plan->manifest_count; i++)
		if (digest_equal(&plan->manifests[i].digest, digest))
			return &plan->manifests[i];
	return NULL;
}

/* The manifest of a folder's base; the lock is held. */
static const struct document *find_shown(const struct node *tag, const struct digest *digest)
{
	for (size_t i = 0; i < tag->children.count; i++) {
		const struct folder *folder = tag->children.items[i]->folder;

		if (folder && folder->manifest && digest_equal(&folder->manifest->digest, digest))
			return folder->manifest;
	}
	return NULL;
}

/* What is at hand, into *out, which stays empty where nothing is. */
static int copy_known(const struct context *context, struct document *out,
	const struct digest *digest, struct error *err)
{
	const struct document *found = find_planned(context->plan, digest);
	int result = 0;

	pthread_mutex_lock(&context->tree->lock);
	if (!found)
		found = find_shown(context->tag, digest);
	if (found)
		result = document_copy(out, found, err);
	pthread_mutex_unlock(&context->tree->lock);
	return result;
}

static int give_manifest(
	void *data, struct document *out, const struct descriptor *entry, struct error *err)
{
	const struct context *context = data;

	if (copy_known(context, out, &entry->digest, err))
		return -1;
	if (out->json || history_document(context->tree->history, out, &entry->digest, NULL) == 0)
		return 0;
	return resolve_entry(context->tree->store, out, entry, context->cancel, err);
}

static int give_config(
	void *data, char **out, size_t *len, const struct descriptor *config, struct error *err)
{
	const struct context *context = data;
	struct error why = ERROR_INIT;

	*out = NULL;
	if (config_read_planned(out, len, context->plan, config) ||
		config_read(out, len, context->tree, config, context->cancel, &why) == 0)
		return 0;
	return config_judge(context->tree, config, &why, err);
}

/* The time that a commit writes into its manifests is no change of anybody's: it may be ours, but
 * where the other's is in the registry after ours that would go on for ever. */
static bool is_time(const struct context *context, const char *path)
{
	static const char key[] = ": " ANNOTATION_CREATED;
	const struct tree_options *options = &context->tree->options;
	size_t len = strlen(path);

	/* a bottle's time is the user's */
	if (options->created == CREATED_NONE || options->profile == PROFILE_HOMEBREW)
		return false;
	return len > strlen(key) && strcmp(path + len - strlen(key), key) == 0;
}

static enum merge_choice settle(void *data, const char *path)
{
	const struct context *context = data;
	enum merge_choice choice;

	if (context->yield)
		return MERGE_THEIRS;
	if (context->sides->manner != CONFLICTS_AS_CHOSEN)
		return is_time(context, path) ? MERGE_THEIRS : MERGE_UNSETTLED;
	if (is_time(context, path))
		return MERGE_OURS;
	pthread_mutex_lock(&context->tree->lock);
	choice = conflicts_choice(&context->tag->tag->conflicts, path);
	pthread_mutex_unlock(&context->tree->lock);
	return choice != MERGE_UNSETTLED ? choice : context->tree->options.conflict;
}

static const struct document *root_of(const struct version *version)
{
	return version_exists(version) ? &version->root : NULL;
}

static const char *digest_text(const struct digest *digest)
{
	return digest_is_set(digest) ? digest->text : "removed";
}

/* How many, and the first of them. */
static int tell_conflicts(
	const struct sides *sides, const struct merge_result *result, struct error *err)
{
	const struct merge_conflict *first = &result->conflicts[0];
	const struct digest theirs = version_digest(sides->theirs);

	return error_set(err, ERROR_CONFLICT,
		"%.300s was changed here (%s) and by somebody else (%s)%s; the tag is now %s. "
		"Nothing was published or lost; .oci/status lists what is in conflict, and "
		"\"indexfs commit --ours PATH\" or \"--theirs PATH\" settles it",
		strcmp(first->path, ".") == 0 ? "the tag" : first->path, digest_text(&first->ours),
		digest_text(&first->theirs), result->conflict_count > 1 ? ", and so was more" : "",
		digest_text(&theirs));
}

/* The entry that a merged single manifest would have is like those that it came from. */
static int set_entry(struct version *out, const struct sides *sides, struct error *err)
{
	const struct digest ours = version_digest(sides->ours);
	const struct version *from =
		version_is_single(sides->theirs) && !digest_equal(&out->root.digest, &ours)
			? sides->theirs
			: sides->ours;

	if (!version_is_single(out))
		return 0;
	if (from->entry.json ? descriptor_copy(&out->entry, &from->entry, err)
			     : descriptor_create(&out->entry, out->root.media_type,
				       &out->root.digest, (int64_t)out->root.json_len, err))
		return -1;
	return descriptor_set_content(&out->entry, out->root.media_type, &out->root.digest,
		(int64_t)out->root.json_len, err);
}

static int take_configs(struct reconciled *out, struct tree *tree,
	const struct merge_result *result, struct error *err)
{
	out->configs = calloc(result->config_count + 1, sizeof *out->configs);
	if (!out->configs)
		return error_set_memory(err);
	for (; out->config_count < result->config_count; out->config_count++) {
		const struct merge_config *from = &result->configs[out->config_count];
		struct plan_config *to = &out->configs[out->config_count];

		if (staged_from_bytes(&to->staged, tree->staging, from->json, from->len, err))
			return -1;
		if (staged_seal(to->staged, &to->digest, &to->size, NULL, err)) {
			staged_put_back(to->staged);
			return -1;
		}
	}
	return 0;
}

static int take_result(struct reconciled *out, const struct sides *sides,
	struct merge_result *result, struct error *err)
{
	out->version.root = result->root;
	result->root = (struct document)DOCUMENT_INIT;
	out->manifests = steal_ptr(result->manifests);
	out->manifest_count = result->manifest_count;
	result->manifest_count = 0;
	return set_entry(&out->version, sides, err);
}

static void remember(struct tree *tree, struct node *tag, struct merge_result *result)
{
	pthread_mutex_lock(&tree->lock);
	conflicts_take(&tag->tag->conflicts, result);
	pthread_mutex_unlock(&tree->lock);
}

/* Somebody has changed what was just published here: he may have meant it. */
static void tell_yielding(struct tree *tree, struct node *tag, const struct merge_result *result)
{
	const struct merge_conflict *first = &result->conflicts[0];
	struct error why = ERROR_INIT;

	error_set(&why, ERROR_CONFLICT,
		"%.300s was published here (%s), and somebody else has published another change of "
		"it right after that (%s)%s",
		first->path, digest_text(&first->ours), digest_text(&first->theirs),
		result->conflict_count > 1 ? ", and of more" : "");
	tree_report_unlocked(tree, tag, "theirs stays", &why);
}

/* What can't be merged: the user's, or theirs. */
static int give_way(struct context *context, const struct merge_input *input,
	struct merge_result *result, struct error *err)
{
	struct tree *tree = context->tree;
	bool yield = context->sides->manner == CONFLICTS_YIELD;

	if (!yield) {
		tell_conflicts(context->sides, result, err);
		remember(tree, context->tag, result);
		return -1;
	}
	tell_yielding(tree, context->tag, result);
	context->yield = true;
	merge_result_clear(result);
	return merge(result, input, err);
}

int reconcile(struct reconciled *out, struct tree *tree, struct node *tag, const struct plan *plan,
	const struct sides *sides, struct cancel *cancel, struct error *err)
{
	struct context context = {
		.tree = tree, .tag = tag, .plan = plan, .sides = sides, .cancel = cancel};
	const struct merge_input input = {
		.base = root_of(sides->base),
		.ours = root_of(sides->ours),
		.theirs = root_of(sides->theirs),
		.base_platform = version_platform(sides->base),
		.ours_platform = version_platform(sides->ours),
		.theirs_platform = version_platform(sides->theirs),
		.manifest = give_manifest,
		.config = give_config,
		.settle = settle,
		.context = &context,
	};
	cleanup_with(merge_result_clear) struct merge_result result = MERGE_RESULT_INIT;

	if (merge(&result, &input, err))
		return error_prefix(err, "merging with what others have published");
	if (result.conflict_count && give_way(&context, &input, &result, err))
		return -1;
	if (take_configs(out, tree, &result, err) == 0 &&
		take_result(out, sides, &result, err) == 0)
		return 0;
	reconciled_clear(out);
	return -1;
}
