/* Commits of a tag that others write too: over a store that others change in the very moment. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "fs/tree/conflict.h"
#include "fs/tree/tag.h"
#include "fs_tag.h"

static struct tag_fixture f;

static struct error commit(void)
{
	return tag_commit(&f);
}

static void assert_commits(const char *calls)
{
	struct error err = commit();

	ck_assert_msg(!error_is_set(&err), "%s", err.message);
	if (calls)
		ck_assert_str_eq(f.store.calls, calls);
}

/* What others do when a call of this letter comes, or has been done, the n-th time. */
struct others {
	char letter;
	int at; /* 0: always */
	int seen;
	const char *text;
};

static struct others others;

static void write_too(struct tag_store *store, char letter, void *context)
{
	struct others *they = context;

	if (letter == they->letter && (++they->seen == they->at || !they->at))
		tag_store_set(store, they->text);
}

static void others_write_before(char letter, int at, const char *text)
{
	others = (struct others){.letter = letter, .at = at, .text = text};
	f.store.before = write_too;
	f.store.context = &others;
}

static void others_write_after(char letter, int at, const char *text)
{
	others = (struct others){.letter = letter, .at = at, .text = text};
	f.store.after = write_too;
	f.store.context = &others;
}

#define A1 "linux-amd64{ app=1 }"
#define A2 "linux-amd64{ app=2 }"
#define B1 "linux-arm64{ app=b }"
#define C1 "darwin-arm64{ app=c }"
#define AM "linux-amd64{ app=mine }"

static void start(const char *text)
{
	tag_fixture_start(&f, text);
	tag_load_all(&f);
}

START_TEST(nobody_else)
{
	start(A1);
	tag_write(&f, "linux-amd64/app", "mine");
	assert_commits("bmrtr");
	assert_tag(&f, AM);
	assert_commits("");
	tag_fixture_stop(&f);
}
END_TEST

START_TEST(atomic_store_is_not_read_back)
{
	start(A1);
	f.store.store.atomic_tags = true;
	tag_write(&f, "linux-amd64/app", "mine");
	assert_commits("bmrt");
	tag_fixture_stop(&f);
}
END_TEST

/* What is pushed is looked at, merged and pushed again; blobs go once. */
START_TEST(moved_tag_is_merged)
{
	start(A1);
	tag_write(&f, "linux-amd64/app", "mine");
	tag_store_set(&f.store, A1 " " B1);
	assert_commits("bmr"
		       "g"
		       "rtr");
	assert_tag(&f, AM " " B1);
	tag_load_all(&f);
	assert_view(&f, AM " " B1);
	assert_base(&f, AM " " B1);
	ck_assert_uint_eq(f.tree.root->tag->merges, 1);
	ck_assert(!f.tree.root->tag->moved);
	tag_fixture_stop(&f);
}
END_TEST

/* Within one entry the manifest of both is new, and ours alone is never sent without need. */
START_TEST(one_entry_is_merged)
{
	start("any{ a=1 b=1 }");
	tag_write(&f, "any/a", "mine");
	tag_store_set(&f.store, "any{ a=1 b=2 }");
	assert_commits("bmr"
		       "gd"
		       "mrtr");
	assert_tag(&f, "any{ a=mine b=2 }");
	assert_view(&f, "any{ a=mine b=2 }");
	tag_fixture_stop(&f);
}
END_TEST

START_TEST(tag_that_moves_in_the_last_moment_is_merged)
{
	start(A1);
	f.store.store.atomic_tags = true;
	tag_write(&f, "linux-amd64/app", "mine");
	others_write_before('t', 1, A1 " " B1);
	assert_commits("bmrt"
		       "g"
		       "rt");
	assert_tag(&f, AM " " B1);
	tag_fixture_stop(&f);
}
END_TEST

/* Who has not seen ours takes it out again: it is put back, and his is kept. */
START_TEST(overwritten_push_is_merged_and_pushed_again)
{
	start(A1);
	tag_write(&f, "linux-amd64/app", "mine");
	others_write_after('t', 1, A1 " " B1);
	assert_commits("bmrtr"
		       "g"
		       "rtr");
	assert_tag(&f, AM " " B1);
	ck_assert_uint_eq(f.tree.root->tag->repushes, 1);
	tag_load_all(&f);
	assert_view(&f, AM " " B1);
	tag_fixture_stop(&f);
}
END_TEST

/* What the tag named before our push, seen for a while after it. */
struct late {
	struct document before, after;
};

