#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "clock.h"
#include "patience.h"
#include "registry/http/circuit.h"

#define DEAR_MS (CIRCUIT_CHEAP_MS + 100)

/* The test's own clock, in the place of the usual one. */
static _Atomic int64_t now_ms = 1000;

int64_t clock_ms(void)
{
	return now_ms;
}

/* What the layer below does with a try. */
enum outcome { ANSWER, MISS, MISS_AT_ONCE, BREAK, GIVE_UP, CONNECT_AND_LAST };

struct below {
	struct http_layer layer;
	_Atomic enum outcome outcome;
	atomic_int tries, connect_ms;
	/* Of CONNECT_AND_LAST: locked until it may go on. */
	pthread_mutex_t unconnected, unanswered;
};

static int below_fail(
	struct http_response *response, bool unreached, enum error_kind kind, struct error *err)
{
	response->unreached = unreached;
	response->transient = true;
	return error_set(err, kind, "h: no answer in time");
}

static void pass(pthread_mutex_t *gate)
{
	pthread_mutex_lock(gate);
	pthread_mutex_unlock(gate);
}

static int below_perform(struct http_layer *layer, const struct http_request *request,
	struct http_response *response, struct cancel *cancel, struct error *err)
{
	struct below *below = (struct below *)layer;
	enum outcome outcome = atomic_load(&below->outcome);

	(void)cancel;
	atomic_store(&below->connect_ms, request->connect_ms);
	atomic_fetch_add(&below->tries, 1);
	switch (outcome) {
	case MISS:
		now_ms += DEAR_MS;
		return below_fail(response, true, ERROR_TIMEOUT, err);
	case MISS_AT_ONCE:
		return below_fail(response, true, ERROR_REFUSED, err);
	case BREAK:
		request->connected(request->connected_context);
		now_ms += DEAR_MS;
		return below_fail(response, false, ERROR_TIMEOUT, err);
	case GIVE_UP:
		return below_fail(response, false, ERROR_INTERRUPTED, err);
	case CONNECT_AND_LAST:
		pass(&below->unconnected);
		request->connected(request->connected_context);
		pass(&below->unanswered);
		break;
	case ANSWER:
		break;
	}
	response->status = 200;
	return 0;
}

static void below_free(struct http_layer *layer)
{
	(void)layer;
}

struct fixture {
	struct below below;
	struct http_layer *circuit;
	struct http_response response;
	struct error err;
};

static void fixture_open(struct fixture *fixture)
{
	static const struct http_response empty = HTTP_RESPONSE_INIT;

	memset(fixture, 0, sizeof(*fixture));
	fixture->response = empty;
	fixture->below.layer.perform = below_perform;
	fixture->below.layer.free = below_free;
	pthread_mutex_init(&fixture->below.unconnected, NULL);
	pthread_mutex_init(&fixture->below.unanswered, NULL);
	ck_assert_int_eq(
		circuit_layer_new(&fixture->circuit, &fixture->below.layer, &fixture->err), 0);
}

static void fixture_close(struct fixture *fixture)
{
	fixture->circuit->free(fixture->circuit);
}

static int fixture_ask(struct fixture *fixture, const char *url, struct cancel *cancel)
{
	const struct http_request request = {.method = "GET", .url = url};

	http_response_clear(&fixture->response);
	error_clear(&fixture->err);
	return fixture->circuit->perform(
		fixture->circuit, &request, &fixture->response, cancel, &fixture->err);
}

#define URL "https://h:5000/v2/a?b"

static void fixture_break(struct fixture *fixture)
{
	atomic_store(&fixture->below.outcome, MISS);
	for (int i = 0; i < CIRCUIT_FAILURES; i++)
		ck_assert_int_eq(fixture_ask(fixture, URL, NULL), -1);
	ck_assert_int_eq(atomic_load(&fixture->below.tries), CIRCUIT_FAILURES);
}

