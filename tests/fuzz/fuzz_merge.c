/* Three documents, whatever they are, are merged or conflict; settling leaves no conflict, and a
 * side that changed nothing gives the other to the byte. The input is the three texts with a line
 * of "---" between them, and manifests after them likewise: an entry names any of these. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "merge.h"

#define DOCUMENTS_MAX 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

struct documents {
	struct document items[DOCUMENTS_MAX];
	bool there[DOCUMENTS_MAX];
	size_t count;
};

static const struct document *document_at(const struct documents *documents, size_t i)
{
	return documents->there[i] ? &documents->items[i] : NULL;
}

static void documents_take(struct documents *out, const char *text, size_t len)
{
	static const char between[] = "\n---\n";

	while (out->count < DOCUMENTS_MAX) {
		const char *end = memmem(text, len, between, strlen(between));
		size_t taken = end ? (size_t)(end - text) : len;
		size_t i = out->count++;

		out->there[i] = document_parse(&out->items[i], NULL, text, taken, NULL) == 0;
		if (!end)
			return;
		text = end + strlen(between);
		len -= taken + strlen(between);
	}
}

static void documents_clear(struct documents *documents)
{
	for (size_t i = 0; i < documents->count; i++)
		document_clear(&documents->items[i]);
}

/* One that the digest chooses, so that equal entries name equal manifests. */
static int manifest_give(
	void *context, struct document *out, const struct descriptor *entry, struct error *err)
{
	const struct documents *documents = context;
	size_t sum = 0;

	for (const char *c = entry->digest.text; *c; c++)
		sum += (unsigned char)*c;
	sum %= DOCUMENTS_MAX;
	if (!documents->there[sum])
		return error_set(err, ERROR_NOT_FOUND, "no manifest");
	return document_copy(out, &documents->items[sum], err);
}

static enum merge_choice settle_ours(void *context, const char *path)
{
	(void)context;
	require(*path != '\0');
	return MERGE_OURS;
}

static enum merge_choice settle_theirs(void *context, const char *path)
{
	(void)context;
	require(*path != '\0');
	return MERGE_THEIRS;
}

static void check_result(const struct merge_result *result)
{
	if (result->conflict_count > 0) {
		require(!result->root.json && result->manifest_count == 0);
		return;
	}
	for (size_t i = 0; i < result->manifest_count; i++) {
		bool named = false;

		require(result->manifests[i].kind == DOCUMENT_MANIFEST);
		for (size_t k = 0; k < result->root.count; k++)
			named |= digest_equal(
				&result->root.items[k].digest, &result->manifests[i].digest);
		require(named);
	}
}

static void check_merge(const struct merge_input *input, bool settled)
{
	struct merge_result result;
	struct error err = ERROR_INIT;

	if (merge(&result, input, &err)) {
		require(err.kind != ERROR_NONE && !result.root.json && !result.manifests &&
			!result.conflicts);
		return;
	}
	require(!settled || result.conflict_count == 0);
	check_result(&result);
	merge_result_clear(&result);
}

static void check_one_side(struct merge_input input)
{
	const struct document *sides[] = {input.ours, input.theirs};

	for (size_t i = 0; i < 2; i++) {
		struct merge_result result;

		input.ours = i == 0 ? sides[0] : input.base;
		input.theirs = i == 0 ? input.base : sides[1];
		require(merge(&result, &input, NULL) == 0 && result.conflict_count == 0);
		require(!result.root.json == !sides[i]);
		require(!sides[i] || strcmp(result.root.json, sides[i]->json) == 0);
		merge_result_clear(&result);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_with(documents_clear) struct documents documents = {.count = 0};
	struct merge_input input = {.manifest = manifest_give, .context = &documents};

	documents_take(&documents, (const char *)data, size);
	input.base = document_at(&documents, 0);
	input.ours = document_at(&documents, 1);
	input.theirs = document_at(&documents, 2);
	check_merge(&input, false);
	check_one_side(input);
	input.settle = settle_ours;
	check_merge(&input, true);
	input.settle = settle_theirs;
	check_merge(&input, true);
	return 0;
}
