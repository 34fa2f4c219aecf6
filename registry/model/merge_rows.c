#include "registry/model/merge_rows.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

/* A thing that waits for its match. */
struct ref {
	const struct merge_key *key;
	size_t at;
};

struct refs {
	struct ref *items;
	size_t count;
};

/* Two sides being matched. partner: for each thing of a side, its place on the other. */
struct pairing {
	const struct merge_keys *keys[2];
	size_t *partner[2];
	const size_t *taken[2]; /* those with a match elsewhere stay out; NULL: none */
	bool with_base;
};

static int compare_places(const struct ref *a, const struct ref *b)
{
	return (a->at > b->at) - (a->at < b->at);
}

static int compare_text(const void *first, const void *second)
{
	const struct ref *a = first, *b = second;
	int order = strcmp(a->key->text, b->key->text);

	return order ? order : compare_places(a, b);
}

static int compare_content(const void *first, const void *second)
{
	const struct ref *a = first, *b = second;
	int order = strcmp(a->key->text, b->key->text);

	if (!order)
		order = strcmp(a->key->content, b->key->content);
	return order ? order : compare_places(a, b);
}

static int refs_take(struct refs *out, const struct pairing *pairing, int side, bool by_content,
	struct error *err)
{
	const struct merge_keys *keys = pairing->keys[side];

	out->count = 0;
	out->items = calloc(keys->count + 1, sizeof(*out->items));
	if (!out->items)
		return error_set_memory(err);
	for (size_t i = 0; i < keys->count; i++) {
		if (pairing->partner[side][i] != MERGE_ABSENT ||
			(pairing->taken[side] && pairing->taken[side][i] != MERGE_ABSENT))
			continue;
		out->items[out->count++] = (struct ref){&keys->items[i], i};
	}
	qsort(out->items, out->count, sizeof(*out->items),
		by_content ? compare_content : compare_text);
	return 0;
}

static int compare_keys(const struct ref *a, const struct ref *b, bool by_content)
{
	int order = strcmp(a->key->text, b->key->text);

	return order || !by_content ? order : strcmp(a->key->content, b->key->content);
}

/* How many from the first on have one key. */
static size_t group_size(const struct refs *refs, size_t first, bool by_content)
{
	size_t i = first + 1;

	while (i < refs->count &&
		compare_keys(&refs->items[first], &refs->items[i], by_content) == 0)
		i++;
	return i - first;
}

/* How many of two groups are matched, the n-th with the n-th. */
static size_t group_matches(const struct pairing *pairing, const struct ref *a, size_t a_count,
	const struct ref *b, size_t b_count, bool by_content)
{
	enum merge_twins twins = a->key->twins < b->key->twins ? a->key->twins : b->key->twins;
	size_t least = a_count < b_count ? a_count : b_count;

	if (by_content || twins == TWINS_NTH)
		return least;
	if (twins == TWINS_SOLE && pairing->with_base && a_count == 1 && b_count == 1)
		return 1;
	return 0;
}

static void refs_pair(
	struct pairing *pairing, const struct refs *a, const struct refs *b, bool by_content)
{
	size_t i = 0, j = 0;

	while (i < a->count && j < b->count) {
		int order = compare_keys(&a->items[i], &b->items[j], by_content);
		size_t a_count = order <= 0 ? group_size(a, i, by_content) : 0;
		size_t b_count = order >= 0 ? group_size(b, j, by_content) : 0;
		size_t matches = order ? 0
				       : group_matches(pairing, &a->items[i], a_count, &b->items[j],
						 b_count, by_content);

		for (size_t n = 0; n < matches; n++) {
			pairing->partner[0][a->items[i + n].at] = b->items[j + n].at;
			pairing->partner[1][b->items[j + n].at] = a->items[i + n].at;
		}
		i += a_count;
		j += b_count;
	}
}

static int pair_pass(struct pairing *pairing, bool by_content, struct error *err)
{
	struct refs a = {NULL, 0}, b = {NULL, 0};
	int result = -1;

	if (refs_take(&a, pairing, 0, by_content, err) == 0 &&
		refs_take(&b, pairing, 1, by_content, err) == 0) {
		refs_pair(pairing, &a, &b, by_content);
		result = 0;
	}
	free(a.items);
	free(b.items);
	return result;
}

static int pair(struct pairing *pairing, struct error *err)
{
	return pair_pass(pairing, true, err) || pair_pass(pairing, false, err) ? -1 : 0;
}