START_TEST(a_dead_host_fails_at_once_and_the_same)
{
	struct fixture fixture;

	fixture_open(&fixture);
	fixture_break(&fixture);
	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(fixture_ask(&fixture, URL "other", NULL), -1);
		ck_assert_int_eq(fixture.err.kind, ERROR_TIMEOUT);
		ck_assert_str_eq(fixture.err.message, "h: no answer in time");
		ck_assert(!fixture.response.transient);
	}
	ck_assert_int_eq(atomic_load(&fixture.below.tries), CIRCUIT_FAILURES);
	fixture_close(&fixture);
}
END_TEST

START_TEST(another_host_is_another_matter)
{
	static const char *const urls[] = {"https://h:5001/", "http://h:5000/", "https://h/",
		"https://h:50000/", "https://hh:5000/"};
	struct fixture fixture;

	fixture_open(&fixture);
	fixture_break(&fixture);
	atomic_store(&fixture.below.outcome, ANSWER);
	for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++)
		ck_assert_int_eq(fixture_ask(&fixture, urls[i], NULL), 0);
	ck_assert_int_eq(fixture_ask(&fixture, URL, NULL), -1);
	fixture_close(&fixture);
}
END_TEST

START_TEST(after_the_pause_the_first_request_finds_it_back)
{
	struct fixture fixture;

	fixture_open(&fixture);
	fixture_break(&fixture);
	atomic_store(&fixture.below.outcome, ANSWER);
	now_ms += DEAR_MS;
	ck_assert_int_eq(fixture_ask(&fixture, URL, NULL), 0);
	ck_assert_int_eq(atomic_load(&fixture.below.connect_ms), CIRCUIT_CONNECT_MS);
	ck_assert_int_eq(fixture_ask(&fixture, URL, NULL), 0);
	ck_assert_int_eq(atomic_load(&fixture.below.connect_ms), 0);
	fixture_close(&fixture);
}
END_TEST

START_TEST(a_host_that_is_still_dead_pauses_again)
{
	struct fixture fixture;

	fixture_open(&fixture);
	fixture_break(&fixture);
	now_ms += DEAR_MS;
	ck_assert_int_eq(fixture_ask(&fixture, URL, NULL), -1);
	ck_assert_int_eq(atomic_load(&fixture.below.tries), CIRCUIT_FAILURES + 1);
	ck_assert_int_eq(fixture_ask(&fixture, URL, NULL), -1);
	ck_assert_int_eq(atomic_load(&fixture.below.tries), CIRCUIT_FAILURES + 1);
	fixture_close(&fixture);
}
END_TEST

static void *ask_beside(void *context)
{
	struct fixture *fixture = context;
	const struct http_request request = {.method = "GET", .url = URL};
	struct http_response response = HTTP_RESPONSE_INIT;
	struct error err = ERROR_INIT;
	int failed = fixture->circuit->perform(fixture->circuit, &request, &response, NULL, &err);

	http_response_clear(&response);
	return failed ? fixture : NULL;
}

/* The first request after the pause is on its way, and another may come. */
struct crowd {
	struct fixture fixture;
	pthread_t probe, other;
};

static void crowd_begin(struct crowd *crowd)
{
	struct below *below = &crowd->fixture.below;

	fixture_open(&crowd->fixture);
	fixture_break(&crowd->fixture);
	now_ms += DEAR_MS;
	pthread_mutex_lock(&below->unconnected);
	pthread_mutex_lock(&below->unanswered);
	atomic_store(&below->outcome, CONNECT_AND_LAST);
	pthread_create(&crowd->probe, NULL, ask_beside, &crowd->fixture);
	await(atomic_load(&below->tries) == CIRCUIT_FAILURES + 1);
	atomic_store(&below->outcome, ANSWER);
}

static void crowd_end(struct crowd *crowd)
{
	void *failed;

	pthread_mutex_unlock(&crowd->fixture.below.unanswered);
	pthread_join(crowd->probe, &failed);
	ck_assert_ptr_null(failed);
	fixture_close(&crowd->fixture);
}

