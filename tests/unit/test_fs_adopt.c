/* What others have made of a tag, and what was changed here, in one view. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "fs/tree/adopt.h"
#include "fs/tree/file.h"
#include "fs/tree/folder.h"
#include "fs/tree/tag.h"
#include "fs_tag.h"

static struct tag_fixture f;

/* Somebody else makes the tag that, and this mount sees it. */
static void adopt(const char *text)
{
	const struct reference reference = {.tag = (char[]){"v1"}};
	const struct adoption how = {.by_commit = false};
	cleanup_with(version_clear) struct version now = VERSION_INIT;
	struct error err = ERROR_INIT;

	tag_store_set(&f.store, text);
	ck_assert_int_eq(version_fetch(&now, &f.store.store, &reference, NULL, &err), 0);
	ck_assert_msg(
		tag_adopt(&f.tree, f.tree.root, &now, &how, NULL, &err) == 0, "%s", err.message);
}

#define A1 "linux-amd64{ app=1 }"
#define A2 "linux-amd64{ app=2 }"
#define B1 "linux-arm64{ app=b }"
#define B2 "linux-arm64{ app=bb }"
#define C1 "darwin-arm64{ app=c }"

/* A change of somebody else's, over what was changed here. */
struct row {
	const char *what, *before, *here, *now;
	const char *view; /* NULL: what the tag names now */
	const char *base; /* NULL: what the tag names now */
	bool unloaded;
};

