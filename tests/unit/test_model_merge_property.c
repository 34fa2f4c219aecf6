/*
 * Merges of generated tags. What they must become is told by another merge, of trees without any
 * JSON: whoever changed a thing has it, the same thing changed differently is a conflict, and what
 * nobody removed is there.
 *
 * The seed of the first round is printed, and a failure's own. MERGE_SEED=N begins with that one,
 * MERGE_ROUNDS=N runs as many.
 */
#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "cleanup.h"
#include "json_respell.h"
#include "merge.h"
#include "merge_text.h"

#define CHILDREN_MAX 24
#define ROUNDS 400

/* The tag, an entry "NAME{", a layer "NAME" or ":CONTENT", an annotation or another member. */
struct node {
	char name[32], value[16];
	struct node *children[CHILDREN_MAX];
	size_t count;
};

static struct node *node_new(const char *name, const char *value)
{
	struct node *node = calloc(1, sizeof(*node));

	ck_assert_ptr_nonnull(node);
	snprintf(node->name, sizeof(node->name), "%s", name);
	snprintf(node->value, sizeof(node->value), "%s", value);
	return node;
}

static void node_free(struct node *node)
{
	if (!node)
		return;
	for (size_t i = 0; i < node->count; i++)
		node_free(node->children[i]);
	free(node);
}

static struct node *node_copy(const struct node *from)
{
	struct node *node = from ? node_new(from->name, from->value) : NULL;

	for (size_t i = 0; from && i < from->count; i++)
		node->children[node->count++] = node_copy(from->children[i]);
	return node;
}

static struct node *node_find(const struct node *node, const char *name)
{
	for (size_t i = 0; node && i < node->count; i++)
		if (strcmp(node->children[i]->name, name) == 0)
			return node->children[i];
	return NULL;
}

/* In which order the parts of a line stand: merge_text.h. */
static int rank(const char *name)
{
	static const char *const order[] = {
		"$config", "$type", "$subject", "$x", "$m@", "$c@", "$dx", "$d@", "@"};

	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
		if (strncmp(name, order[i], strlen(order[i])) == 0)
			return (int)i + 1;
	return 0;
}

/* Entries and layers come last of theirs; all else has one order. */
static struct node *node_add(struct node *parent, const char *name, const char *value)
{
	struct node *node = node_new(name, value);
	size_t i = parent->count++;

	ck_assert_uint_lt(i, CHILDREN_MAX);
	for (; i > 0; i--) {
		const struct node *before = parent->children[i - 1];

		if (rank(before->name) < rank(name) ||
			(rank(before->name) == rank(name) &&
				(rank(name) == 0 || strcmp(before->name, name) < 0)))
			break;
		parent->children[i] = parent->children[i - 1];
	}
	parent->children[i] = node;
	return node;
}

static void node_remove(struct node *parent, size_t i)
{
	node_free(parent->children[i]);
	memmove(&parent->children[i], &parent->children[i + 1],
		(--parent->count - i) * sizeof(*parent->children));
}

static bool node_equal(const struct node *a, const struct node *b)
{
	if (!a || !b)
		return a == b;
	if (strcmp(a->name, b->name) != 0 || strcmp(a->value, b->value) != 0 ||
		a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!node_equal(a->children[i], b->children[i]))
			return false;
	return true;
}

/* The same in whatever order. */
static bool node_alike(const struct node *a, const struct node *b)
{
	if (!a || !b)
		return a == b;
	if (strcmp(a->value, b->value) != 0 || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!node_alike(a->children[i], node_find(b, a->children[i]->name)))
			return false;
	return true;
}

static void node_write(struct buf *out, const struct node *node)
{
	size_t len = strlen(node->name);
	bool entry = len > 0 && node->name[len - 1] == '{';

	buf_printf(out, "%s%s%s ", node->name, *node->value ? "=" : "", node->value);
	for (size_t i = 0; i < node->count; i++)
		node_write(out, node->children[i]);
	if (entry)
		buf_append_text(out, "} ");
}

/* A tag's text; single: that of its one entry, without a name. */
static char *tag_text(const struct node *tag, bool single)
{
	struct buf text = BUF_INIT(BUF_UNBOUNDED);

	if (!tag)
		return strdup("-");
	for (size_t i = 0; i < tag->count; i++)
		node_write(&text, tag->children[i]);
	if (!text.len)
		return strdup("");
	text.data[text.len - 1] = '\0';
	if (single)
		memmove(text.data, strchr(text.data, '{'), strlen(strchr(text.data, '{')) + 1);
	return buf_steal(&text);
}