static void hide_push(struct tag_store *store, char letter, void *context)
{
	struct late *late = context;

	if (letter != 't')
		return;
	late->after = store->tag;
	store->tag = late->before;
}

static void show_push(struct tag_store *store, char letter, void *context)
{
	struct late *late = context;

	if (letter != 'g')
		return;
	document_clear(&store->tag);
	store->tag = late->after;
}

START_TEST(late_sight_of_our_push_is_none_of_others)
{
	struct late late;

	start(A1);
	ck_assert_int_eq(document_copy(&late.before, &f.store.tag, NULL), 0);
	f.store.after = hide_push;
	f.store.before = show_push;
	f.store.context = &late;
	tag_write(&f, "linux-amd64/app", "mine");
	assert_commits("bmrtr"
		       "g");
	assert_tag(&f, AM);
	ck_assert_uint_eq(f.tree.root->tag->repushes, 0);
	tag_fixture_stop(&f);
}
END_TEST

static void assert_conflict(const char *path)
{
	const struct conflicts *conflicts = &f.tree.root->tag->conflicts;
	cleanup_free char *before = tag_store_get(&f.store);
	struct error err = commit();
	cleanup_free char *after = tag_store_get(&f.store);

	ck_assert_int_eq(err.kind, ERROR_CONFLICT);
	ck_assert_msg(strstr(err.message, path) != NULL, "%s", err.message);
	ck_assert_uint_eq(conflicts->count, 1);
	ck_assert_str_eq(conflicts->items[0].path, path);
	ck_assert_msg(
		strstr(err.message, conflicts->items[0].ours.text) != NULL, "%s", err.message);
	ck_assert_msg(
		strstr(err.message, conflicts->items[0].theirs.text) != NULL, "%s", err.message);
	ck_assert_str_eq(before, after);
}

START_TEST(conflict_publishes_and_loses_nothing)
{
	start("any{ a=1 b=1 }");
	tag_write(&f, "any/a", "mine");
	tag_write(&f, "any/b", "too");
	tag_store_set(&f.store, "any{ a=2 b=1 }");
	assert_conflict("any/a");
	assert_view(&f, "any{ a=mine b=too }");
	assert_conflict("any/a");
	tag_fixture_restart(&f);
	tag_load_all(&f);
	assert_view(&f, "any{ a=mine b=too }");
	assert_conflict("any/a");
	tag_fixture_stop(&f);
}
END_TEST

static void choose(const char *text)
{
	ck_assert_int_eq(
		conflicts_choose(&f.tree.root->tag->conflicts, text, strlen(text), NULL), 0);
}

START_TEST(conflict_is_settled)
{
	bool ours = _i;

	start("any{ a=1 b=1 }");
	tag_write(&f, "any/a", "mine");
	tag_write(&f, "any/b", "too");
	tag_store_set(&f.store, "any{ a=2 b=1 }");
	assert_conflict("any/a");
	choose(ours ? "ours any/a" : "theirs any/a");
	assert_commits(NULL);
	assert_view(&f, ours ? "any{ a=mine b=too }" : "any{ a=2 b=too }");
	assert_tag(&f, ours ? "any{ a=mine b=too }" : "any{ a=2 b=too }");
	ck_assert_uint_eq(f.tree.root->tag->conflicts.count, 0);
	/* the choice was for that commit */
	tag_write(&f, "any/a", "again");
	tag_store_set(&f.store, "any{ a=3 b=1 }");
	assert_conflict("any/a");
	tag_fixture_stop(&f);
}
END_TEST

START_TEST(choice_is_about_its_own_path)
{
	static const struct {
		const char *choice, *conflict;
		bool about;
	} rows[] = {
		{"ours any/a", "any/a", true},
		{"ours any/a", "any/a/b", true},
		{"ours any/a", "any/ab", false},
		{"ours any/a", "any/a: b", false},
		{"ours any/a", "any/annotations.json: a: key", true},
		{"ours any/a: b", "any/a: b", true},
		{"ours any", "any/a: b", true},
		{"ours any", "any: thing", false},
		{"ours any/annotations.json", "any/annotations.json: a: key", true},
		{"ours any/annotations.json: a", "any/annotations.json: a: key", true},
		{"ours any/annotations.json: a", "any/annotations.json: ab: key", false},
		{"ours any/x/annotations.json", "any/x/annotations.json: b", false},
		{"ours annotations.json", "annotations.json: key", true},
		{"ours .", "any/a: b", true},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct conflicts conflicts = {.items = NULL};
		const char *text = rows[i].choice;

		ck_assert_int_eq(conflicts_choose(&conflicts, text, strlen(text), NULL), 0);
		ck_assert_msg(conflicts_choice(&conflicts, rows[i].conflict) ==
				      (rows[i].about ? MERGE_OURS : MERGE_UNSETTLED),
			"%s: %s", text, rows[i].conflict);
		conflicts_clear(&conflicts);
	}
}
END_TEST