/* here: words "PATH=CONTENT", "-PATH", "PATH/", "FROM>TO", "PATH@TEXT" for annotations */
static const struct row rows[] = {
	{"nothing", A1 " " B1, "", A1 " " B1, NULL, NULL, false},
	{"an entry added", A1, "", A1 " " B1, A1 " linux-arm64{?}", NULL, false},
	{"an entry removed", A1 " " B1, "", B1, NULL, NULL, false},
	{"an entry changed", A1 " " B1, "", A2 " " B1, NULL, NULL, false},
	{"the order changed", A1 " " B1, "", B1 " " A1, NULL, NULL, false},
	{"layers added, removed, moved", "any{ a=1 b=2 d/e=3 d/f=4 }", "", "any{ d/f=4 c/g=5 a=1 }",
		NULL, NULL, false},
	{"a file where a folder was", "any{ a/b=1 a/c=2 d=3 }", "", "any{ a=1 d/e=3 }", NULL, NULL,
		false},
	{"annotations", A1, "", "linux-amd64{ app=1 $m@k=v $d@l=w } @m=x", NULL, NULL, false},
	{"annotations removed", "linux-amd64{ app=1 $m@k=v $d@l=w } @m=x", "", A1, NULL, NULL,
		false},
	{"all removed", A1, "", "-", "", "-", false},
	{"all anew", "-", "", A1 " " B1, "linux-amd64{?} linux-arm64{?}", NULL, false},
	{"not loaded", A1 " " B1, "", A2 " " C1, "linux-amd64{?} darwin-arm64{?}", NULL, true},
	{"single to another", "{ app=1 }", "", "{ app=2 }", "any{ app=2 }", NULL, false},
	{"single to an index", "{ app=1 }", "", "any{ app=2 } " B1, "any{ app=2 } linux-arm64{?}",
		NULL, false},
	{"index to a single", "any{ app=1 } " B1, "", "{ app=2 }", "any{ app=2 }", NULL, false},
	{"single removed", "{ app=1 }", "", "-", "", "-", false},

	{"another entry changed here", A1 " " B1, "linux-amd64/app=mine", A1 " " B2,
		"linux-amd64{ app=mine } " B2, NULL, false},
	{"the same entry changed here", A1 " " B1, "linux-amd64/app=mine", A2 " " B2,
		"linux-amd64{ app=mine } " B2, A1 " " B2, false},
	{"an entry that was changed here removed", A1 " " B1, "linux-amd64/app=mine", B2,
		B2 " linux-amd64{ app=mine }", B2 " " A1, false},
	{"an entry that was removed here changed", A1 " " B1, "-linux-amd64", A2 " " B2, B2,
		A1 " " B2, false},
	{"an entry that was removed here, unchanged", A1 " " B1, "-linux-amd64", B2 " " A1, B2,
		NULL, false},
	{"removed here and there", A1 " " B1, "-linux-amd64", B2, B2, NULL, false},
	{"an entry of a folder that was made here", A1, "linux-arm64/app=mine", A2 " " B1,
		A2 " linux-arm64{ app=mine }", A2, false},
	{"the name of a folder that was renamed here", A1, "linux-amd64>linux-arm64", A1 " " B1,
		"linux-arm64{ app=1 }", A1, false},
	{"an empty folder made here", A1, "linux-arm64/", A1 " " B1, A1 " " B1, NULL, false},
	{"an empty folder of another name", A1, "linux-s390x/", A1 " " B1,
		A1 " linux-arm64{?} linux-s390x{ }", NULL, false},
	{"a scratch file in a folder that changed", A1, "linux-amd64/.app.swp=s", A2,
		"linux-amd64{ app=2 .app.swp=s }", NULL, false},
	{"in one that was made here", A1, "linux-arm64/.app.swp=s", A1 " " B1,
		A1 " linux-arm64{ app=b .app.swp=s }", NULL, false},
	{"in one that is gone", A1 " " B1, "linux-amd64/.app.swp=s", B1,
		B1 " linux-amd64{ .app.swp=s }", NULL, false},
	{"in the way of a layer", A1, "linux-amd64/x.part/y=s", "linux-amd64{ app=2 x.part=3 }",
		"linux-amd64{ app=1 x.part/y=s }", A1, false},
	{"annotations of the index changed here", A1 " @k=v", "@{\"k\":\"w\"}", A2 " @k=x @l=y",
		A2 " @k=w", A2 " @k=v", false},
	{"annotations of a folder changed here", A1 " " B1, "linux-amd64@{\"k\":\"w\"}", A2 " " B2,
		"linux-amd64{ app=1 $d@k=w } " B2, A1 " " B2, false},
	{"made here, and all anew", "-", "linux-amd64/app=mine", A1 " " B1,
		"linux-arm64{?} linux-amd64{ app=mine }", B1, false},
	{"changed here, and all removed", A1, "linux-amd64/app=mine", "-",
		"linux-amd64{ app=mine }", A1, false},
	{"changed here, and a single now", "any{ app=1 }", "any/app=mine", "{ app=2 }",
		"any{ app=mine }", "any{ app=1 }", false},
	{"a single changed here, and an index now", "{ app=1 }", "any/app=mine", "any{ app=1 } " B1,
		"any{ app=mine }", "{ app=1 }", false},
};

static void change_here(const char *text)
{
	cleanup_free char *copy = strdup(text);
	char *word = copy, *cut;

	if (!*word)
		return;
	if (*word == '-') {
		tag_remove(&f, word + 1);
	} else if ((cut = strchr(word, '@'))) {
		*cut = '\0';
		tag_annotate(&f, word, cut + 1);
	} else if ((cut = strchr(word, '>'))) {
		*cut = '\0';
		tag_rename(&f, word, cut + 1);
	} else if ((cut = strchr(word, '='))) {
		*cut = '\0';
		tag_write(&f, word, cut + 1);
	} else {
		word[strlen(word) - 1] = '\0';
		tag_mkdir(&f, word);
	}
}

START_TEST(views_follow)
{
	const struct row *row = &rows[_i];
	const char *view = row->view ? row->view : row->now;

	tag_fixture_start(&f, row->before);
	if (!row->unloaded)
		tag_load_all(&f);
	change_here(row->here);
	adopt(row->now);
	assert_view(&f, view);
	assert_base(&f, row->base ? row->base : row->now);
	ck_assert_msg(f.tree.root->tag->moved == (row->base && strcmp(row->base, row->now) != 0),
		"%s", row->what);
	/* what was adopted is where the next one begins */
	adopt(row->now);
	assert_view(&f, view);
	/* and what a mount finds that begins in this moment */
	tag_fixture_restart(&f);
	tag_load_all(&f);
	adopt(row->now);
	tag_load_all(&f);
	if (!strchr(view, '?') && !strstr(view, "/ ") && !strstr(view, "{ }"))
		assert_view(&f, view);
	tag_fixture_stop(&f);
}
END_TEST