static void word_take(struct node *tag, struct node **entry, struct node **layer, char *word)
{
	struct node *parent = *entry ? *entry : tag, *added;
	char *value = strchr(word, '=');

	if (strcmp(word, "}") == 0) {
		*entry = *layer = NULL;
		return;
	}
	if (value)
		*value++ = '\0';
	if (*word == '@' && *layer)
		parent = *layer;
	added = node_add(parent, word, value ? value : "");
	if (strchr(word, '{'))
		*entry = added;
	else if (rank(word) == 0)
		*layer = added;
}

/* A single manifest is the entry "any". */
static struct node *tag_parse(const char *text)
{
	struct node *tag = node_new("", ""), *entry = NULL, *layer = NULL;
	cleanup_free char *copy = NULL;
	char *state = NULL;

	ck_assert_int_ge(asprintf(&copy, "%s%s", *text == '{' ? "any" : "", text), 0);
	for (char *word = strtok_r(copy, " ", &state); word; word = strtok_r(NULL, " ", &state))
		word_take(tag, &entry, &layer, word);
	return tag;
}

struct oracle {
	enum merge_choice choice;
	size_t conflicts;
};

static const struct node *oracle_choose(
	struct oracle *oracle, const struct node *ours, const struct node *theirs)
{
	oracle->conflicts++;
	return oracle->choice == MERGE_OURS ? ours : theirs;
}

static const char *value_of(const struct node *node)
{
	return node ? node->value : "";
}

static struct node *oracle_merge(struct oracle *oracle, const struct node *base,
	const struct node *ours, const struct node *theirs);

static void oracle_children(struct oracle *oracle, struct node *out, const struct node *base,
	const struct node *ours, const struct node *theirs)
{
	const struct node *sides[] = {theirs, ours};

	for (size_t side = 0; side < 2; side++) {
		for (size_t i = 0; i < sides[side]->count; i++) {
			const char *name = sides[side]->children[i]->name;
			struct node *merged;

			if (side == 1 && node_find(theirs, name))
				continue;
			merged = oracle_merge(oracle, node_find(base, name), node_find(ours, name),
				node_find(theirs, name));
			if (merged)
				out->children[out->count++] = merged;
		}
	}
}

static struct node *oracle_merge(struct oracle *oracle, const struct node *base,
	const struct node *ours, const struct node *theirs)
{
	const struct node *from = theirs;
	struct node *out;

	if (node_equal(base, ours) || node_equal(ours, theirs))
		return node_copy(theirs);
	if (node_equal(base, theirs))
		return node_copy(ours);
	if (!ours || !theirs)
		return node_copy(oracle_choose(oracle, ours, theirs));
	if (strcmp(ours->value, theirs->value) != 0 && strcmp(value_of(base), ours->value) != 0)
		from = strcmp(value_of(base), theirs->value) == 0
			       ? ours
			       : oracle_choose(oracle, ours, theirs);
	out = node_new(from->name, from->value);
	oracle_children(oracle, out, base, ours, theirs);
	return out;
}

/* splitmix64: the same numbers everywhere. */
struct dice {
	uint64_t state;
};

static size_t roll(struct dice *dice, size_t sides)
{
	uint64_t z = dice->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (size_t)((z ^ z >> 31) % sides);
}

/* What a change may touch. */
struct scope {
	struct dice *dice;
	bool single;
	bool apart; /* not the config, which a new entry has from both sides */
	const char *keys; /* letters of names that it may have */
};

static void random_set(struct scope *scope, struct node *parent, const char *name)
{
	struct node *node = node_find(parent, name);
	char value[16];

	snprintf(value, sizeof(value), "%zu", roll(scope->dice, 4));
	if (node && strncmp(name, ":", 1) != 0)
		snprintf(node->value, sizeof(node->value), "%s", value);
	else if (!node && parent->count < 16)
		node_add(parent, name, *name == ':' ? "" : value);
}

/* A name of this scope: before and a letter. */
static void random_name(char out[static 32], struct scope *scope, const char *before)
{
	snprintf(out, 32, "%s%c", before, scope->keys[roll(scope->dice, strlen(scope->keys))]);
}

static bool in_scope(const struct scope *scope, const char *name)
{
	size_t len = strlen(name);

	return len > 0 && rank(name) == 0 && strchr(scope->keys, name[len - 1]) != NULL;
}

