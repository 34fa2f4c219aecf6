/* After a push: what others, who have not seen it, make of the tag. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "fs/commit/watch.h"
#include "fs/tree/conflict.h"
#include "fs/tree/tag.h"
#include "fs_tag.h"

static struct tag_fixture f;

#define A1 "linux-amd64{ app=1 }"
#define A2 "linux-amd64{ app=2 }"
#define AM "linux-amd64{ app=mine }"
#define B1 "linux-arm64{ app=b }"
#define C1 "darwin-arm64{ app=c }"

static void commit(void)
{
	struct error err = tag_commit(&f);

	ck_assert_msg(!error_is_set(&err), "%s", err.message);
}

/* What others make of the tag ("+": they add to it) once a push has been read back and found good,
 * before it is looked at again. */
static const char *others_make;

static void write_afterwards(struct tag_store *store, char letter, void *context)
{
	int *asked = context;

	if (letter != 'r' || ++*asked != 2)
		return;
	if (*others_make == '+')
		tag_store_add(store, others_make + 1);
	else
		tag_store_set(store, others_make);
}

static void commit_and_others_make(const char *text)
{
	int asked = 0;

	others_make = text;
	f.store.context = &asked;
	f.store.after = write_afterwards;
	commit();
	f.store.after = NULL;
}

static void start(const char *text)
{
	tag_fixture_start(&f, text);
	tag_load_all(&f);
	ck_assert_int_eq(watch_start(&f.tree, NULL), 0);
}

static bool is_watched(void)
{
	bool watched;

	pthread_mutex_lock(&f.tree.lock);
	watched = f.tree.root->tag->last_push.watched;
	pthread_mutex_unlock(&f.tree.lock);
	return watched;
}

/* Until nothing more is looked at. */
static void wait_for_end(void)
{
	const struct timespec pause = {.tv_nsec = 5000000};

	while (is_watched())
		nanosleep(&pause, NULL);
}

START_TEST(tag_is_looked_at_three_times)
{
	start(A1);
	tag_write(&f, "linux-amd64/app", "mine");
	commit();
	wait_for_end();
	f.store.calls[f.store.count] = '\0';
	ck_assert_str_eq(f.store.calls, "bmrtr"
					"rrr");
	assert_tag(&f, AM);
	tag_fixture_stop(&f);
}
END_TEST

START_TEST(store_that_keeps_to_conditions_is_not_watched)
{
	tag_fixture_start(&f, A1);
	f.store.store.atomic_tags = true;
	ck_assert_int_eq(watch_start(&f.tree, NULL), 0);
	tag_write(&f, "linux-amd64/app", "mine");
	commit();
	ck_assert(!is_watched());
	tag_fixture_stop(&f);
}
END_TEST

/* What others make of the tag after our push, and what comes of it. */
struct row {
	const char *what, *before, *path, *theirs, *tag;
	unsigned repushes;
	const char *stays; /* what is told of: theirs stays, and nothing is left to be settled */
};

static const struct row rows[] = {
	{"overwritten", A1, "linux-amd64/app", A1 " " B1, AM " " B1, 1, NULL},
	{"set back", A1, "linux-amd64/app", A1, AM, 1, NULL},
	{"gone on from", A1, "linux-amd64/app", "+" B1, AM " " B1, 0, NULL},
	{"overwritten within an entry", "any{ a=1 b=1 }", "any/a", "any{ a=1 b=2 c=3 }",
		"any{ a=mine b=2 c=3 }", 1, NULL},
	{"an entry of ours that was new", A1, "linux-arm64/app", A2,
		A2 " linux-arm64{ app=mine $type=a/b }", 1, NULL},
	{"the same changed", A1, "linux-amd64/app", A2 " " B1, A2 " " B1, 0, "linux-amd64/app"},
	{"removed", A1, "linux-amd64/app", "-", "-", 0, "."},
	{"a new tag overwritten", "-", "linux-arm64/app", A2,
		A2 " linux-arm64{ app=mine $type=a/b }", 1, NULL},
	{"a new tag removed", "-", "linux-arm64/app", "-", "linux-arm64{ app=mine $type=a/b }", 1,
		NULL},
};

START_TEST(what_is_missing_is_put_back)
{
	const struct row *row = &rows[_i];
	const struct errors *errors = &f.tree.errors;
	cleanup_free char *shown = strdup(row->tag);
	char *type;

	start(row->before);
	tag_write(&f, row->path, "mine");
	commit_and_others_make(row->theirs);
	wait_for_end();
	assert_tag(&f, row->tag);
	ck_assert_uint_eq(f.tree.root->tag->repushes, row->repushes);
	ck_assert_uint_eq(f.tree.root->tag->conflicts.count, 0);
	ck_assert_uint_eq(errors->total, row->stays ? 1 : 0);
	if (row->stays)
		ck_assert_ptr_nonnull(strstr(errors->entries[0].error.message, row->stays));
	/* and shown; artifact types are not */
	tag_load_all(&f);
	if ((type = strstr(shown, " $type=a/b")))
		memmove(type, type + strlen(" $type=a/b"), strlen(type + strlen(" $type=a/b")) + 1);
	assert_view(&f, strcmp(shown, "-") ? shown : "");
	ck_assert(!tag_is_changed(f.tree.root));
	tag_fixture_stop(&f);
}
END_TEST