/* What was given up leaves nothing to be published. */
START_TEST(given_up_is_not_pushed)
{
	start(A1);
	tag_write(&f, "linux-amd64/app", "mine");
	tag_store_set(&f.store, A2);
	assert_conflict("linux-amd64/app");
	f.options.conflict = MERGE_THEIRS;
	f.tree.options.conflict = MERGE_THEIRS;
	assert_commits("drd");
	assert_view(&f, A2);
	assert_tag(&f, A2);
	tag_fixture_stop(&f);
}
END_TEST

/* Somebody has changed the same after us, and in the same moment: that is for the user, whatever he
 * has said of conflicts. */
START_TEST(overwritten_conflict_is_told)
{
	struct error err;

	start(A1);
	f.tree.options.conflict = MERGE_OURS;
	tag_write(&f, "linux-amd64/app", "mine");
	others_write_after('t', 1, A2);
	err = commit();
	ck_assert_int_eq(err.kind, ERROR_CONFLICT);
	assert_tag(&f, A2);
	assert_view(&f, AM);
	tag_fixture_stop(&f);
}
END_TEST

START_TEST(removed_tag_is_a_conflict_with_changes)
{
	start(A1);
	tag_write(&f, "linux-amd64/app", "mine");
	tag_store_set(&f.store, "-");
	ck_assert_int_eq(commit().kind, ERROR_CONFLICT);
	choose("ours .");
	assert_commits(NULL);
	assert_tag(&f, AM);
	tag_store_set(&f.store, "-");
	tag_write(&f, "linux-amd64/app", "more");
	ck_assert_int_eq(commit().kind, ERROR_CONFLICT);
	choose("theirs .");
	assert_commits(NULL);
	assert_view(&f, "");
	assert_tag(&f, "-");
	tag_fixture_stop(&f);
}
END_TEST

/* The answer to the push is lost; what was changed afterwards goes on from there, and what others
 * have made of it meanwhile is kept. */
START_TEST(lost_answer_is_no_conflict)
{
	bool restart = _i;

	start("any{ a=1 b=1 }");
	tag_write(&f, "any/a", "mine");
	f.store.lose = 't';
	ck_assert_int_eq(commit().kind, ERROR_TIMEOUT);
	if (restart) {
		tag_fixture_restart(&f);
		tag_load_all(&f);
		assert_view(&f, "any{ a=mine b=1 }");
	}
	tag_write(&f, "any/a", "newer");
	assert_commits(NULL);
	assert_tag(&f, "any{ a=newer b=1 }");
	tag_fixture_stop(&f);
}
END_TEST

/* The same where it was a merge: what others had published is neither lost nor taken for ours. */
START_TEST(lost_answer_to_a_merge_is_no_conflict)
{
	bool restart = _i;

	start("any{ a=1 b=1 c=1 }");
	tag_write(&f, "any/a", "mine");
	tag_store_set(&f.store, "any{ a=1 b=2 } " B1);
	f.store.lose = 't';
	ck_assert_int_eq(commit().kind, ERROR_TIMEOUT);
	assert_tag(&f, "any{ a=mine b=2 } " B1);
	if (restart) {
		tag_fixture_restart(&f);
		tag_load_all(&f);
		assert_view(&f, "any{ a=mine b=1 c=1 }");
	}
	tag_write(&f, "any/a", "newer");
	assert_commits(NULL);
	assert_tag(&f, "any{ a=newer b=2 } " B1);
	tag_load_all(&f);
	assert_view(&f, "any{ a=newer b=2 } " B1);
	tag_fixture_stop(&f);
}
END_TEST

/* The answer is lost, and nothing is changed afterwards, or the change is taken back. */
START_TEST(lost_answer_and_nothing_more)
{
	bool back = _i;

	start(A1 " " B1);
	tag_write(&f, "linux-amd64/app", "mine");
	f.store.lose = 't';
	ck_assert_int_eq(commit().kind, ERROR_TIMEOUT);
	if (back)
		tag_write(&f, "linux-amd64/app", "1");
	assert_commits(NULL);
	assert_tag(&f, back ? "linux-amd64{ app=1 } " B1 : AM " " B1);
	ck_assert(!tag_is_changed(f.tree.root));
	tag_fixture_stop(&f);
}
END_TEST