/* count times MERGE_ABSENT; NULL when out of memory. */
static size_t *places_new(size_t count)
{
	size_t *places = malloc((count + 1) * sizeof(*places));

	for (size_t i = 0; places && i < count; i++)
		places[i] = MERGE_ABSENT;
	return places;
}

/* The three pairings, each both ways. */
struct partners {
	size_t *ours_of_base, *base_of_ours;
	size_t *theirs_of_base, *base_of_theirs;
	size_t *theirs_of_ours, *ours_of_theirs; /* of what the base hasn't */
};

static void partners_free(struct partners *partners)
{
	free(partners->ours_of_base);
	free(partners->base_of_ours);
	free(partners->theirs_of_base);
	free(partners->base_of_theirs);
	free(partners->theirs_of_ours);
	free(partners->ours_of_theirs);
}

static int partners_allocate(struct partners *out, const struct merge_keys *keys, struct error *err)
{
	out->ours_of_base = places_new(keys[SIDE_BASE].count);
	out->base_of_ours = places_new(keys[SIDE_OURS].count);
	out->theirs_of_base = places_new(keys[SIDE_BASE].count);
	out->base_of_theirs = places_new(keys[SIDE_THEIRS].count);
	out->theirs_of_ours = places_new(keys[SIDE_OURS].count);
	out->ours_of_theirs = places_new(keys[SIDE_THEIRS].count);
	if (!out->ours_of_base || !out->base_of_ours || !out->theirs_of_base ||
		!out->base_of_theirs || !out->theirs_of_ours || !out->ours_of_theirs)
		return error_set_memory(err);
	return 0;
}

static int partners_find(struct partners *out, const struct merge_keys *keys, struct error *err)
{
	const struct merge_keys *base = &keys[SIDE_BASE];
	const struct merge_keys *ours = &keys[SIDE_OURS], *theirs = &keys[SIDE_THEIRS];
	struct pairing with_ours = {.keys = {base, ours}, .with_base = true};
	struct pairing with_theirs = {.keys = {base, theirs}, .with_base = true};
	struct pairing added = {.keys = {ours, theirs}};

	if (partners_allocate(out, keys, err))
		return -1;
	with_ours.partner[0] = out->ours_of_base;
	with_ours.partner[1] = out->base_of_ours;
	with_theirs.partner[0] = out->theirs_of_base;
	with_theirs.partner[1] = out->base_of_theirs;
	added.partner[0] = out->theirs_of_ours;
	added.partner[1] = out->ours_of_theirs;
	added.taken[0] = out->base_of_ours;
	added.taken[1] = out->base_of_theirs;
	return pair(&with_ours, err) || pair(&with_theirs, err) || pair(&added, err) ? -1 : 0;
}

static void row_add(struct merge_rows *rows, size_t base, size_t ours, size_t theirs)
{
	rows->items[rows->count++] = (struct merge_row){.at = {base, ours, theirs}};
}

static void rows_fill(struct merge_rows *rows, const struct partners *partners)
{
	for (size_t i = 0; i < rows->side_count[SIDE_BASE]; i++)
		row_add(rows, i, partners->ours_of_base[i], partners->theirs_of_base[i]);
	for (size_t i = 0; i < rows->side_count[SIDE_THEIRS]; i++)
		if (partners->base_of_theirs[i] == MERGE_ABSENT)
			row_add(rows, MERGE_ABSENT, partners->ours_of_theirs[i], i);
	for (size_t i = 0; i < rows->side_count[SIDE_OURS]; i++)
		if (partners->base_of_ours[i] == MERGE_ABSENT &&
			partners->theirs_of_ours[i] == MERGE_ABSENT)
			row_add(rows, MERGE_ABSENT, i, MERGE_ABSENT);
}

int merge_rows_match(
	struct merge_rows *out, const struct merge_keys keys[static SIDE_COUNT], struct error *err)
{
	cleanup_with(partners_free) struct partners partners = {.ours_of_base = NULL};
	size_t most = 1;

	*out = (struct merge_rows)MERGE_ROWS_INIT;
	if (partners_find(&partners, keys, err))
		return -1;
	for (int side = 0; side < SIDE_COUNT; side++) {
		out->side_count[side] = keys[side].count;
		most += keys[side].count;
	}
	out->items = calloc(most, sizeof(*out->items));
	if (!out->items)
		return error_set_memory(err);
	rows_fill(out, &partners);
	return 0;
}

void merge_rows_clear(struct merge_rows *rows)
{
	free(rows->items);
	*rows = (struct merge_rows)MERGE_ROWS_INIT;
}
