/* One transfer for each blob, over a store whose transfers wait until they are told to end. */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "registry/sender.h"
#include "tests/unit/patience.h"

#define JOBS 3
#define THREADS_MAX 16
#define SIZE 1000

struct fake {
	struct store store;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int begun, running, most;
	int may_end; /* so many transfers end by themselves, in the order of their beginning */
	int fail_at; /* the number of the one that fails; 0: none */
	enum error_kind failure;
};

static struct fake fake;
static struct sender *sender;

static void fake_fired(void *context)
{
	pthread_mutex_lock(&fake.lock);
	*(bool *)context = true;
	pthread_cond_broadcast(&fake.changed);
	pthread_mutex_unlock(&fake.lock);
}

static int fake_blob_put(struct store *store, const struct digest *digest,
	const struct store_source *source, struct cancel *cancel, struct error *err)
{
	bool fired = false;
	struct cancel_watch watch = {.fired = fake_fired, .context = &fired};
	int number;

	(void)store;
	(void)digest;
	ck_assert(!cancel_watch(cancel, &watch));
	source->progress(source->context, SIZE / 2);
	pthread_mutex_lock(&fake.lock);
	number = ++fake.begun;
	if (++fake.running > fake.most)
		fake.most = fake.running;
	pthread_cond_broadcast(&fake.changed);
	while (number > fake.may_end && !fired)
		pthread_cond_wait(&fake.changed, &fake.lock);
	fake.running--;
	pthread_mutex_unlock(&fake.lock);
	cancel_unwatch(cancel, &watch);
	if (fired)
		return error_set(err, ERROR_INTERRUPTED, "interrupted");
	if (number == fake.fail_at)
		return error_set(err, fake.failure, "transfer %d fails", number);
	return 0;
}

static const struct store_ops fake_ops = {.blob_put = fake_blob_put};

/* Somebody who puts a blob. */
struct putter {
	pthread_t thread;
	struct digest digest;
	struct cancel cancel;
	struct error err;
	int result;
};

static void *put(void *context)
{
	struct putter *putter = context;
	const struct store_source source = {.fd = -1, .size = SIZE};

	putter->result =
		sender_put(sender, &putter->digest, &source, &putter->cancel, &putter->err);
	return NULL;
}

static struct putter *put_begin(const char *content)
{
	struct putter *putter = calloc(1, sizeof *putter);

	ck_assert_ptr_nonnull(putter);
	digest_of_bytes(&putter->digest, content, strlen(content));
	cancel_init(&putter->cancel);
	ck_assert_int_eq(pthread_create(&putter->thread, NULL, put, putter), 0);
	return putter;
}

static enum error_kind put_end(struct putter *putter)
{
	enum error_kind kind;

	pthread_join(putter->thread, NULL);
	kind = putter->err.kind;
	ck_assert_int_eq(putter->result, kind == ERROR_NONE ? 0 : -1);
	cancel_destroy(&putter->cancel);
	free(putter);
	return kind;
}

static void wait_for_begun(int count)
{
	pthread_mutex_lock(&fake.lock);
	while (fake.begun < count)
		pthread_cond_wait(&fake.changed, &fake.lock);
	pthread_mutex_unlock(&fake.lock);
}

/* So many wait for the one transfer that is under way. */
static bool are_following(unsigned count)
{
	bool there;

	pthread_mutex_lock(&sender->lock);
	there = sender->flights && sender->flights->holders == count + 1;
	pthread_mutex_unlock(&sender->lock);
	return there;
}

static void let_end(int count)
{
	pthread_mutex_lock(&fake.lock);
	fake.may_end = count;
	pthread_cond_broadcast(&fake.changed);
	pthread_mutex_unlock(&fake.lock);
}

static void setup(void)
{
	fake = (struct fake){
		.store = {.ops = &fake_ops, .jobs = JOBS},
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
		.failure = ERROR_SERVER,
	};
	ck_assert_int_eq(sender_new(&sender, &fake.store, NULL), 0);
}

static void teardown(void)
{
	sender_free(sender);
}

START_TEST(a_blob_that_is_wanted_by_many_is_sent_once)
{
	struct putter *putters[5];

	for (int i = 0; i < 5; i++)
		putters[i] = put_begin("one");
	await(are_following(4));
	let_end(1);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(put_end(putters[i]), ERROR_NONE);
	ck_assert_int_eq(fake.begun, 1);
}
END_TEST