/* Removes a layer or annotation of this scope, if the die falls on one. */
static void random_remove(struct scope *scope, struct node *parent)
{
	size_t i = parent->count ? roll(scope->dice, parent->count) : 0;
	size_t len = i < parent->count ? strlen(parent->children[i]->name) : 0;

	if (len == 0 || strcmp(parent->children[i]->name, "$config") == 0)
		return;
	if (strchr(scope->keys, strchr("abcd", parent->children[i]->name[len - 1])
					? parent->children[i]->name[len - 1]
					: 'a'))
		node_remove(parent, i);
}

static void random_move(struct scope *scope, struct node *parent)
{
	size_t a = parent->count ? roll(scope->dice, parent->count) : 0;

	if (a + 1 < parent->count && rank(parent->children[a + 1]->name) == 0) {
		struct node *moved = parent->children[a];

		parent->children[a] = parent->children[a + 1];
		parent->children[a + 1] = moved;
	}
}

static void layer_change(struct scope *scope, struct node *entry)
{
	char name[32];
	struct node *layer;

	random_name(name, scope, roll(scope->dice, 4) ? "dir/" : ":");
	random_set(scope, entry, name);
	layer = node_find(entry, name);
	if (!layer || !in_scope(scope, name))
		return;
	random_name(name, scope, "@");
	if (roll(scope->dice, 2))
		random_set(scope, layer, name);
	else if (roll(scope->dice, 2))
		random_remove(scope, layer);
}

/* A member without a letter is of the scope that has "a". */
static void member_change(struct scope *scope, struct node *entry)
{
	static const char *const members[] = {"$type", "$subject", "$x", "$config", "$dx"};
	const char *name = members[roll(scope->dice, sizeof(members) / sizeof(*members))];

	if (strchr(scope->keys, 'a') && !(scope->apart && strcmp(name, "$config") == 0) &&
		!(scope->single && strcmp(name, "$dx") == 0))
		random_set(scope, entry, name);
}

static void entry_change(struct scope *scope, struct node *entry)
{
	static const char *const parts[] = {"$m@", "$c@", "$d@"};
	char name[32];

	switch (roll(scope->dice, 8)) {
	case 0:
		random_name(name, scope, parts[roll(scope->dice, scope->single ? 2 : 3)]);
		random_set(scope, entry, name);
		break;
	case 1:
		member_change(scope, entry);
		break;
	case 2:
	case 3:
		random_remove(scope, entry);
		break;
	case 4:
		random_move(scope, entry);
		break;
	default:
		layer_change(scope, entry);
	}
}

static struct node *random_entry(struct scope *scope, struct node *tag)
{
	static const char *const names[] = {
		"linux-amd64{", "linux-arm64{", "linux-arm-v7{", "darwin-arm64{", "windows-amd64{"};
	const char *name =
		scope->single ? "any{" : names[roll(scope->dice, sizeof(names) / sizeof(*names))];
	struct node *entry = node_find(tag, name);

	if (entry)
		return entry;
	entry = node_add(tag, name, "");
	node_add(entry, "$config", "0");
	return entry;
}

static void tag_change(struct scope *scope, struct node *tag, bool may_remove)
{
	char name[32];

	switch (scope->single ? 9 : roll(scope->dice, 10)) {
	case 0:
		random_name(name, scope, "@");
		random_set(scope, tag, name);
		break;
	case 1:
		if (may_remove && tag->count)
			node_remove(tag, roll(scope->dice, tag->count));
		break;
	case 2:
		random_move(scope, tag);
		break;
	case 3:
		if (strchr(scope->keys, 'a'))
			random_set(scope, tag, roll(scope->dice, 2) ? "$x" : "$type");
		break;
	default:
		entry_change(scope, random_entry(scope, tag));
	}
}

/* Three tags of a seed, as trees and as documents. */
struct round {
	uint64_t seed;
	bool single;
	struct node *trees[3];
	char *texts[3];
	struct merge_text_tag tags[3];
	struct merge_store store;
};

enum { BASE, OURS, THEIRS };

static void round_documents(struct round *round)
{
	for (size_t i = 0; i < 3; i++) {
		round->texts[i] = tag_text(round->trees[i], round->single);
		merge_text_parse(&round->tags[i], &round->store, round->texts[i]);
	}
}