/* The time that a commit writes is no conflict, and no reason to push again and again. */
START_TEST(times_are_no_conflict)
{
	start("any{ a=1 b=1 }");
	f.tree.options.created = 1767323045; /* 2026-01-02T03:04:05Z */
	tag_write(&f, "any/a", "mine");
	tag_store_set(&f.store, "any{ a=1 b=2 $m@org.opencontainers.image.created=other }");
	assert_commits(NULL);
	assert_tag(
		&f, "any{ a=mine b=2 $m@org.opencontainers.image.created=2026-01-02T03:04:05Z }");
	tag_write(&f, "any/a", "more");
	others_write_after('t', 1, "any{ a=mine b=3 $m@org.opencontainers.image.created=third }");
	assert_commits(NULL);
	assert_tag(&f, "any{ a=more b=3 $m@org.opencontainers.image.created=third }");
	tag_fixture_stop(&f);
}
END_TEST

START_TEST(new_tag_that_others_make_too)
{
	start("-");
	tag_write(&f, "linux-amd64/app", "mine");
	tag_store_set(&f.store, B1);
	assert_commits(NULL);
	assert_tag(&f, B1 " linux-amd64{ app=mine $type=a/b }");
	tag_fixture_stop(&f);
}
END_TEST

static void write_in_turn(struct tag_store *store, char letter, void *context)
{
	int *count = context;

	if (letter == 't')
		tag_store_set(store, ++*count % 2 ? A1 " " B1 : A1 " " C1);
}

/* Who is never fast enough gives up, and has lost nothing. */
START_TEST(bounded_number_of_tries)
{
	struct error err;
	int count = 0;

	start(A1);
	f.store.store.atomic_tags = true;
	tag_write(&f, "linux-amd64/app", "mine");
	f.store.before = write_in_turn;
	f.store.context = &count;
	err = commit();
	ck_assert_int_eq(err.kind, ERROR_CONFLICT);
	ck_assert_ptr_nonnull(strstr(err.message, "all the time"));
	assert_view(&f, AM);
	f.store.before = NULL;
	assert_commits(NULL);
	assert_tag(&f, count % 2 ? AM " " B1 : AM " " C1);
	tag_fixture_stop(&f);
}
END_TEST

/* Nothing to be published: what others are known to have published is shown, at no cost else. */
START_TEST(nothing_of_ours)
{
	start(A1);
	tag_store_set(&f.store, A2);
	assert_commits("");
	assert_view(&f, A1);
	tag_write(&f, "linux-amd64/app", "1");
	assert_commits(NULL);
	tag_fixture_stop(&f);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("push");
	TCase *tcase = tcase_create("push");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, nobody_else);
	tcase_add_test(tcase, choice_is_about_its_own_path);
	tcase_add_test(tcase, atomic_store_is_not_read_back);
	tcase_add_test(tcase, moved_tag_is_merged);
	tcase_add_test(tcase, one_entry_is_merged);
	tcase_add_test(tcase, tag_that_moves_in_the_last_moment_is_merged);
	tcase_add_test(tcase, overwritten_push_is_merged_and_pushed_again);
	tcase_add_test(tcase, late_sight_of_our_push_is_none_of_others);
	tcase_add_test(tcase, conflict_publishes_and_loses_nothing);
	tcase_add_loop_test(tcase, conflict_is_settled, 0, 2);
	tcase_add_test(tcase, given_up_is_not_pushed);
	tcase_add_test(tcase, overwritten_conflict_is_told);
	tcase_add_test(tcase, removed_tag_is_a_conflict_with_changes);
	tcase_add_loop_test(tcase, lost_answer_is_no_conflict, 0, 2);
	tcase_add_loop_test(tcase, lost_answer_to_a_merge_is_no_conflict, 0, 2);
	tcase_add_loop_test(tcase, lost_answer_and_nothing_more, 0, 2);
	tcase_add_test(tcase, times_are_no_conflict);
	tcase_add_test(tcase, new_tag_that_others_make_too);
	tcase_add_test(tcase, bounded_number_of_tries);
	tcase_add_test(tcase, nothing_of_ours);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
