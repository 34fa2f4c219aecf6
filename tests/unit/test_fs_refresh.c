/* Reading follows the tag: when it is asked, and what comes of it. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fs/tree/control.h"
#include "fs/tree/file.h"
#include "fs/tree/refresh.h"
#include "fs/tree/tag.h"
#include "fs_tag.h"

static struct tag_fixture f;

#define A1 "linux-amd64{ app=1 }"
#define A2 "linux-amd64{ app=2 }"
#define B1 "linux-arm64{ app=b }"

static void start(const char *text)
{
	tag_fixture_start(&f, text);
	tag_load_all(&f);
	f.tree.options.refresh_ms = 0;
	f.store.count = 0;
}

static bool is_asking(void)
{
	bool asking;

	pthread_mutex_lock(&f.tree.lock);
	asking = f.tree.root->tag->asking;
	pthread_mutex_unlock(&f.tree.lock);
	return asking;
}

/* Somebody looks at a path, and waits for what comes of it; then these are the store's calls. */
static void look(const char *path, const char *calls)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	f.store.count = 0;
	refresh_touch(&f.tree, *path ? tag_node(&f, path) : f.tree.root);
	while (is_asking())
		nanosleep(&pause, NULL);
	f.store.calls[f.store.count] = '\0';
	ck_assert_str_eq(f.store.calls, calls);
}

START_TEST(unmoved_tag_costs_one_call)
{
	start(A1);
	look("", "r");
	look("linux-amd64", "r");
	look("linux-amd64/app", "r");
	tag_fixture_stop(&f);
}
END_TEST

START_TEST(moved_tag_is_shown)
{
	start(A1);
	tag_write(&f, "linux-amd64/.app.swp", "s");
	tag_store_set(&f.store, A2 " " B1);
	look("", "rgd");
	assert_view(&f, "linux-amd64{ app=2 .app.swp=s } linux-arm64{?}");
	look("", "r");
	tag_store_set(&f.store, "-");
	look("", "rg");
	assert_view(&f, "linux-amd64{ .app.swp=s }");
	look("", "r");
	tag_store_set(&f.store, B1);
	look("", "rg");
	assert_view(&f, "linux-arm64{?} linux-amd64{ .app.swp=s }");
	tag_fixture_stop(&f);
}
END_TEST

START_TEST(not_before_its_time)
{
	start(A1);
	f.tree.options.refresh_ms = 3600000;
	look("", "");
	f.tree.root->tag->asked_ms -= 3600000;
	look("", "r");
	look("", "");
	f.tree.options.refresh_ms = -1;
	f.tree.root->tag->asked_ms = 0;
	look("", "");
	tag_fixture_stop(&f);
}
END_TEST

START_TEST(some_looks_do_not_count)
{
	struct node *control;

	start(A1);
	pthread_mutex_lock(&f.tree.lock);
	control = control_folder(&f.tree, f.tree.root);
	pthread_mutex_unlock(&f.tree.lock);
	refresh_touch(&f.tree, control);
	ck_assert(!is_asking());
	/* a commit asks itself, and who watches a push does */
	f.tree.root->tag->committing = true;
	look("", "");
	f.tree.root->tag->committing = false;
	f.tree.root->tag->last_push.watched = true;
	look("", "");
	f.tree.root->tag->last_push.watched = false;
	/* and a digest is what it is */
	free(f.tree.root->tag->name);
	f.tree.root->tag->name = NULL;
	look("", "");
	tag_fixture_stop(&f);
}
END_TEST

/* What can't be asked leaves the view, and is told once. */
START_TEST(failure_leaves_the_view)
{
	start(A1);
	tag_store_set(&f.store, A2);
	for (int i = 0; i < 3; i++) {
		f.store.lose = 'r';
		look("", "r");
		assert_view(&f, A1);
		/* less and less often */
		look("", "");
		f.tree.root->tag->asked_ms -= (int64_t)1000 << i;
	}
	ck_assert_uint_eq(f.tree.errors.last_number, 1);
	look("", "rgd");
	assert_view(&f, A2);
	look("", "r");
	tag_fixture_stop(&f);
}
END_TEST