/* ours, theirs: the letters that their changes have, NULL for all and for removing entries. */
static void round_make(struct round *out, uint64_t seed, const char *ours, const char *theirs)
{
	struct dice dice = {seed};
	struct scope all = {.dice = &dice, .single = roll(&dice, 6) == 0, .keys = "abcd"};
	struct scope scopes[2] = {all, all};
	struct node *base = node_new("", "");

	*out = (struct round){.seed = seed, .single = all.single};
	for (size_t n = roll(&dice, 30) + 1; n > 0; n--)
		tag_change(&all, base, false);
	random_entry(&all, base);
	for (size_t i = 0; i < 2 && ours; i++) {
		scopes[i].apart = true;
		scopes[i].keys = i == 0 ? ours : theirs;
	}
	for (size_t i = 0; i < 2; i++) {
		struct node *tree = out->trees[OURS + i] = node_copy(base);

		for (size_t n = roll(&dice, 8); n > 0; n--)
			tag_change(&scopes[i], tree, !ours);
	}
	out->trees[BASE] = base;
	if (!ours && !all.single && roll(&dice, 10) == 0) {
		node_free(base);
		out->trees[BASE] = NULL;
	}
	round_documents(out);
}

static void round_clear(struct round *round)
{
	for (size_t i = 0; i < 3; i++) {
		node_free(round->trees[i]);
		free(round->texts[i]);
		merge_text_clear(&round->tags[i]);
	}
	merge_store_clear(&round->store);
}

static enum merge_choice choose(void *context, const char *path)
{
	(void)context;
	(void)path;
	return MERGE_OURS;
}

static enum merge_choice choose_theirs(void *context, const char *path)
{
	(void)context;
	(void)path;
	return MERGE_THEIRS;
}

static void round_merge(struct merge_result *out, struct round *round, int base, int ours,
	int theirs, enum merge_choice choice)
{
	struct merge_input input = {
		.base = merge_text_root(&round->tags[base]),
		.ours = merge_text_root(&round->tags[ours]),
		.theirs = merge_text_root(&round->tags[theirs]),
		.manifest = merge_store_get,
		.context = &round->store,
	};
	struct error err = ERROR_INIT;

	if (choice != MERGE_UNSETTLED)
		input.settle = choice == MERGE_OURS ? choose : choose_theirs;
	ck_assert_msg(merge(out, &input, &err) == 0, "MERGE_SEED=%llu: %s",
		(unsigned long long)round->seed, err.message);
}

static struct node *result_tree(const struct merge_result *result, struct round *round)
{
	cleanup_free char *text = merge_text_format(
		&result->root, &round->store, result->manifests, result->manifest_count);

	return tag_parse(text);
}

static void fail_at(const struct round *round, const struct node *is, const struct node *want)
{
	cleanup_free char *is_text = tag_text(is, false), *want_text = tag_text(want, false);

	ck_abort_msg("MERGE_SEED=%llu\n base   %s\n ours   %s\n theirs %s\n is     %s\n want   %s",
		(unsigned long long)round->seed, round->texts[BASE], round->texts[OURS],
		round->texts[THEIRS], is_text, want_text);
}

/* The merge is what the trees become, and a conflict where they have one. */
static void check_merge(struct round *round, int ours, int theirs, enum merge_choice choice)
{
	cleanup_with(merge_result_clear) struct merge_result result;
	struct oracle oracle = {.choice = choice};
	struct node *want =
		oracle_merge(&oracle, round->trees[BASE], round->trees[ours], round->trees[theirs]);
	struct node *is = NULL;

	round_merge(&result, round, BASE, ours, theirs, choice);
	if (choice != MERGE_UNSETTLED || oracle.conflicts == 0) {
		if (result.conflict_count == 0)
			is = result_tree(&result, round);
		if (!is || !node_alike(is, want))
			fail_at(round, is, want);
	} else if (result.conflict_count == 0) {
		fail_at(round, NULL, want);
	}
	node_free(is);
	node_free(want);
}

/* merge(base, ours, theirs) is one side, to the byte. */
static void check_is(struct round *round, int base, int ours, int theirs, int want)
{
	cleanup_with(merge_result_clear) struct merge_result result;

	round_merge(&result, round, base, ours, theirs, MERGE_UNSETTLED);
	ck_assert_uint_eq(result.conflict_count, 0);
	ck_assert_uint_eq(result.manifest_count, 0);
	ck_assert_str_eq(result.root.json ? result.root.json : "-",
		round->tags[want].exists ? round->tags[want].root.json : "-");
}

static void check_identities(struct round *round)
{
	check_is(round, BASE, OURS, BASE, OURS);
	check_is(round, BASE, BASE, THEIRS, THEIRS);
	check_is(round, BASE, OURS, OURS, OURS);
	check_is(round, OURS, OURS, OURS, OURS);
}