/* What is changed differently stays as theirs, what is just missing comes back. */
START_TEST(conflict_is_theirs_and_the_rest_comes_back)
{
	start("any{ a=1 b=1 }");
	tag_write(&f, "any/a", "mine");
	tag_write(&f, "any/b", "too");
	commit_and_others_make("any{ a=2 b=1 }");
	wait_for_end();
	assert_tag(&f, "any{ a=2 b=too }");
	assert_view(&f, "any{ a=2 b=too }");
	/* nothing is left to be settled */
	ck_assert_uint_eq(f.tree.root->tag->conflicts.count, 0);
	tag_fixture_stop(&f);
}
END_TEST

static void insist(struct tag_store *store, char letter, void *context)
{
	int *count = context;

	/* the first push is read back well */
	if (letter == 'r' && ++*count >= 2)
		tag_store_set(store, A1 " " B1);
}

/* Who undoes the same again and again means it. */
START_TEST(who_insists_is_given_way)
{
	int count = 0;

	start(A1);
	tag_write(&f, "linux-amd64/app", "mine");
	f.store.context = &count;
	f.store.after = insist;
	commit();
	wait_for_end();
	ck_assert_int_ge(count, 3);
	assert_tag(&f, A1 " " B1);
	tag_load_all(&f);
	assert_view(&f, A1 " " B1);
	tag_fixture_stop(&f);
}
END_TEST

/* A commit while the last one is watched has all of both. */
START_TEST(next_commit_has_what_was_overwritten)
{
	start(A1);
	tag_write(&f, "linux-amd64/app", "mine");
	commit_and_others_make(A1 " " B1);
	tag_write(&f, "darwin-arm64/app", "too");
	commit();
	assert_tag(&f, AM " " B1 " darwin-arm64{ app=too $type=a/b }");
	wait_for_end();
	assert_tag(&f, AM " " B1 " darwin-arm64{ app=too $type=a/b }");
	tag_fixture_stop(&f);
}
END_TEST

/* Two commits in a row are watched as one. */
START_TEST(commits_in_a_row_are_watched_together)
{
	start(A1);
	f.tree.options.watch_ms = 5000;
	tag_write(&f, "linux-amd64/app", "mine");
	commit();
	tag_write(&f, "darwin-arm64/app", "too");
	commit_and_others_make(A1 " " B1);
	f.tree.options.watch_ms = 200;
	wait_for_end();
	assert_tag(&f, AM " " B1 " darwin-arm64{ app=too $type=a/b }");
	ck_assert_uint_eq(f.tree.root->tag->repushes, 1);
	tag_fixture_stop(&f);
}
END_TEST

/* What isn't committed stays on top of all that. */
START_TEST(changes_stay_on_top)
{
	start(A1 " " C1);
	tag_write(&f, "linux-amd64/app", "mine");
	commit_and_others_make(A1 " " B1 " " C1);
	tag_write(&f, "darwin-arm64/app", "later");
	wait_for_end();
	assert_tag(&f, AM " " B1 " " C1);
	tag_load_all(&f);
	assert_view(&f, AM " " B1 " darwin-arm64{ app=later }");
	tag_fixture_stop(&f);
}
END_TEST

struct late {
	int seen;
	struct document document;
};

static void come_late(struct tag_store *store, char letter, void *context)
{
	struct late *late = context;

	if (letter != 'r' || ++late->seen != 2)
		return;
	document_clear(&store->tag);
	store->tag = late->document;
}

/* An older push, whose answer was lost, comes after a newer one. */
START_TEST(older_push_that_comes_late_is_undone)
{
	struct late late = {.seen = 0};

	start(A1);
	tag_write(&f, "linux-amd64/app", "mine");
	f.store.lose = 't';
	ck_assert_int_eq(tag_commit(&f).kind, ERROR_TIMEOUT);
	/* it isn't there yet */
	late.document = f.store.tag;
	f.store.tag = (struct document)DOCUMENT_INIT;
	tag_store_set(&f.store, A1);
	tag_write(&f, "linux-amd64/app", "newer");
	f.store.context = &late;
	f.store.after = come_late;
	commit();
	wait_for_end();
	assert_tag(&f, "linux-amd64{ app=newer }");
	assert_view(&f, "linux-amd64{ app=newer }");
	ck_assert_uint_eq(f.tree.root->tag->conflicts.count, 0);
	tag_fixture_stop(&f);
}
END_TEST

/* A registry that can't be asked now is asked the next time. */
START_TEST(failure_to_look_is_no_end)
{
	start(A1);
	tag_write(&f, "linux-amd64/app", "mine");
	commit_and_others_make(A1 " " B1);
	f.store.lose = 'r';
	wait_for_end();
	assert_tag(&f, AM " " B1);
	tag_fixture_stop(&f);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("watch");
	TCase *tcase = tcase_create("watch");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, tag_is_looked_at_three_times);
	tcase_add_test(tcase, store_that_keeps_to_conditions_is_not_watched);
	tcase_add_loop_test(
		tcase, what_is_missing_is_put_back, 0, (int)(sizeof(rows) / sizeof(*rows)));
	tcase_add_test(tcase, conflict_is_theirs_and_the_rest_comes_back);
	tcase_add_test(tcase, who_insists_is_given_way);
	tcase_add_test(tcase, next_commit_has_what_was_overwritten);
	tcase_add_test(tcase, commits_in_a_row_are_watched_together);
	tcase_add_test(tcase, changes_stay_on_top);
	tcase_add_test(tcase, older_push_that_comes_late_is_undone);
	tcase_add_test(tcase, failure_to_look_is_no_end);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