/* Where nothing here stands in the way the base has the other's bytes. */
START_TEST(base_has_the_bytes_of_the_other)
{
	const struct tag *tag;

	tag_fixture_start(&f, A1 " " B1);
	tag_load_all(&f);
	tag_write(&f, "linux-amd64/app", "mine");
	adopt(A1 " " B2 " " C1 " @k=v");
	tag = f.tree.root->tag;
	ck_assert_str_eq(tag->base.root.json, f.store.tag.json);
	ck_assert(!tag->moved);
	adopt(A2 " " B2);
	ck_assert(tag->moved);
	ck_assert_str_eq(tag->now.root.digest.text, f.store.tag.digest.text);
	tag_fixture_stop(&f);
}
END_TEST

START_TEST(same_layers_stay_the_same_files)
{
	struct node *folder, *kept, *gone;

	tag_fixture_start(&f, "any{ a=1 b=2 d/c=3 @dev.indexfs.mode=0755 }");
	tag_load_all(&f);
	folder = tag_node(&f, "any");
	kept = tag_node(&f, "any/d/c");
	gone = tag_node(&f, "any/a");
	ck_assert_uint_eq(kept->mode & 0777, 0755);
	adopt("any{ d/c=3 a=4 }");
	ck_assert_ptr_eq(tag_node(&f, "any"), folder);
	ck_assert_ptr_eq(tag_node(&f, "any/d/c"), kept);
	ck_assert_uint_eq(kept->mode & 0777, 0644);
	ck_assert_ptr_ne(tag_node(&f, "any/a"), gone);
	ck_assert_ptr_null(tag_node(&f, "any/b"));
	tag_fixture_stop(&f);
}
END_TEST

/* An open file keeps the layer that it was opened with; one that could be written keeps its folder
 * as it is until it's closed. */
START_TEST(open_files_keep_what_they_have)
{
	struct handle *reader, *writer;
	struct node *old;

	tag_fixture_start(&f, A1 " " B1);
	tag_load_all(&f);
	old = tag_node(&f, "linux-amd64/app");
	ck_assert_int_eq(file_open(&f.tree, old, false, false, &reader, NULL), 0);
	ck_assert_int_eq(
		file_open(&f.tree, tag_node(&f, "linux-arm64/app"), true, false, &writer, NULL), 0);
	adopt(A2 " " B2);
	assert_view(&f, A2 " " B1);
	assert_base(&f, A2 " " B1);
	ck_assert_ptr_eq(reader->node, old);
	ck_assert_ptr_nonnull(strstr(old->file->layer.json, "\"data\":\"1\""));
	file_close(&f.tree, reader);
	file_close(&f.tree, writer);
	adopt(A2 " " B2);
	assert_view(&f, A2 " " B2);
	tag_fixture_stop(&f);
}
END_TEST

START_TEST(what_can_not_be_had_waits)
{
	tag_fixture_start(&f, A1 " " B1);
	tag_load(&f, "linux-amd64");
	error_set(&f.store.refuse, ERROR_UNREACHABLE, "no network");
	adopt(A2 " " B2);
	assert_view(&f, A1 " linux-arm64{?}");
	assert_base(&f, A1 " " B2);
	ck_assert(f.tree.root->tag->moved);
	error_clear(&f.store.refuse);
	adopt(A2 " " B2);
	assert_view(&f, A2 " linux-arm64{?}");
	assert_base(&f, A2 " " B2);
	ck_assert(!f.tree.root->tag->moved);
	tag_fixture_stop(&f);
}
END_TEST