static void come_back(struct tag_store *store, char letter, void *context)
{
	struct document *tag = context;

	if (letter != 'g')
		return;
	store->tag = *tag;
}

/* A tag that isn't there for a moment isn't gone. */
START_TEST(gone_has_to_be_said_twice)
{
	struct document tag;

	start(A1);
	tag = f.store.tag;
	f.store.tag = (struct document)DOCUMENT_INIT;
	f.store.before = come_back;
	f.store.context = &tag;
	look("", "rg");
	assert_view(&f, A1);
	ck_assert(!f.tree.root->tag->moved);
	tag_fixture_stop(&f);
}
END_TEST

/* Our own push, whose answer was lost, waits for the commit. */
START_TEST(lost_push_is_left_to_the_commit)
{
	struct error err;

	start(A1 " " B1);
	tag_write(&f, "linux-amd64/app", "mine");
	f.store.lose = 't';
	err = tag_commit(&f);
	ck_assert_int_eq(err.kind, ERROR_TIMEOUT);
	look("", "rg");
	assert_view(&f, "linux-amd64{ app=mine } " B1);
	assert_base(&f, A1 " " B1);
	tag_write(&f, "linux-amd64/app", "newer");
	err = tag_commit(&f);
	ck_assert_msg(!error_is_set(&err), "%s", err.message);
	assert_tag(&f, "linux-amd64{ app=newer } " B1);
	tag_fixture_stop(&f);
}
END_TEST

/* What stood in the way of a part of what others have made goes: then that is shown as well, though
 * the tag hasn't moved again. */
START_TEST(what_was_in_the_way_goes)
{
	struct handle *writer;

	start(A1 " @k=v");
	tag_write(&f, "linux-arm64/app", "mine");
	tag_annotate(&f, "", "{\"k\":\"w\"}");
	ck_assert_int_eq(
		file_open(&f.tree, tag_node(&f, "linux-amd64/app"), true, false, &writer, NULL), 0);
	tag_store_set(&f.store, A2 " " B1 " @k=x");
	look("", "rgd");
	assert_view(&f, A1 " linux-arm64{ app=mine } @k=w");
	look("", "rd");
	tag_remove(&f, "linux-arm64");
	look("", "rd");
	tag_load_all(&f);
	assert_view(&f, A1 " " B1 " @k=w");
	file_close(&f.tree, writer);
	look("", "rd");
	assert_view(&f, A2 " " B1 " @k=w");
	look("", "r");
	tag_fixture_restart(&f);
	tag_load_all(&f);
	assert_view(&f, A2 " " B1 " @k=w");
	tag_fixture_stop(&f);
}
END_TEST

/* So does a manifest that could not be had; that it can't is told once. */
START_TEST(what_could_not_be_had_comes)
{
	start(A1 " " B1);
	tag_write(&f, "linux-arm64/app", "mine");
	error_set(&f.store.refuse, ERROR_UNREACHABLE, "no network");
	tag_store_set(&f.store, A2 " " B1 " @k=v");
	look("", "rgd");
	look("", "rd");
	assert_view(&f, A1 " linux-arm64{ app=mine } @k=v");
	error_clear(&f.store.refuse);
	look("", "rd");
	assert_view(&f, A2 " linux-arm64{ app=mine } @k=v");
	look("", "r");
	tag_fixture_stop(&f);
}
END_TEST

START_TEST(end_of_the_mount_ends_it)
{
	start(A1);
	refresh_stop(&f.tree);
	look("", "");
	tag_fixture_stop(&f);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("refresh");
	TCase *tcase = tcase_create("refresh");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, unmoved_tag_costs_one_call);
	tcase_add_test(tcase, moved_tag_is_shown);
	tcase_add_test(tcase, not_before_its_time);
	tcase_add_test(tcase, some_looks_do_not_count);
	tcase_add_test(tcase, failure_leaves_the_view);
	tcase_add_test(tcase, gone_has_to_be_said_twice);
	tcase_add_test(tcase, lost_push_is_left_to_the_commit);
	tcase_add_test(tcase, what_was_in_the_way_goes);
	tcase_add_test(tcase, what_could_not_be_had_comes);
	tcase_add_test(tcase, end_of_the_mount_ends_it);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