START_TEST(a_wait_that_is_given_up_ends_no_transfer)
{
	struct putter *first = put_begin("one"), *second;

	wait_for_begun(1);
	second = put_begin("one");
	await(are_following(1));
	cancel_fire(&second->cancel);
	ck_assert_int_eq(put_end(second), ERROR_INTERRUPTED);
	await(are_following(0));
	let_end(1);
	ck_assert_int_eq(put_end(first), ERROR_NONE);
	ck_assert_int_eq(fake.begun, 1);
}
END_TEST

START_TEST(who_waited_in_vain_sends_it_himself)
{
	struct putter *first = put_begin("one"), *second;

	wait_for_begun(1);
	second = put_begin("one");
	await(are_following(1));
	fake.fail_at = 1;
	let_end(2);
	ck_assert_int_eq(put_end(first), ERROR_SERVER);
	ck_assert_int_eq(put_end(second), ERROR_NONE);
	ck_assert_int_eq(fake.begun, 2);
	ck_assert_int_eq(fake.most, 1);
}
END_TEST

START_TEST(a_registry_that_does_not_answer_is_waited_for_once)
{
	struct putter *first = put_begin("one"), *second;

	wait_for_begun(1);
	second = put_begin("one");
	await(are_following(1));
	fake.fail_at = 1;
	fake.failure = ERROR_TIMEOUT;
	let_end(1);
	ck_assert_int_eq(put_end(first), ERROR_TIMEOUT);
	ck_assert_int_eq(put_end(second), ERROR_TIMEOUT);
	ck_assert_int_eq(fake.begun, 1);
}
END_TEST

START_TEST(a_transfer_that_is_given_up_is_taken_over)
{
	struct putter *first = put_begin("one"), *second;

	wait_for_begun(1);
	second = put_begin("one");
	await(are_following(1));
	cancel_fire(&first->cancel);
	ck_assert_int_eq(put_end(first), ERROR_INTERRUPTED);
	wait_for_begun(2);
	let_end(2);
	ck_assert_int_eq(put_end(second), ERROR_NONE);
	ck_assert_int_eq(fake.begun, 2);
}
END_TEST

START_TEST(no_more_than_jobs_at_a_time)
{
	struct putter *putters[THREADS_MAX];
	char name[2] = "a";

	for (int i = 0; i < THREADS_MAX; i++) {
		name[0] = (char)('a' + i);
		putters[i] = put_begin(name);
	}
	for (int i = JOBS; i <= THREADS_MAX; i++) {
		wait_for_begun(i);
		let_end(i - JOBS + 1);
	}
	let_end(THREADS_MAX);
	for (int i = 0; i < THREADS_MAX; i++)
		ck_assert_int_eq(put_end(putters[i]), ERROR_NONE);
	ck_assert_int_eq(fake.begun, THREADS_MAX);
	ck_assert_int_eq(fake.most, JOBS);
}
END_TEST

START_TEST(who_waits_for_a_turn_can_give_up)
{
	struct putter *putters[JOBS], *late;
	char name[2] = "a";

	for (int i = 0; i < JOBS; i++) {
		name[0] = (char)('a' + i);
		putters[i] = put_begin(name);
	}
	wait_for_begun(JOBS);
	late = put_begin("late");
	cancel_fire(&late->cancel);
	ck_assert_int_eq(put_end(late), ERROR_INTERRUPTED);
	let_end(JOBS);
	for (int i = 0; i < JOBS; i++)
		ck_assert_int_eq(put_end(putters[i]), ERROR_NONE);
	ck_assert_int_eq(fake.begun, JOBS);
}
END_TEST

START_TEST(how_much_has_been_sent)
{
	struct putter *putter = put_begin("one");
	struct digest one = putter->digest, other;
	int64_t sent = 0;

	digest_of_bytes(&other, "other", 5);
	wait_for_begun(1);
	ck_assert(sender_sending(sender, &one, &sent));
	ck_assert_int_eq(sent, SIZE / 2);
	ck_assert(!sender_sending(sender, &other, &sent));
	let_end(1);
	ck_assert_int_eq(put_end(putter), ERROR_NONE);
	ck_assert(!sender_sending(sender, &one, &sent));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sender");
	TCase *tcase = tcase_create("sender");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_blob_that_is_wanted_by_many_is_sent_once);
	tcase_add_test(tcase, a_wait_that_is_given_up_ends_no_transfer);
	tcase_add_test(tcase, who_waited_in_vain_sends_it_himself);
	tcase_add_test(tcase, a_registry_that_does_not_answer_is_waited_for_once);
	tcase_add_test(tcase, a_transfer_that_is_given_up_is_taken_over);
	tcase_add_test(tcase, no_more_than_jobs_at_a_time);
	tcase_add_test(tcase, who_waits_for_a_turn_can_give_up);
	tcase_add_test(tcase, how_much_has_been_sent);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