/* Changes that touch nothing in common are both there, in whichever order they are merged. */
static void check_disjoint(struct round *round)
{
	cleanup_with(merge_result_clear) struct merge_result one, other;
	struct node *first, *second;

	round_merge(&one, round, BASE, OURS, THEIRS, MERGE_UNSETTLED);
	round_merge(&other, round, BASE, THEIRS, OURS, MERGE_UNSETTLED);
	ck_assert_msg(one.conflict_count == 0 && other.conflict_count == 0, "MERGE_SEED=%llu: %s",
		(unsigned long long)round->seed, one.conflict_count ? one.conflicts[0].path : "");
	first = result_tree(&one, round);
	second = result_tree(&other, round);
	if (!node_alike(first, second))
		fail_at(round, first, second);
	node_free(first);
	node_free(second);
}

/* One side's root, or the base's, as another tool would write it. */
static void round_respell(struct round *round, int side, uint64_t seed)
{
	struct document *root = &round->tags[side].root;
	cleanup_free char *text = NULL;
	struct error err = ERROR_INIT;

	if (!round->tags[side].exists)
		return;
	text = json_respell(root->json, seed);
	document_clear(root);
	ck_assert_msg(document_parse(root, NULL, text, strlen(text), &err) == 0, "%s: %s", text,
		err.message);
}

static uint64_t env_number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

static size_t rounds(void)
{
	return (size_t)env_number("MERGE_ROUNDS", ROUNDS);
}

START_TEST(any_changes_become_what_the_trees_become)
{
	uint64_t seed = env_number("MERGE_SEED", 0);

	for (size_t i = 0; i < rounds(); i++) {
		struct round round;

		round_make(&round, seed + i, NULL, NULL);
		check_identities(&round);
		check_merge(&round, OURS, THEIRS, MERGE_UNSETTLED);
		check_merge(&round, THEIRS, OURS, MERGE_UNSETTLED);
		check_merge(&round, OURS, THEIRS, MERGE_OURS);
		check_merge(&round, OURS, THEIRS, MERGE_THEIRS);
		round_clear(&round);
	}
}
END_TEST

START_TEST(disjoint_changes_commute)
{
	uint64_t seed = env_number("MERGE_SEED", 0);

	for (size_t i = 0; i < rounds(); i++) {
		struct round round;

		round_make(&round, seed + i, "ab", "cd");
		check_identities(&round);
		check_merge(&round, OURS, THEIRS, MERGE_UNSETTLED);
		check_disjoint(&round);
		round_clear(&round);
	}
}
END_TEST

START_TEST(spellings_are_no_changes)
{
	uint64_t seed = env_number("MERGE_SEED", 0);

	for (size_t i = 0; i < rounds(); i++) {
		struct round round;

		round_make(&round, seed + i, NULL, NULL);
		for (int side = BASE; side <= THEIRS; side++)
			if ((seed + i) % 8 & 1U << side)
				round_respell(&round, side, seed + i + (uint64_t)side);
		check_identities(&round);
		check_merge(&round, OURS, THEIRS, MERGE_UNSETTLED);
		check_merge(&round, THEIRS, OURS, MERGE_UNSETTLED);
		check_merge(&round, OURS, THEIRS, MERGE_OURS);
		round_clear(&round);
	}
}
END_TEST

/* The generator is worth something only if it makes both. */
START_TEST(rounds_differ)
{
	size_t conflicts = 0, merged = 0;

	for (uint64_t seed = 0; seed < 200; seed++) {
		cleanup_with(merge_result_clear) struct merge_result result;
		struct round round;

		round_make(&round, seed, NULL, NULL);
		round_merge(&result, &round, BASE, OURS, THEIRS, MERGE_UNSETTLED);
		conflicts += result.conflict_count > 0;
		merged += result.manifest_count > 0;
		round_clear(&round);
	}
	ck_assert_uint_gt(conflicts, 20);
	ck_assert_uint_gt(merged, 20);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("merge properties");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	char seed[32];
	int failed;

	snprintf(seed, sizeof(seed), "%llu",
		(unsigned long long)time(NULL) * 1000003 + (unsigned long long)getpid());
	setenv("MERGE_SEED", seed, 0);
	printf("MERGE_SEED=%s MERGE_ROUNDS=%zu\n", getenv("MERGE_SEED"), rounds());
	fflush(stdout);
	suite_add_tcase(suite, all);
	tcase_set_timeout(all, 240);
	tcase_add_test(all, any_changes_become_what_the_trees_become);
	tcase_add_test(all, disjoint_changes_commute);
	tcase_add_test(all, spellings_are_no_changes);
	tcase_add_test(all, rounds_differ);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
