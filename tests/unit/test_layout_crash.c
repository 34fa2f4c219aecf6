/* The layout store when the disk is full, the process is killed, the file system is a poor one. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/unit/layout_fixture.h"

static struct fixture f;

static void start(void)
{
	fixture_start(&f);
}

static void stop(void)
{
	fixture_stop(&f);
}

/* From now on this process can't make files without a name, as on an old network file system. */
static void nameless_forbid(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_TMPFILE & ~O_DIRECTORY, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof(filter) / sizeof(*filter), .filter = filter};

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
	ck_assert_int_lt(open(f.root, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), 0);
}

START_TEST(files_with_hidden_names_do_too)
{
	struct digest digest;

	nameless_forbid();
	ck_assert_int_eq(run("rm -r '%s'", f.path), 0);
	store_close(f.store);
	fixture_open(&f);
	image_put(f.store, "a layer", "v1");
	image_put(f.store, "another", "v1");
	image_check(f.store, "v1", "another");
	digest_of_bytes(&digest, "abc", 3);
	ck_assert_int_eq(blob_put(f.store, &digest, "abd", 3, NULL), -1);
	ck_assert_int_eq(run("test -z \"$(find '%s' -name '.indexfs*')\"", f.path), 0);
}
END_TEST

/* A file system of 1 MiB at path, for this process alone. */
static bool small_mount(const char *path)
{
	if (unshare(CLONE_NEWNS) == 0 && mount("none", "/", "", MS_REC | MS_SLAVE, NULL) == 0 &&
		mkdir(path, 0755) == 0 && mount("none", path, "tmpfs", 0, "size=1m") == 0)
		return true;
	fprintf(stderr, "skipped: a small tmpfs can't be mounted: %s\n", strerror(errno));
	return false;
}

static enum error_kind big_put(struct store *store, size_t len, struct error *err)
{
	char *bytes = malloc(len);
	struct digest digest;

	memset(bytes, (int)len & 0xff, len);
	digest_of_bytes(&digest, bytes, len);
	blob_put(store, &digest, bytes, len, err);
	free(bytes);
	return err->kind;
}

START_TEST(full_disk_is_told_and_leaves_nothing)
{
	struct fixture small = f;
	struct document image = DOCUMENT_INIT;
	struct error err = ERROR_INIT;
	char *before;
	char *after;

	snprintf(small.path, sizeof(small.path), "%s/small", f.root);
	if (!small_mount(small.path))
		return;
	fixture_open(&small);
	image_put(small.store, "a layer", "v1");
	ck_assert_int_eq(big_put(small.store, (size_t)4 << 20, &err), ERROR_SYSTEM);
	ck_assert_int_eq(err.status, ENOSPC);
	ck_assert_int_eq(error_errno(&err), ENOSPC);
	ck_assert_int_eq(names_count(in_layout(&small, "blobs/sha256")), 3);
	ck_assert_int_eq(run("test -z \"$(find '%s' -name '.*' -type f)\"", small.path), 0);

	image_make(small.store, &image, "another");
	before = text_get(in_layout(&small, "index.json"));
	for (size_t len = 512 << 10; len >= 512; len /= 2) {
		error_clear(&err);
		big_put(small.store, len, &err);
	}
	error_clear(&err);
	ck_assert_int_eq(document_put(small.store, &image, "v2", &err), -1);
	ck_assert_int_eq(err.status, ENOSPC);
	after = text_get(in_layout(&small, "index.json"));
	ck_assert_str_eq(before, after);
	image_check(small.store, "v1", "a layer");
	free(before);
	free(after);
	document_clear(&image);
	store_close(small.store);
	umount2(small.path, MNT_DETACH);
}
END_TEST

static void publish_for_ever(int round)
{
	char seed[64];

	for (int i = 0;; i++) {
		snprintf(seed, sizeof(seed), "round %d image %d", round, i);
		image_put(f.store, seed, i % 2 ? "odd" : "even");
	}
}

static void image_check_whole(struct document *image, const struct descriptor *entry)
{
	struct error err = ERROR_INIT;
	struct buf blob = BUF_INIT(4096);

	ck_assert_msg(resolve_entry(f.store, image, entry, NULL, &err) == 0, "%s", err.message);
	ck_assert_msg(store_blob_read(f.store, &blob, &image->items[0], NULL, &err) == 0, "%s",
		err.message);
	ck_assert_msg(store_blob_read(f.store, &blob, &image->config, NULL, &err) == 0, "%s",
		err.message);
	buf_free(&blob);
}

/* Every entry of index.json, and all it names; and each blob is what its name says. */
static void layout_check(void)
{
	struct document index = DOCUMENT_INIT;
	struct error err = ERROR_INIT;
	char *text = text_get(in_layout(&f, "index.json"));

	ck_assert_msg(document_parse(&index, MEDIA_TYPE_INDEX, text, strlen(text), &err) == 0, "%s",
		err.message);
	for (size_t i = 0; i < index.count; i++) {
		struct document image = DOCUMENT_INIT;

		image_check_whole(&image, &index.items[i]);
		document_clear(&image);
	}
	ck_assert_uint_le(index.count, 2);
	ck_assert_int_eq(
		run("cd '%s/blobs/sha256' && { set -- *; [ ! -e \"$1\" ] || sha256sum \"$@\"; } | "
		    "awk '$1 != $2 {exit 1}'",
			f.path),
		0);
	document_clear(&index);
	free(text);
}

START_TEST(killed_at_any_point_it_is_a_layout)
{
	const int rounds = 20;

	for (int round = 0; round < rounds; round++) {
		struct timespec pause = {.tv_nsec = 1000000L + round * 1733000L};
		int status;
		pid_t child = fork();

		if (child == 0)
			publish_for_ever(round);
		nanosleep(&pause, NULL);
		ck_assert_int_eq(kill(child, SIGKILL), 0);
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert(WIFSIGNALED(status));
		layout_check();
	}
	image_put(f.store, "after it all", "even");
	image_check(f.store, "even", "after it all");
}
END_TEST

START_TEST(killed_while_making_it_can_be_made_again)
{
	for (int round = 0; round < 20; round++) {
		struct timespec pause = {.tv_nsec = 100000L * round};
		pid_t child;

		ck_assert_int_eq(run("rm -rf '%s'", f.path), 0);
		child = fork();
		if (child == 0) {
			fixture_open(&f);
			_exit(0);
		}
		nanosleep(&pause, NULL);
		kill(child, SIGKILL);
		ck_assert_int_eq(waitpid(child, NULL, 0), child);
		store_close(f.store);
		fixture_open(&f);
		image_put(f.store, "a layer", "v1");
		image_check(f.store, "v1", "a layer");
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("layout crash");
	TCase *faults = tcase_create("faults");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(faults, start, stop);
	tcase_set_timeout(faults, 60);
	tcase_add_test(faults, files_with_hidden_names_do_too);
	tcase_add_test(faults, full_disk_is_told_and_leaves_nothing);
	tcase_add_test(faults, killed_at_any_point_it_is_a_layout);
	tcase_add_test(faults, killed_while_making_it_can_be_made_again);
	suite_add_tcase(suite, faults);
	/* What a test forbids its process, it forbids for good. */
	srunner_set_fork_status(runner, CK_FORK);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