START_TEST(others_wait_until_somebody_is_connected_and_no_longer)
{
	struct crowd crowd;
	void *failed;

	crowd_begin(&crowd);
	pthread_create(&crowd.other, NULL, ask_beside, &crowd.fixture);
	usleep(50 * 1000); /* in which it must not be tried */
	ck_assert_int_eq(atomic_load(&crowd.fixture.below.tries), CIRCUIT_FAILURES + 1);
	pthread_mutex_unlock(&crowd.fixture.below.unconnected);
	pthread_join(crowd.other, &failed);
	ck_assert_ptr_null(failed);
	crowd_end(&crowd);
}
END_TEST

START_TEST(nobody_waits_longer_than_a_connection_may_take)
{
	struct crowd crowd;

	crowd_begin(&crowd);
	now_ms += CIRCUIT_CONNECT_MS;
	ck_assert_int_eq(fixture_ask(&crowd.fixture, URL, NULL), -1);
	ck_assert_int_eq(atomic_load(&crowd.fixture.below.tries), CIRCUIT_FAILURES + 1);
	pthread_mutex_unlock(&crowd.fixture.below.unconnected);
	crowd_end(&crowd);
}
END_TEST

START_TEST(who_waits_can_be_interrupted)
{
	struct cancel cancel;
	struct crowd crowd;

	cancel_init(&cancel);
	cancel_fire(&cancel);
	crowd_begin(&crowd);
	ck_assert_int_eq(fixture_ask(&crowd.fixture, URL, &cancel), -1);
	ck_assert_int_eq(crowd.fixture.err.kind, ERROR_INTERRUPTED);
	ck_assert_int_eq(atomic_load(&crowd.fixture.below.tries), CIRCUIT_FAILURES + 1);
	pthread_mutex_unlock(&crowd.fixture.below.unconnected);
	crowd_end(&crowd);
	cancel_destroy(&cancel);
}
END_TEST

START_TEST(a_try_that_was_given_up_leaves_room_for_the_next)
{
	struct fixture fixture;

	fixture_open(&fixture);
	fixture_break(&fixture);
	now_ms += DEAR_MS;
	atomic_store(&fixture.below.outcome, GIVE_UP);
	ck_assert_int_eq(fixture_ask(&fixture, URL, NULL), -1);
	ck_assert_int_eq(fixture.err.kind, ERROR_INTERRUPTED);
	atomic_store(&fixture.below.outcome, ANSWER);
	ck_assert_int_eq(fixture_ask(&fixture, URL, NULL), 0);
	fixture_close(&fixture);
}
END_TEST

START_TEST(what_costs_nothing_or_is_reached_is_always_tried)
{
	static const enum outcome outcomes[] = {MISS_AT_ONCE, BREAK};
	struct fixture fixture;

	fixture_open(&fixture);
	atomic_store(&fixture.below.outcome, outcomes[_i]);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(fixture_ask(&fixture, URL, NULL), -1);
		ck_assert(fixture.response.transient);
	}
	ck_assert_int_eq(atomic_load(&fixture.below.tries), 4);
	fixture_close(&fixture);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("circuit");
	SRunner *runner = srunner_create(suite);
	TCase *tcase = tcase_create("all");
	int failed;

	tcase_set_timeout(tcase, 20);
	tcase_add_test(tcase, a_dead_host_fails_at_once_and_the_same);
	tcase_add_test(tcase, another_host_is_another_matter);
	tcase_add_test(tcase, after_the_pause_the_first_request_finds_it_back);
	tcase_add_test(tcase, a_host_that_is_still_dead_pauses_again);
	tcase_add_test(tcase, others_wait_until_somebody_is_connected_and_no_longer);
	tcase_add_test(tcase, nobody_waits_longer_than_a_connection_may_take);
	tcase_add_test(tcase, who_waits_can_be_interrupted);
	tcase_add_test(tcase, a_try_that_was_given_up_leaves_room_for_the_next);
	tcase_add_loop_test(tcase, what_costs_nothing_or_is_reached_is_always_tried, 0, 2);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