/* Manifests are asked for once, and only of what is shown. */
START_TEST(asks_for_no_more_than_is_needed)
{
	tag_fixture_start(&f, A1 " " B1 " " C1);
	tag_load(&f, "linux-amd64");
	tag_load(&f, "linux-arm64");
	f.store.count = 0;
	adopt(A2 " linux-arm64{ app=b $d@k=v } darwin-arm64{ app=cc }");
	f.store.calls[f.store.count] = '\0';
	ck_assert_str_eq(f.store.calls, "gd");
	assert_view(&f, A2 " linux-arm64{ app=b $d@k=v } darwin-arm64{?}");
	tag_fixture_stop(&f);
}
END_TEST

/* Beside a commit nothing is adopted: it finds out itself. */
START_TEST(commit_is_not_disturbed)
{
	tag_fixture_start(&f, A1);
	tag_load_all(&f);
	f.tree.root->tag->committing = true;
	adopt(A2);
	assert_view(&f, A1);
	f.tree.root->tag->committing = false;
	adopt(A2);
	assert_view(&f, A2);
	tag_fixture_stop(&f);
}
END_TEST

/* What was changed here is there after a crash, upon what was adopted before it. */
START_TEST(changes_outlive_the_program)
{
	tag_fixture_start(&f, A1 " " B1);
	tag_load_all(&f);
	tag_write(&f, "linux-amd64/app", "mine");
	adopt(A2 " " B2 " " C1);
	tag_write(&f, "darwin-arm64/app", "too");
	tag_fixture_restart(&f);
	tag_load_all(&f);
	assert_view(&f, "linux-amd64{ app=mine } " B2 " darwin-arm64{ app=too }");
	assert_base(&f, A1 " " B2 " " C1);
	/* others go on while nobody has it mounted */
	tag_store_set(&f.store, A2 " " C1);
	tag_fixture_restart(&f);
	tag_load_all(&f);
	assert_view(&f, "linux-amd64{ app=mine } darwin-arm64{ app=too }");
	assert_base(&f, A1 " " C1);
	tag_fixture_stop(&f);
}
END_TEST

/* What the kernel is told. */
struct told {
	pthread_mutex_t lock;
	char text[512];
};

static void tell(void *context, const struct stale_item *item)
{
	struct told *told = context;

	pthread_mutex_lock(&told->lock);
	if (item->name) {
		strcat(told->text, item->name);
		strcat(told->text, " ");
	}
	pthread_mutex_unlock(&told->lock);
}

START_TEST(kernel_is_told_what_to_forget)
{
	struct told told = {.lock = PTHREAD_MUTEX_INITIALIZER};

	tag_fixture_start(&f, "linux-amd64{ app=1 same=2 } " B1);
	tag_load_all(&f);
	f.tree.stale.tell = tell;
	f.tree.stale.context = &told;
	adopt("linux-amd64{ app=3 same=2 } " C1);
	tag_fixture_stop(&f);
	ck_assert_ptr_nonnull(strstr(told.text, "app "));
	ck_assert_ptr_nonnull(strstr(told.text, "linux-arm64 "));
	ck_assert_ptr_nonnull(strstr(told.text, "darwin-arm64 "));
	ck_assert_ptr_null(strstr(told.text, "same "));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("adopt");
	TCase *tcase = tcase_create("adopt");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, views_follow, 0, (int)(sizeof(rows) / sizeof(*rows)));
	tcase_add_test(tcase, base_has_the_bytes_of_the_other);
	tcase_add_test(tcase, same_layers_stay_the_same_files);
	tcase_add_test(tcase, open_files_keep_what_they_have);
	tcase_add_test(tcase, what_can_not_be_had_waits);
	tcase_add_test(tcase, asks_for_no_more_than_is_needed);
	tcase_add_test(tcase, commit_is_not_disturbed);
	tcase_add_test(tcase, changes_outlive_the_program);
	tcase_add_test(tcase, kernel_is_told_what_to_forget);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
